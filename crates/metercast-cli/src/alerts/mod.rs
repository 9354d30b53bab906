//! `metercast alerts`: recording and alert rules of Prometheus for a program, made from the program.

mod options;
mod own;
mod requests;
mod rule;
mod slo;

use serde_json::{Value as Json, json};

use crate::exported::Metric;
use crate::names::names;
use crate::query::{Scope, literally, text};
use crate::terminal::{Answer, data};

pub(crate) use options::{Limits, Options};

/// Prints the rules.
pub(crate) fn run(options: &Options) -> Answer {
    let metrics = options.program.metrics()?;
    let jobs = if options.jobs.is_empty() { vec![options.program.name()] } else { options.jobs.clone() };
    let mut groups = groups(&jobs.join("-"), &metrics, &jobs, &options.limits);
    if let Some(file) = &options.slo {
        let objectives = slo::groups(file)?;
        known(&objectives, &metrics, &options.allowed)
            .map_err(|trouble| format!("{}: {trouble}", file.display()))?;
        groups.extend(objectives);
    }
    let rules = json!({ "groups": groups });
    data(serde_saphyr::to_string(&rules).map_err(|error| error.to_string())?)?;
    Ok(true)
}

/// What every program is watched by.
pub(crate) fn groups(program: &str, metrics: &[Metric], jobs: &[String], limits: &Limits) -> Vec<Json> {
    let of = match jobs {
        [job] => format!("job={}", text(job)),
        jobs => {
            let jobs: Vec<String> = jobs.iter().map(|job| literally(job)).collect();
            format!("job=~{}", text(&jobs.join("|")))
        }
    };
    let scope = Scope { of: &of, window: "5m" };
    let groups =
        [Some(own::group(program, metrics, &scope)), requests::group(program, metrics, &scope, limits)];
    groups.into_iter().flatten().map(|group| group.json()).collect()
}

/// What objectives ask for is there.
fn known(groups: &[Json], metrics: &[Metric], allowed: &[String]) -> Result<(), String> {
    let rules = groups.iter().filter_map(|group| group["rules"].as_array()).flatten();
    for name in rules.filter_map(|rule| rule["expr"].as_str()).flat_map(names) {
        let of_metric = |metric: &Metric| {
            let rest = name.strip_prefix(&*metric.prometheus);
            rest.is_some_and(|rest| ["", "_bucket", "_count", "_sum"].contains(&rest))
        };
        let is_recorded = name.contains(':');
        if !is_recorded && !allowed.contains(&name) && !metrics.iter().any(of_metric) {
            return Err(format!(
                "the program has no metric {name}; `metercast docs` says what it has, and --allow {name} that it is of another"
            ));
        }
    }
    Ok(())
}
