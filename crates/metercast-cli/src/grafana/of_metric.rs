//! The panels of a metric, by what its values mean.

use crate::exported::{Kind, Label, Metric, Values};
use crate::query::{Scope, sum_by};

use super::panel::{Panel, Target, View};
use super::unit::Unit;

/// What the variables of the dashboard leave.
pub(super) const SCOPE: Scope<'static> =
    Scope { of: "job=~\"$job\", instance=~\"$instance\"", window: "$__rate_interval" };

/// So many quantiles are shown, with what they are called.
pub(super) const QUANTILES: [(f64, &str); 3] = [(0.5, "p50"), (0.95, "p95"), (0.99, "p99")];

/// By so many labels at most a panel tells series apart: more are more lines than anybody can read.
const LABELS: usize = 3;

/// So many lines are shown of a metric whose labels nobody knows before it runs.
const UNKNOWN: usize = 20;

/// A third of the width, and half of it.
pub(super) const THIRD: u32 = 8;
pub(super) const HALF: u32 = 12;

/// Labels that say the same of most series, and are summed over.
const CONSTANT: [&str; 7] = [
    "network_protocol_version",
    "server_address",
    "server_port",
    "url_scheme",
    "otel_component_type",
    "otel_scope_name",
    "otel_scope_version",
];

/// All panels of it.
pub(super) fn panels(metric: &Metric) -> Vec<Panel> {
    let unit = Unit::of(metric);
    let name = &*metric.prometheus;
    let panel = |title: String, view, unit, width, targets| Panel {
        title,
        description: description(metric),
        view,
        unit,
        width,
        targets,
    };
    if metric.is_info() {
        let target = Target::new(SCOPE.series(name, ""), "");
        return vec![panel(name.to_owned(), View::Table, unit.value, 24, vec![target])];
    }
    match metric.kind {
        Kind::Counter => {
            let target = summed(metric, &SCOPE.rate(name, ""));
            vec![panel(format!("{name} per second"), View::Lines, unit.rate, THIRD, vec![target])]
        }
        Kind::UpDownCounter => {
            let target = summed(metric, &SCOPE.series(name, ""));
            vec![panel(name.to_owned(), View::Lines, unit.value, THIRD, vec![target])]
        }
        Kind::Histogram => {
            let lines = quantiles(metric, "");
            let mut cells = Target::new(
                sum_by(
                    &["le"],
                    &format!("increase({}[{}])", SCOPE.series(&format!("{name}_bucket"), ""), SCOPE.window),
                ),
                "{{le}}",
            );
            cells.has_exemplars = true;
            vec![
                panel(format!("{name} quantiles"), View::Lines, unit.value, HALF, lines),
                panel(format!("{name} heatmap"), View::Heatmap, unit.value, HALF, vec![cells]),
            ]
        }
        Kind::Summary => {
            let target = Target::new(
                SCOPE.series(name, "quantile=~\".+\""),
                legend_of_instance(metric, "{{quantile}}"),
            );
            vec![panel(format!("{name} quantiles"), View::Lines, unit.value, THIRD, vec![target])]
        }
        Kind::Gauge | Kind::Unknown if is_time_of_day(metric) => {
            let expression = format!("time() - ({} > 0)", SCOPE.series(name, ""));
            let target = Target::new(expression, legend_of_instance(metric, ""));
            vec![panel(format!("time since {name}"), View::Lines, "s", THIRD, vec![target])]
        }
        Kind::Gauge | Kind::Unknown => {
            let target = Target::new(SCOPE.series(name, ""), legend_of_instance(metric, ""));
            vec![panel(name.to_owned(), View::Lines, unit.value, THIRD, vec![target])]
        }
    }
}

/// Three quantiles of a histogram, and what stands before their names.
pub(super) fn quantiles(metric: &Metric, before: &str) -> Vec<Target> {
    let target = |(quantile, name): (f64, &str)| {
        let legend = if before.is_empty() { name.to_owned() } else { format!("{before} {name}") };
        let mut target = Target::new(SCOPE.quantile(&metric.prometheus, quantile, &[]), legend);
        target.has_exemplars = true;
        target
    };
    QUANTILES.into_iter().map(target).collect()
}

/// What it measures, and what was summed over.
fn description(metric: &Metric) -> String {
    let mut text = metric.description.trim().to_owned();
    let shown = labels(metric);
    let hidden: Vec<&str> =
        metric.labels.iter().map(|label| &*label.prometheus).filter(|label| !shown.contains(label)).collect();
    let is_summed = matches!(metric.kind, Kind::Counter | Kind::UpDownCounter);
    if is_summed && !hidden.is_empty() {
        let and = if text.is_empty() { "" } else { "\n\n" };
        text = format!("{text}{and}Summed over {}.", hidden.join(", "));
    }
    text
}

/// The sum for each of what its labels tell apart, without who was scraped.
fn summed(metric: &Metric, of: &str) -> Target {
    if is_unknown(metric) {
        // Grafana writes what differs.
        return Target::new(format!("topk({UNKNOWN}, sum without (instance) ({of}))"), "__auto");
    }
    let labels = labels(metric);
    let legend = if labels.is_empty() { metric.prometheus.clone() } else { legend(&labels) };
    Target::new(sum_by(&labels, of), legend)
}

fn legend_of_instance(metric: &Metric, after: &str) -> String {
    if is_unknown(metric) {
        return if after.is_empty() { "__auto".to_owned() } else { format!("{{{{instance}}}} {after}") };
    }
    let all: Vec<&str> = ["instance"].into_iter().chain(labels(metric)).collect();
    format!("{} {after}", legend(&all)).trim_end().to_owned()
}

fn legend(labels: &[&str]) -> String {
    labels.iter().map(|label| format!("{{{{{label}}}}}")).collect::<Vec<_>>().join(" ")
}

/// Whether nothing is known of its labels.
fn is_unknown(metric: &Metric) -> bool {
    metric.open_labels && metric.labels.is_empty()
}

/// The labels that tell series apart in a panel: those with few values first, but in the order of the program.
fn labels(metric: &Metric) -> Vec<&str> {
    let rank = |label: &Label| match label.values {
        Values::OneOf { .. } => 0,
        Values::Whole(_) => 1,
        Values::Other(_) => 2,
    };
    let name = |label: &Label| label.prometheus.replace('.', "_");
    let mut all: Vec<(usize, &Label)> =
        metric.labels.iter().filter(|label| !CONSTANT.contains(&&*name(label))).enumerate().collect();
    all.sort_by_key(|(at, label)| (rank(label), *at));
    all.truncate(LABELS);
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, label)| &*label.prometheus).collect()
}

/// Whether its value is a moment, in seconds since 1970.
fn is_time_of_day(metric: &Metric) -> bool {
    let words = metric.words();
    let has = |pair: [&str; 2]| words.windows(2).any(|found| found == pair);
    words.iter().any(|word| word == "timestamp") || has(["start", "time"]) || has(["last", "success"])
}
