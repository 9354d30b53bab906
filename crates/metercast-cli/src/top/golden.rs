//! The golden signals of an HTTP service, where its page has metrics of the usual names: traffic, errors, latency, saturation.

use std::collections::VecDeque;

use super::figure::{self, Unit};
use super::history::{History, Metric};
use super::quantile::quantile;
use super::track::{QUANTILES, merge};

/// How the service does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Golden {
    /// Requests per second.
    pub(crate) rate: Option<f64>,
    /// The part of them that failed: that were answered by 500 and more.
    pub(crate) failed: Option<f64>,
    /// In seconds, of the last interval.
    pub(crate) quantiles: [Option<f64>; 3],
    /// Requests that are not answered yet.
    pub(crate) in_flight: Option<f64>,
    /// Requests per second over time.
    pub(crate) line: VecDeque<f64>,
}

/// Metrics that measure requests: of OpenTelemetry, of the most used middlewares, of Prometheus itself.
const DURATIONS: [&str; 6] = [
    "http_server_request_duration_seconds",
    "http_server_duration_milliseconds",
    "http_request_duration_seconds",
    "http_requests_duration_seconds",
    "axum_http_requests_duration_seconds",
    "prometheus_http_request_duration_seconds",
];

/// Metrics that count requests by their status.
const COUNTS: [&str; 5] = [
    "http_server_requests_total",
    "http_requests_total",
    "axum_http_requests_total",
    "prometheus_http_requests_total",
    "promhttp_metric_handler_requests_total",
];

/// Metrics of requests that are not answered yet.
const IN_FLIGHT: [&str; 5] = [
    "http_server_active_requests",
    "http_requests_in_flight",
    "http_requests_in_progress",
    "axum_http_requests_pending",
    "promhttp_metric_handler_requests_in_flight",
];

/// Labels that say how a request was answered.
const STATUS: [&str; 6] = [
    "http_response_status_code",
    "http.response.status_code",
    "http_status_code",
    "status_code",
    "status",
    "code",
];

impl Golden {
    /// What a page says of requests; `None` if that is nothing.
    pub(crate) fn of(history: &History) -> Option<Golden> {
        let first = |names: &[&str]| names.iter().find_map(|name| history.get(name));
        let duration = first(&DURATIONS);
        let by_status = |metric: &&Metric| metric.series.iter().any(|series| status(series).is_some());
        // Durations count as well, but only some by status.
        let count = duration.filter(by_status).or_else(|| first(&COUNTS)).or(duration)?;
        let rate = count.all.rate;
        let failed = by_status(&count).then(|| failed(count)).flatten();
        Some(Golden {
            rate,
            failed,
            quantiles: duration.map(quantiles).unwrap_or_default(),
            in_flight: first(&IN_FLIGHT).map(|metric| metric.all.value),
            line: count.all.line.clone(),
        })
    }

    /// In a few words, without the line.
    pub(crate) fn words(&self) -> String {
        let rate = self.rate.map_or("-".to_owned(), |rate| figure::rate(rate, Unit::Other));
        let mut text = format!("{rate} req/s");
        if let Some(failed) = self.failed {
            text += &format!("   5xx {}%", figure::rate(failed * 100.0, Unit::Other));
        }
        for (name, quantile) in ["p50", "p95", "p99"].into_iter().zip(self.quantiles) {
            if let Some(quantile) = quantile {
                text += &format!("   {name} {}", figure::length(quantile));
            }
        }
        if let Some(in_flight) = self.in_flight {
            text += &format!("   in flight {}", figure::rate(in_flight, Unit::Other));
        }
        text
    }
}

fn status(series: &super::history::Series) -> Option<&str> {
    let label = series.labels.iter().find(|(key, _)| STATUS.contains(&key.as_str()));
    label.map(|(_, value)| value.as_str())
}

fn failed(count: &Metric) -> Option<f64> {
    let all = count.all.delta.filter(|all| *all > 0.0)?;
    let failed =
        count.series.iter().filter(|series| status(series).is_some_and(|status| status.starts_with('5')));
    // The sum of nothing is a zero with a sign.
    Some(failed.filter_map(|series| series.track.delta).fold(0.0, |sum, delta| sum + delta) / all)
}

fn quantiles(duration: &Metric) -> [Option<f64>; 3] {
    let in_seconds = if duration.name.ends_with("_milliseconds") { 1e-3 } else { 1.0 };
    let mut buckets = Vec::new();
    let merges = duration.series.iter().all(|series| merge(&mut buckets, series.track.buckets()));
    QUANTILES.map(|part| quantile(part, &buckets).filter(|_| merges).map(|value| value * in_seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::{Limits, Page};

    fn after(first: &str, second: &str) -> Option<Golden> {
        let mut history = History::default();
        for (text, at) in [(first, 0.0), (second, 2.0)] {
            history.take(&Page::read(text.as_bytes(), &Limits::default()).unwrap(), at);
        }
        Golden::of(&history)
    }

    #[test]
    fn requests_are_known_by_the_usual_names() {
        let page = |ok: u64, failed: u64, active: u64| {
            let series = |code: &str, count: u64| {
                format!(
                    "http.server.request.duration_seconds_bucket{{http.response.status_code=\"{code}\",le=\"0.1\"}} {count}\n\
                     http.server.request.duration_seconds_bucket{{http.response.status_code=\"{code}\",le=\"+Inf\"}} {count}\n"
                )
                .replace("http.server.request.duration_seconds_bucket{http.response.status_code",
                    "{\"http.server.request.duration_seconds_bucket\",\"http.response.status_code\"")
            };
            format!(
                "# TYPE \"http.server.request.duration_seconds\" histogram\n{}{}http_server_active_requests {active}\n",
                series("200", ok),
                series("503", failed)
            )
        };
        let golden = after(&page(10, 0, 1), &page(40, 10, 3)).unwrap();
        assert_eq!((golden.rate, golden.failed, golden.in_flight), (Some(20.0), Some(0.25), Some(3.0)));
        assert_eq!(golden.quantiles[0], Some(0.05));
    }

    #[test]
    fn counters_by_status_do_too() {
        let page = |ok: u64, bad: u64| {
            format!(
                "# TYPE http_requests_total counter\nhttp_requests_total{{code=\"200\"}} {ok}\nhttp_requests_total{{code=\"500\"}} {bad}\n"
            )
        };
        let golden = after(&page(1, 1), &page(4, 2)).unwrap();
        assert_eq!((golden.rate, golden.failed, golden.quantiles), (Some(2.0), Some(0.25), [None; 3]));
        assert_eq!(after(&page(1, 1), &page(1, 1)).unwrap().failed, None, "of nothing there is no part");
        assert_eq!(after("a 1\n", "a 2\n"), None);
    }
}
