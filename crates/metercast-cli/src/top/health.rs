//! Whether telemetry itself is healthy: what metercast says of its exporters, on the page or under `/live/api/health`.

use serde_json::Value as Json;

use super::figure;
use super::history::{History, Series};

/// What is known of all exporters.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Health {
    pub(crate) exporters: Vec<Exporter>,
    /// What is wrong beside them.
    pub(crate) problems: Vec<String>,
}

/// One exporter, as it does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Exporter {
    pub(crate) name: String,
    pub(crate) status: Status,
    /// When it succeeded last, in seconds since 1970.
    pub(crate) last_success: Option<f64>,
    /// Exports that failed.
    pub(crate) failures: f64,
    /// What it handed over since the reading before.
    pub(crate) points: Option<f64>,
    /// Why it fails.
    pub(crate) cause: Option<String>,
}

/// How an exporter does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Ok,
    /// Nothing was handed over yet.
    Waiting,
    /// The last that it tried failed.
    Failing,
    /// It does nothing any more.
    Stopped,
}

impl Status {
    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Waiting => "waiting",
            Status::Failing => "failing",
            Status::Stopped => "stopped",
        }
    }
}

const LAST_SUCCESS: &str = "metercast_exporter_last_success_seconds";
const FAILURES: &str = "metercast_exporter_failures_total";
const POINTS: &str = "otel_sdk_exporter_metric_data_point_exported_total";

impl Health {
    /// What the page says.
    pub(crate) fn of_page(history: &History) -> Health {
        let mut exporters: Vec<Exporter> = Vec::new();
        for name in [LAST_SUCCESS, FAILURES] {
            for series in history.get(name).iter().flat_map(|metric| &metric.series) {
                if let Some(name) = label(series, "otel_component_name")
                    && !exporters.iter().any(|exporter| exporter.name == name)
                {
                    exporters.push(exporter(history, name));
                }
            }
        }
        exporters.sort_by(|one, other| one.name.cmp(&other.name));
        Health { exporters, problems: problems(history) }
    }

    /// What `/live/api/health` says, which knows causes; the page knows what else there is.
    pub(crate) fn of_live(live: &Json, page: Health) -> Health {
        let Some(exporters) = live["exporters"].as_array() else { return page };
        let text = |json: &Json| json.as_str().map(str::to_owned);
        let exporters = exporters.iter().filter_map(|exporter| {
            let name = text(&exporter["name"])?;
            let known = page.exporters.iter().find(|known| known.name == name);
            Some(Exporter {
                status: match exporter["status"].as_str()? {
                    "ok" => Status::Ok,
                    "failing" => Status::Failing,
                    "stopped" => Status::Stopped,
                    _ => Status::Waiting,
                },
                last_success: exporter["last_success"].as_f64(),
                failures: exporter["failures"].as_f64().unwrap_or_default(),
                points: known.and_then(|known| known.points),
                cause: text(&exporter["error"]["text"]),
                name,
            })
        });
        let exporters = exporters.collect();
        let more = live["problems"].as_array().into_iter().flatten().filter_map(text);
        let refused = (live["reload"]["successful"] == Json::Bool(false)).then(|| {
            format!("the last reload was refused: {}", live["reload"]["text"].as_str().unwrap_or_default())
        });
        let known = page.problems.into_iter().filter(|problem| refused.is_none() || problem != REFUSED);
        let problems = refused.clone().into_iter().chain(more).chain(known).collect();
        Health { exporters, problems }
    }
}

impl Exporter {
    /// In a few words; `now` is in seconds since 1970.
    pub(crate) fn words(&self, now: f64) -> String {
        let ago =
            self.last_success.map(|last| format!("{} ago", figure::length((now - last).max(0.0).round())));
        let mut words = format!("{} {}", self.name, self.status.name());
        match (self.status, &self.cause, ago) {
            (Status::Failing | Status::Stopped, Some(cause), _) => words += &format!(": {cause}"),
            (Status::Ok, _, Some(ago)) => words += &format!(" {ago}"),
            (Status::Failing, None, Some(ago)) => words += &format!(", last ok {ago}"),
            _ => {}
        }
        if self.failures > 0.0 && self.cause.is_none() {
            words += &format!(", {} failed", self.failures);
        }
        match self.points {
            Some(points) if points > 0.0 && self.status == Status::Ok => {
                words + &format!(", {points} points")
            }
            _ => words,
        }
    }
}

fn exporter(history: &History, name: &str) -> Exporter {
    let of = |metric: &str| {
        let series = history.get(metric).map(|metric| &metric.series[..]).unwrap_or_default();
        series.iter().filter(|series| label(series, "otel_component_name") == Some(name))
    };
    let success = of(LAST_SUCCESS).map(|series| &series.track).next();
    let failure = of(FAILURES).map(|series| &series.track).next();
    let last_success = success.map(|track| track.value);
    let failures = failure.map_or(0.0, |track| track.value);
    // It fails if it failed after it succeeded last; at the first reading nobody knows.
    let failed_later =
        failure.zip(success).is_some_and(|(failure, success)| failure.changed > success.changed);
    let status = match (last_success, failures > 0.0) {
        (None, true) => Status::Failing,
        (None, false) => Status::Waiting,
        (Some(_), _) if failed_later && failures > 0.0 => Status::Failing,
        (Some(_), _) => Status::Ok,
    };
    let (lost, handed): (Vec<_>, Vec<_>) =
        of(POINTS).partition(|series| label(series, "error_type").is_some());
    let cause = lost.iter().filter(|series| series.track.delta.is_none_or(|delta| delta > 0.0));
    let cause =
        cause.max_by_key(|series| series.track.changed).and_then(|series| label(series, "error_type"));
    let cause = cause.filter(|_| status == Status::Failing).map(str::to_owned);
    let points = handed.iter().filter_map(|series| series.track.delta).reduce(|one, other| one + other);
    Exporter { name: name.to_owned(), status, last_success, failures, points, cause }
}

