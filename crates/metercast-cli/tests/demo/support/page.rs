//! A page as the crate `prometheus-parse` reads it.

use std::collections::BTreeMap;

use prometheus_parse::{Scrape, Value};

/// Values by the name and labels of their samples.
pub type Series = BTreeMap<(String, BTreeMap<String, String>), f64>;

/// Every sample of a page, the buckets of histograms with their `le`.
pub fn samples(page: &str) -> Series {
    let scrape = Scrape::parse(page.lines().map(|line| Ok(line.to_owned()))).expect("a valid page");
    let mut series = Series::new();
    let mut add = |name: &str, labels: BTreeMap<String, String>, value| {
        let known = series.insert((name.to_owned(), labels.clone()), value);
        assert_eq!(known, None, "{name}{labels:?} is there twice");
    };
    for sample in scrape.samples {
        let labels: BTreeMap<String, String> =
            sample.labels.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        match sample.value {
            Value::Counter(value) | Value::Gauge(value) | Value::Untyped(value) => {
                add(&sample.metric, labels, value);
            }
            Value::Histogram(buckets) => {
                for bucket in buckets {
                    let bound = if bucket.less_than.is_infinite() {
                        "+Inf".to_owned()
                    } else {
                        bucket.less_than.to_string()
                    };
                    let mut labels = labels.clone();
                    labels.insert("le".to_owned(), bound);
                    add(&format!("{}_bucket", sample.metric), labels, bucket.count);
                }
            }
            Value::Summary(_) => panic!("{} is a summary", sample.metric),
        }
    }
    series
}
