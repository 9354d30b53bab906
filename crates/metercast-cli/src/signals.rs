//! Which metrics of a program are its golden signals: the work it does, how much of that fails, how long it takes, and how full it is.

use crate::exported::{Kind, Label, Metric, Values, Whole};
use crate::query::{Scope, label_name, literally, sum_by, text};

/// Labels that say how something ended, under any strategy of names.
const OUTCOMES: [&str; 9] = [
    "http_response_status_code",
    "http_status_code",
    "rpc_response_status_code",
    "status_code",
    "status",
    "code",
    "outcome",
    "result",
    "error_type",
];

/// What a value of such a label begins with if it did not end well.
const BAD: [&str; 8] = ["fail", "err", "reject", "refus", "abort", "timeout", "timed_out", "panic"];

/// What the name of a counter has in it that counts what should not be.
const FAILURES: [&str; 24] = [
    "error",
    "errors",
    "failed",
    "failure",
    "failures",
    "rejected",
    "rejections",
    "refused",
    "dropped",
    "drops",
    "shed",
    "sheds",
    "timeout",
    "timeouts",
    "retries",
    "redelivered",
    "lag",
    "lagged",
    "overflowed",
    "evicted",
    "late",
    "panics",
    "disconnects",
    "limits",
];

/// What the name of a gauge has in it that says how full something is.
const FULLNESS: [&str; 15] = [
    "active",
    "waiting",
    "pending",
    "inflight",
    "queue",
    "queued",
    "depth",
    "backlog",
    "busy",
    "connections",
    "inuse",
    "used",
    "open",
    "running",
    "saturation",
];

/// What the name of a gauge has in it whose other half says how much there may be.
const HALVES: [&str; 5] = ["active", "open", "used", "inuse", "size"];

/// Units of time, and how many of each are a second.
const TIMES: [(&str, f64); 5] = [("s", 1.0), ("ms", 1e3), ("us", 1e6), ("ns", 1e9), ("min", 1.0 / 60.0)];

/// The same of the last word of a name.
const TIMES_IN_NAMES: [(&str, f64); 3] = [("seconds", 1.0), ("milliseconds", 1e3), ("ms", 1e3)];

/// Words of a name that do not say what is measured.
const GENERIC: [&str; 16] = [
    "total",
    "second",
    "millisecond",
    "ms",
    "duration",
    "latency",
    "time",
    "count",
    "outcome",
    "result",
    "processing",
    "served",
    "received",
    "attempt",
    "number",
    "handled",
];

/// Something that a program does again and again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work<'a> {
    pub(crate) metric: &'a Metric,
}

impl Work<'_> {
    /// The name of the series that counts it.
    pub(crate) fn counted(&self) -> String {
        let name = &self.metric.prometheus;
        if self.metric.kind == Kind::Counter { name.clone() } else { format!("{name}_count") }
    }

    /// Matchers for what did not end well: one for each label that says so, the first of which that is there has all of it.
    pub(crate) fn failed(&self) -> Vec<String> {
        let mut labels: Vec<&Label> = self.metric.labels.iter().collect();
        // What has a type of error has failed whatever its status is.
        labels.sort_by_key(|label| !key(label).starts_with("error"));
        labels.into_iter().filter_map(failing).collect()
    }

    /// Whether it is requests that the program answers over HTTP or as RPC.
    pub(crate) fn is_requests(&self) -> bool {
        is_requests(self.metric)
    }

    /// What it is called where several are shown.
    pub(crate) fn title(&self) -> String {
        let words = self.metric.words();
        let last =
            words.iter().rposition(|word| !GENERIC.contains(&&*singular(word))).unwrap_or(words.len() - 1);
        words[..=last].join(" ")
    }
}

/// What the program does: requests that it answers, then whatever else it times or says the outcome of; of two metrics that count the same, one.
pub(crate) fn work(metrics: &[Metric]) -> Vec<Work<'_>> {
    let mut all: Vec<Work<'_>> = metrics
        .iter()
        .filter(|metric| !is_of_others(metric))
        .map(|metric| Work { metric })
        .filter(|work| match work.metric.kind {
            Kind::Counter => !work.failed().is_empty() && !work.metric.says(&FAILURES),
            Kind::Histogram => is_time(work.metric),
            _ => false,
        })
        .collect();
    // Requests first; what says how it ended before what does not; what counts before what times.
    all.sort_by_key(|work| {
        (!work.is_requests(), work.failed().is_empty(), work.metric.kind != Kind::Counter)
    });
    let mut subjects: Vec<Vec<String>> = Vec::new();
    all.retain(|work| {
        let subject = subject(work.metric);
        let is_new = !subjects.contains(&subject);
        if is_new {
            subjects.push(subject);
        }
        is_new
    });
    all
}

/// What is timed: requests that the program answers, then whatever else.
pub(crate) fn durations(metrics: &[Metric]) -> Vec<&Metric> {
    let mut all: Vec<&Metric> = metrics
        .iter()
        .filter(|metric| metric.kind == Kind::Histogram && is_time(metric) && !is_of_others(metric))
        .collect();
    all.sort_by_key(|metric| !is_requests(metric));
    all
}