const REFUSED: &str = "the last reload was refused: what is in force is older than the file";

fn problems(history: &History) -> Vec<String> {
    let mut problems = Vec::new();
    if history.get("metercast_config_last_reload_successful").is_some_and(|metric| metric.all.value == 0.0) {
        problems.push(REFUSED.to_owned());
    }
    let of = |metric: &str| history.get(metric).into_iter().flat_map(|metric| &metric.series);
    let metric = |series: &Series| label(series, "metric").unwrap_or("a metric").to_owned();
    for series in of("metercast_series_limits_reached_total").filter(|series| series.track.value > 0.0) {
        problems.push(format!(
            "{} has reached its limit of series: what is new is counted as one",
            metric(series)
        ));
    }
    for series in of("metercast_exporter_series_overflowed").filter(|series| series.track.value > 0.0) {
        let exporter = label(series, "otel_component_name").unwrap_or("an exporter");
        problems.push(format!(
            "{exporter} has no room for {} series of {}",
            series.track.value,
            metric(series)
        ));
    }
    for series in of("metercast_recordings_dropped_total").filter(|series| series.track.value > 0.0) {
        let reason = label(series, "reason").map(|reason| format!(" ({reason})")).unwrap_or_default();
        problems.push(format!("{} recordings made no sense and were dropped{reason}", series.track.value));
    }
    problems
}

/// The value of a label, be dots or underscores in its key.
fn label<'a>(series: &'a Series, key: &str) -> Option<&'a str> {
    let found = series.labels.iter().find(|(there, _)| there == key || there.replace('.', "_") == key);
    found.map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::{Limits, Page};

    fn after(pages: &[String]) -> Health {
        let mut history = History::default();
        for (text, at) in pages.iter().zip(0..) {
            history.take(&Page::read(text.as_bytes(), &Limits::default()).unwrap(), f64::from(at));
        }
        Health::of_page(&history)
    }

    fn page(failures: u64, success: f64, lost: u64) -> String {
        format!(
            "# TYPE metercast_exporter_failures_total counter\n# TYPE otel_sdk_exporter_metric_data_point_exported_total counter\n\
             metercast_exporter_failures_total{{otel_component_name=\"central\"}} {failures}\n\
             metercast_exporter_last_success_seconds{{otel_component_name=\"central\"}} {success}\n\
             otel_sdk_exporter_metric_data_point_exported_total{{otel_component_name=\"central\"}} 40\n\
             otel_sdk_exporter_metric_data_point_exported_total{{otel_component_name=\"central\",error_type=\"401\"}} {lost}\n"
        )
    }

    #[test]
    fn an_exporter_fails_if_it_failed_after_it_succeeded() {
        let first = page(0, 100.0, 0);
        let health = after(std::slice::from_ref(&first));
        assert_eq!(health.exporters[0].status, Status::Ok);
        assert_eq!(health.exporters[0].words(103.0), "central ok 3s ago");
        let failing = after(&[first.clone(), page(2, 100.0, 12)]);
        assert_eq!(failing.exporters[0].words(103.0), "central failing: 401");
        let mended = after(&[first, page(2, 100.0, 12), page(2, 102.0, 12)]);
        assert_eq!(mended.exporters[0].words(103.0), "central ok 1s ago, 2 failed");
    }

    #[test]
    fn what_never_succeeded_waits_or_fails() {
        let of = |failures: u64| {
            after(&[format!("metercast_exporter_failures_total{{otel_component_name=\"a\"}} {failures}\n")])
                .exporters[0]
                .status
        };
        assert_eq!((of(0), of(1)), (Status::Waiting, Status::Failing));
    }

    #[test]
    fn what_is_lost_is_a_problem() {
        let problems = after(&["metercast_config_last_reload_successful 0\n\
             # TYPE metercast_series_limits_reached_total counter\nmetercast_series_limits_reached_total{metric=\"a\"} 1\n\
             metercast_exporter_series_overflowed{otel_component_name=\"otlp\",metric=\"b\"} 4\n\
             # TYPE metercast_recordings_dropped_total counter\nmetercast_recordings_dropped_total{reason=\"nan\"} 2\n"
            .to_owned()])
        .problems;
        assert_eq!(
            problems,
            [
                REFUSED,
                "a has reached its limit of series: what is new is counted as one",
                "otlp has no room for 4 series of b",
                "2 recordings made no sense and were dropped (nan)",
            ]
        );
    }

    #[test]
    fn the_live_page_knows_causes() {
        let live = serde_json::json!({
            "exporters": [{ "name": "central", "status": "failing", "failures": 3, "last_success": null,
                "error": { "class": "401", "text": "push to http://c failed: 401; check the token" } }],
            "problems": ["two kinds"], "reload": { "successful": false, "text": "a.toml:3: no" },
        });
        let health =
            Health::of_live(&live, Health { problems: vec![REFUSED.to_owned()], ..Health::default() });
        assert_eq!(
            health.exporters[0].words(0.0),
            "central failing: push to http://c failed: 401; check the token"
        );
        assert_eq!(health.problems, ["the last reload was refused: a.toml:3: no", "two kinds"]);
        let page = after(&[page(0, 1.0, 0)]);
        assert_eq!(Health::of_live(&serde_json::json!({}), page.clone()), page);
    }
}
