//! Graphite's plaintext protocol: `path;label=value number seconds`, a line for each number.

use std::fmt::Write;
use std::time::UNIX_EPOCH;

use metercast::Collection;
use metercast::snapshot::Point;

/// All metrics; of histograms and summaries how many values there were, and their sum.
pub(crate) fn lines(collection: &Collection) -> String {
    let mut lines = String::new();
    let seconds = collection.time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    for metric in &collection.metrics {
        for series in &metric.series {
            let mut labels = String::new();
            for (key, value) in series.labels.iter() {
                let _ = write!(labels, ";{}={}", plain(key), plain(&value.to_string()));
            }
            let mut line = |suffix: &str, number: &dyn std::fmt::Display| {
                let _ = writeln!(lines, "{}{suffix}{labels} {number} {seconds}", plain(&metric.name));
            };
            match &series.point {
                Point::U64(number) => line("", number),
                Point::I64(number) => line("", number),
                Point::F64(number) => line("", number),
                Point::Histogram(histogram) => {
                    line(".count", &histogram.count());
                    line(".sum", &histogram.sum);
                }
                Point::Exponential(histogram) => {
                    line(".count", &histogram.count());
                    line(".sum", &histogram.sum);
                }
                // What a later version of metercast has, this one passes over.
                _ => {}
            }
        }
    }
    lines
}

/// A text without what ends a path, a label or a line.
fn plain(text: &str) -> String {
    let is_special = |c: char| c.is_whitespace() || c.is_control() || matches!(c, ';' | '=' | '~');
    text.replace(is_special, "_")
}
