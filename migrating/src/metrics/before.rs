//! What it is before: the recorder of metrics-exporter-prometheus.

use super::shop;

// region: main
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let prometheus = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &[0.1, 1.0])?
        .install_recorder()?;
    shop::run();
    print!("{}", prometheus.render()); // what GET /metrics answers
    Ok(())
}
// endregion
