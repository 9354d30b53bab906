//! Reading what subjects write, so that one that does nothing is not the fastest.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::{metric::Data, number_data_point::Value};
use prost::Message;

/// How many series an output holds, and what they add up to: the values of counters, the counts of histograms.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Total {
    pub(crate) series: usize,
    pub(crate) sum: u64,
}

impl Total {
    fn add(&mut self, value: u64) {
        self.series += 1;
        self.sum += value;
    }

    /// Of the samples on a page of text whose names begin with `name` and, for histograms, end with `_count`.
    pub(crate) fn of_page(page: &[u8], name: &str, histogram: bool) -> Total {
        let mut total = Total::default();
        for line in String::from_utf8_lossy(page).lines() {
            let end = line.find(['{', ' ']).unwrap_or(line.len());
            let (sample, rest) = line.split_at(end);
            if sample.starts_with(name) && (!histogram || sample.ends_with("_count")) {
                let value = rest.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok());
                total.add(value.unwrap_or_default() as u64);
            }
        }
        total
    }

    /// Of the points in an OTLP message.
    pub(crate) fn of_message(message: &[u8]) -> Total {
        let mut total = Total::default();
        let request = ExportMetricsServiceRequest::decode(message).unwrap_or_default();
        let scopes = request.resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics);
        for data in scopes.flat_map(|scope| scope.metrics).filter_map(|metric| metric.data) {
            match data {
                Data::Sum(sum) => sum.data_points.iter().for_each(|point| match point.value {
                    Some(Value::AsInt(value)) => total.add(value as u64),
                    Some(Value::AsDouble(value)) => total.add(value as u64),
                    None => {}
                }),
                Data::Histogram(histogram) => {
                    histogram.data_points.iter().for_each(|point| total.add(point.count));
                }
                _ => {}
            }
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_the_name_are_added_up() {
        let page = b"# TYPE a_total counter\na_total{b=\"c d\"} 3\na_total 4\nb_total 5\n";
        assert_eq!(Total::of_page(page, "a", false), Total { series: 2, sum: 7 });
    }

    #[test]
    fn of_a_histogram_the_counts_are_added_up() {
        let page = b"a_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 3\na_sum 1.5\na_count 3\n";
        assert_eq!(Total::of_page(page, "a", true), Total { series: 1, sum: 3 });
    }

    #[test]
    fn an_unreadable_message_holds_nothing() {
        assert_eq!(Total::of_message(b"\xff\xff"), Total::default());
    }
}
