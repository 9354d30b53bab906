//! Code that measures by other libraries, unchanged, on one page: the `metrics` macros, the OpenTelemetry API, a registry of the
//! `prometheus` crate, and events of `tracing`.
//!
//! ```text
//! $ cargo run -q -p docs --example facades
//! by_metrics_total{side="buy"} 1
//! by_opentelemetry_total{side="buy"} 2
//! by_prometheus 3
//! by_tracing_total{side="buy"} 4
//! ```

// A program talks to its terminal.
#![allow(clippy::print_stdout)]

use std::error::Error;

use metercast::{Log, PrometheusPage, Store};
use metercast_metrics::MetricsRecorder;
use metercast_tracing::Metrics;
use opentelemetry::{KeyValue, global};
use prometheus::{IntCounter, Registry};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// One line for each, at the start.
fn install(registry: &Registry) -> Result<(), Box<dyn Error>> {
    MetricsRecorder::builder().install()?;
    metercast_opentelemetry::install()?;
    metercast_prometheus::registry(registry).forever();
    tracing_subscriber::registry().with(Metrics::new().layer()).init();
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let registry = Registry::new();
    install(&registry)?;

    // Anywhere, as before.
    metrics::counter!("by_metrics_total", "side" => "buy").increment(1);
    let counter = global::meter("shop").u64_counter("by.opentelemetry").build();
    counter.add(2, &[KeyValue::new("side", "buy")]);
    let counter = IntCounter::new("by_prometheus", "Counted by prometheus.")?;
    registry.register(Box::new(counter.clone()))?;
    counter.inc_by(3);
    tracing::info!(monotonic_counter.by_tracing = 4, side = "buy");

    // In most programs `metercast::start()?` serves it.
    let page = PrometheusPage::new("page", Log::default()).render(&Store::global());
    for line in page.lines().filter(|line| line.starts_with("by_")) {
        println!("{line}");
    }
    Ok(())
}
