//! What is recorded of the requests that a program answers, and when somebody is told.

use serde_json::Value as Json;

use crate::exported::Metric;
use crate::query::{Scope, sum_by};
use crate::signals::{Work, durations, error_ratio, in_a_second, work};

use super::options::Limits;
use super::rule::{Alert, Group, Severity, record};

/// The rules; `None` for a program that answers nobody.
pub(super) fn group(program: &str, metrics: &[Metric], scope: &Scope<'_>, limits: &Limits) -> Option<Group> {
    let mut rules = Vec::new();
    for work in work(metrics).iter().filter(|work| work.is_requests()) {
        rules.extend(rate_and_errors(work, scope, limits));
    }
    for metric in durations(metrics) {
        let work = Work { metric };
        if work.is_requests() {
            rules.extend(duration(&work, scope, limits));
        }
    }
    (!rules.is_empty()).then(|| Group { name: format!("{program}-requests"), rules })
}

fn rate_and_errors(work: &Work<'_>, scope: &Scope<'_>, limits: &Limits) -> Vec<Json> {
    let name = recorded(work);
    let mut rules =
        vec![record(&format!("job:{name}:rate5m"), &sum_by(&["job"], &scope.rate(&work.counted(), "")))];
    if let Some(ratio) = error_ratio(work, scope, &["job"]) {
        let recorded = format!("job:{name}_errors:ratio_rate5m");
        rules.push(record(&recorded, &ratio));
        rules.push(
            Alert {
                name: &format!("{}Errors", camel(&work.title())),
                expression: &format!("{} > {}", scope.series(&recorded, ""), limits.errors / 100.0),
                lasts: "10m",
                severity: Severity::Page,
                summary: "{{ $labels.job }} answers {{ $value | humanizePercentage }} of its requests with an error",
                description: "So many requests of the last 5 minutes failed, for 10 minutes now.",
            }
            .json(),
        );
    }
    rules
}

fn duration(work: &Work<'_>, scope: &Scope<'_>, limits: &Limits) -> Vec<Json> {
    let name = format!("job:{}_duration:p99_rate5m", recorded(work));
    // What is said in seconds, in the unit of the metric.
    let limit = limits.slow * in_a_second(work.metric).unwrap_or(1.0);
    let alert = Alert {
        name: &format!("{}Slow", camel(&work.title())),
        expression: &format!("{} > {limit}", scope.series(&name, "")),
        lasts: "10m",
        severity: Severity::Ticket,
        summary: "{{ $labels.job }} is slow",
        description: "One request in 100 of the last 5 minutes takes longer than it may, for 10 minutes now.",
    };
    vec![record(&name, &scope.quantile(&work.metric.prometheus, 0.99, &["job"])), alert.json()]
}

/// Its name in that of a recording, which has letters, digits and underscores in every version of Prometheus.
fn recorded(work: &Work<'_>) -> String {
    work.title().replace(|c: char| !c.is_ascii_alphanumeric(), "_")
}

fn camel(title: &str) -> String {
    let words = title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}
