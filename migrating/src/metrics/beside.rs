//! Both recorders at once, in production for a while if you like.

use super::shop;

// region: main
use metercast::{Log, PageOptions, Profile, PrometheusPage, Store};
use metercast_metrics::MetricsRecorder;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use metrics_util::layers::FanoutBuilder;

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seconds = "_seconds".to_owned();
    let theirs = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix(seconds.clone()), &[0.1, 1.0])?
        .build_recorder();
    let ours = MetricsRecorder::builder()
        .summaries()
        .buckets_for(metercast_metrics::Matcher::Suffix(seconds), &[0.1, 1.0])
        .build()?;
    let old_page = theirs.handle();
    let options = PageOptions::new().profile(Profile::MetricsRs);
    let new_page = PrometheusPage::with("prometheus", options, &[], Log::default());
    metrics::set_global_recorder(FanoutBuilder::default().add_recorder(theirs).add_recorder(ours).build())?;

    shop::run();
    let (old, new) = (old_page.render(), new_page.render(&Store::global()));
    let sorted = |page: &str| {
        // Quantiles are estimates in both, each within its own error.
        let lines = page.lines().filter(|line| !line.contains("quantile="));
        let mut lines: Vec<String> = lines.map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&old), sorted(&new)); // in production: a log line instead
    print!("{new}");
    Ok(())
}
// endregion
