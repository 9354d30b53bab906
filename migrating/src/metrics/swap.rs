//! Another recorder, the same page.

use super::shop;

// region: main
use metercast::{Log, PageOptions, Profile, PrometheusPage, Store};
use metercast_metrics::{Matcher, MetricsRecorder};

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    MetricsRecorder::builder()
        .summaries() // what theirs makes of a histogram without buckets
        .buckets_for(Matcher::Suffix("_seconds".to_owned()), &[0.1, 1.0])
        .install()?;
    let options = PageOptions::new().profile(Profile::MetricsRs);
    let prometheus = PrometheusPage::with("prometheus", options, &[], Log::default());
    shop::run();
    print!("{}", prometheus.render(&Store::global())); // what GET /metrics answers
    Ok(())
}
// endregion