/// What counts that something should not have been.
pub(crate) fn failures(metrics: &[Metric]) -> Vec<&Metric> {
    let is_one = |metric: &&Metric| {
        metric.kind == Kind::Counter && metric.says(&FAILURES) && !metric.is_of_metercast()
    };
    metrics.iter().filter(is_one).collect()
}

/// What says how much is in use or waits.
pub(crate) fn fullness(metrics: &[Metric]) -> Vec<&Metric> {
    let is_one = |metric: &&Metric| {
        let words = metric.words();
        let is_in_flight = words.windows(2).any(|pair| pair == ["in", "flight"]);
        [Kind::UpDownCounter, Kind::Gauge].contains(&metric.kind)
            && (metric.says(&FULLNESS) || is_in_flight)
            && !is_of_others(metric)
    };
    metrics.iter().filter(is_one).collect()
}

/// Pairs of what is in use and how much there may be, as of a pool.
pub(crate) fn shares(metrics: &[Metric]) -> Vec<(&Metric, &Metric)> {
    let limit = |metric: &Metric| {
        let words = metric.words();
        HALVES.iter().find_map(|half| {
            let at = words.iter().position(|word| word == half)?;
            ["max", "limit", "capacity"].iter().find_map(|word| {
                let mut other = words.clone();
                (*word).clone_into(&mut other[at]);
                metrics.iter().find(|metric| metric.words() == other)
            })
        })
    };
    let pairs = metrics.iter().filter_map(|metric| Some((metric, limit(metric)?)));
    let mut found: Vec<(&Metric, &Metric)> = Vec::new();
    for (used, most) in pairs {
        // Of a pool that says both what is active and what is open, what is active.
        if !found.iter().any(|(_, other)| other.name == most.name) {
            found.push((used, most));
        }
    }
    found
}

/// How many of what it measures in are a second; `None` if it is no time that is measured.
pub(crate) fn in_a_second(metric: &Metric) -> Option<f64> {
    fn find(times: &[(&str, f64)], unit: &str) -> Option<f64> {
        times.iter().find(|(known, _)| *known == unit).map(|(_, many)| *many)
    }
    let words = metric.words();
    let last = words.iter().rev().find(|word| *word != "total");
    find(&TIMES, &metric.unit).or_else(|| find(&TIMES_IN_NAMES, last?))
}

fn is_time(metric: &Metric) -> bool {
    in_a_second(metric).is_some()
}

/// The name of a label as all strategies of names can have it.
fn key(label: &Label) -> String {
    label.prometheus.replace(|c: char| !c.is_ascii_alphanumeric(), "_")
}

/// A matcher for the values of a label that say that something did not end well.
fn failing(label: &Label) -> Option<String> {
    let key = key(label);
    if !OUTCOMES.contains(&&*key) {
        return None;
    }
    let expression = match &label.values {
        Values::Whole(Whole::Whole) => "5..".to_owned(),
        Values::OneOf { one_of, fallback } => {
            let bad =
                one_of.iter().chain(fallback).filter(|value| BAD.iter().any(|bad| value.starts_with(bad)));
            bad.map(|value| literally(value)).collect::<Vec<_>>().join("|")
        }
        // A type of error is there if there was one.
        Values::Other(_) if key == "error_type" => ".+".to_owned(),
        Values::Other(_) => {
            let bad: Vec<String> = BAD.iter().map(|bad| format!("{bad}.*")).collect();
            format!("5..|{}", bad.join("|"))
        }
    };
    (!expression.is_empty()).then(|| format!("{}=~{}", label_name(&label.prometheus), text(&expression)))
}

/// Whether others do that work for the program, or it is done to measure it.
fn is_of_others(metric: &Metric) -> bool {
    metric.is_of_metercast() || metric.says(&["client", "fetch"])
}

fn is_requests(metric: &Metric) -> bool {
    let words = metric.words();
    let has = |word: &str| words.iter().any(|found| found == word);
    !has("client") && (has("http") && (has("request") || has("requests")) || has("rpc") && has("server"))
}

/// What is measured, without how.
fn subject(metric: &Metric) -> Vec<String> {
    let words = metric.words().into_iter().map(|word| singular(&word));
    words.filter(|word| !GENERIC.contains(&&**word)).collect()
}

fn singular(word: &str) -> String {
    match word.strip_suffix('s') {
        Some(stem) if !stem.ends_with('s') && stem.len() > 2 && word != "status" => stem.to_owned(),
        _ => word.to_owned(),
    }
}

/// The part of it that did not end well, for each of what differs in these labels: zero if all did; `None` if nothing says how it ended.
pub(crate) fn error_ratio(work: &Work<'_>, scope: &Scope<'_>, by: &[&str]) -> Option<String> {
    let counted = work.counted();
    let all = sum_by(by, &scope.rate(&counted, ""));
    let mut failed: Vec<String> =
        work.failed().iter().map(|matcher| sum_by(by, &scope.rate(&counted, matcher))).collect();
    if failed.is_empty() {
        return None;
    }
    failed.push(format!("0 * {all}"));
    Some(format!("({}) / {all}", failed.join(" or ")))
}
