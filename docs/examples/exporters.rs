//! Two readers of one store: a page with everything, and an exporter of our own, which the file tells what it lets out, under which
//! name, in which unit and with which labels. What records knows of neither.
//!
//! ```text
//! $ cargo run -q -p docs --example exporters
//! page: order_settle_duration_seconds_count{side="buy",region="eu"} 1
//! page: order_settle_duration_seconds_count{side="sell",region="us"} 2
//! page: orders_open 3
//! lines: settle_time{side="buy"} 250 ms, 1 of them
//! lines: settle_time{side="sell"} 2000 ms, 2 of them
//! ```

// A program talks to its terminal.
#![allow(clippy::print_stdout)]

use std::error::Error;

use metercast::config::Custom;
use metercast::snapshot::Point;
use metercast::{Config, CustomExporter, Export, Log, PrometheusPage, Store, Telemetry, metrics};

metrics! {
    /// Time from acceptance to settlement.
    static SETTLE: Histogram<f64> = "order.settle.duration" { unit: "s", labels: { side: &str, region: &str } };
    /// Orders that are not settled yet.
    static OPEN: UpDownCounter<i64> = "orders.open";
}

const FILE: &str = r#"
[telemetry.exporters.lines]
include = ["order.*"]
views = [{ name = "order.settle.duration", rename = "settle_time", unit = "ms", drop_labels = ["region"] }]
"#;

/// Prints a line for each histogram.
struct Lines;

impl CustomExporter for Lines {
    fn export(&mut self, export: &Export<'_>) -> Result<(), Box<dyn Error + Send + Sync>> {
        for metric in &export.collection().metrics {
            for series in &metric.series {
                if let Point::Histogram(histogram) = &series.point {
                    let (sum, count) = (histogram.sum, histogram.count());
                    println!(
                        "lines: {}{} {sum} {}, {count} of them",
                        metric.name, series.labels, metric.unit
                    );
                }
            }
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let config = Config::builder()
        .environment(false)
        .self_metrics(false)
        .text("exporters.toml", FILE)
        .exporter("lines", Custom::new(Lines));
    let telemetry = Telemetry::start(config.build()?)?;
    SETTLE.record(0.25, ("buy", "eu"));
    SETTLE.record(0.5, ("sell", "us"));
    SETTLE.record(1.5, ("sell", "us"));
    OPEN.add(3);

    // A program with a router of its own serves this; see docs/scrape.md.
    let page = PrometheusPage::new("page", Log::default()).render(&Store::global());
    for line in page.lines().filter(|line| line.contains("_count{") || line.starts_with("orders_")) {
        println!("page: {line}");
    }
    // What an exporter has not handed over yet leaves at the end.
    drop(telemetry);
    Ok(())
}
