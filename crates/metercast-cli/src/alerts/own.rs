//! What every program should alert on: that it is there, that it stays, and that its metrics arrive.

use serde_json::Value as Json;

use crate::exported::Metric;
use crate::query::{Scope, label_name};
use crate::signals::work;

use super::rule::{Alert, Group, Severity};

/// The rules; those only for which the program has the metrics.
pub(super) fn group(program: &str, metrics: &[Metric], scope: &Scope<'_>) -> Group {
    let rules = [
        Some(gone(scope)),
        restarts(metrics, scope),
        exporter(metrics, scope),
        overflow(metrics, scope),
        limit(metrics, scope),
        dropped(metrics, scope),
        reload(metrics, scope),
    ];
    Group { name: format!("{program}-telemetry"), rules: rules.into_iter().flatten().collect() }
}

fn find<'a>(metrics: &'a [Metric], name: &str) -> Option<&'a Metric> {
    metrics.iter().find(|metric| metric.name == name)
}

/// The label of an exporter's own metrics that says which one it is.
fn component(metric: &Metric) -> String {
    metric.labels.first().map_or_else(String::new, |label| format!(", {}", label_name(&label.prometheus)))
}

fn gone(scope: &Scope<'_>) -> Json {
    Alert {
        name: "TargetDown",
        expression: &format!("{} == 0", scope.series("up", "")),
        lasts: "5m",
        severity: Severity::Page,
        summary: "{{ $labels.job }} on {{ $labels.instance }} cannot be scraped",
        description: "It has ended, does not answer in time, or its page is elsewhere; the targets of Prometheus have the error. A program \
                      that only pushes has no target, and this never fires.",
    }
    .json()
}

/// By the time of its start where it says so, else by a count that begins at zero again.
fn restarts(metrics: &[Metric], scope: &Scope<'_>) -> Option<Json> {
    let start = ["process_start_time_seconds", "process.start_time"];
    let start = start.iter().find_map(|name| find(metrics, name));
    let of = |name: &str, function: &str| format!("{function}({}[15m])", scope.series(name, ""));
    let expression = match start {
        Some(start) => of(&start.prometheus, "changes"),
        None => of(&work(metrics).first()?.counted(), "resets"),
    };
    Some(
        Alert {
            name: "RestartLoop",
            expression: &format!("max by (job, instance) ({expression}) > 2"),
            lasts: "1m",
            severity: Severity::Page,
            summary: "{{ $labels.job }} on {{ $labels.instance }} has restarted {{ $value }} times in 15 minutes",
            description: "Its log says why it ends; in a cluster, `kubectl describe pod` has the last exit code.",
        }
        .json(),
    )
}

fn exporter(metrics: &[Metric], scope: &Scope<'_>) -> Option<Json> {
    let metric = find(metrics, "metercast.exporter.failures")?;
    let failed = format!("increase({}[10m])", scope.series(&metric.prometheus, ""));
    Some(
        Alert {
            name: "MetricsExporterFailing",
            expression: &format!("sum by (job, instance{}) ({failed}) > 0", component(metric)),
            lasts: "10m",
            severity: Severity::Ticket,
            summary: "{{ $labels.job }} on {{ $labels.instance }} cannot hand over its metrics",
            description: "The receiver refuses them or is away. The program's log, and its live page, have the last error and how to mend it.",
        }
        .json(),
    )
}

fn overflow(metrics: &[Metric], scope: &Scope<'_>) -> Option<Json> {
    let metric = find(metrics, "metercast.exporter.series.overflowed")?;
    Some(
        Alert {
            name: "MetricsSeriesOverflow",
            expression: &format!("max by (job, instance, metric) ({}) > 0", scope.series(&metric.prometheus, "")),
            lasts: "5m",
            severity: Severity::Ticket,
            summary: "{{ $labels.job }} on {{ $labels.instance }} has more series of {{ $labels.metric }} than an exporter lets out",
            description: "A label has values without bound, or the limit of the exporter is too low.",
        }
        .json(),
    )
}

/// What was reached stays reached until it starts again.
fn limit(metrics: &[Metric], scope: &Scope<'_>) -> Option<Json> {
    let metric = find(metrics, "metercast.series.limits_reached")?;
    Some(
        Alert {
            name: "MetricsSeriesLimit",
            expression: &format!("max by (job, instance, metric) ({}) > 0", scope.series(&metric.prometheus, "")),
            lasts: "5m",
            severity: Severity::Ticket,
            summary: "{{ $labels.job }} on {{ $labels.instance }} keeps no new series of {{ $labels.metric }}",
            description: "A label has values without bound, or the limit of the metric is too low; what is new is counted together until the \
                          program starts again.",
        }
        .json(),
    )
}

fn dropped(metrics: &[Metric], scope: &Scope<'_>) -> Option<Json> {
    let metric = find(metrics, "metercast.recordings.dropped")?;
    let dropped = format!("increase({}[10m])", scope.series(&metric.prometheus, ""));
    Some(
        Alert {
            name: "MetricsRecordingsDropped",
            expression: &format!("sum by (job, instance, reason) ({dropped}) > 0"),
            lasts: "10m",
            severity: Severity::Ticket,
            summary: "{{ $labels.job }} on {{ $labels.instance }} records what cannot be kept: {{ $labels.reason }}",
            description: "The program's log names the metric.",
        }
        .json(),
    )
}

fn reload(metrics: &[Metric], scope: &Scope<'_>) -> Option<Json> {
    let metric = find(metrics, "metercast.config.last_reload_successful")?;
    Some(
        Alert {
            name: "ConfigurationReloadRefused",
            expression: &format!("max by (job, instance) ({}) == 0", scope.series(&metric.prometheus, "")),
            lasts: "5m",
            severity: Severity::Ticket,
            summary: "{{ $labels.job }} on {{ $labels.instance }} has refused its new configuration",
            description: "It goes on with the old one. Its log says what is wrong and where.",
        }
        .json(),
    )
}
