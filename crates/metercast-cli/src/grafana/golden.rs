//! The first row: what the program does, how much of it fails, how long it takes, and how full it is.

use crate::exported::{Kind, Metric};
use crate::query::sum_by;
use crate::signals::{Work, durations, error_ratio, failures, fullness, shares, work};

use super::layout::Row;
use super::of_metric::{HALF, SCOPE, THIRD, quantiles};
use super::panel::{Panel, Target, View};
use super::unit::Unit;

/// So many kinds of work are shown.
const WORK: usize = 4;

/// So many histograms, with three quantiles each.
const DURATIONS: usize = 2;

/// So many lines of what fails or is full.
const LINES: usize = 12;

/// The row; `None` for a program that has nothing of it.
pub(super) fn row(metrics: &[Metric]) -> Option<Row> {
    let mut work = work(metrics);
    work.truncate(WORK);
    let panels: Vec<Panel> =
        [rate(&work), errors(&work), duration(metrics), failing(metrics), full(metrics), used(metrics)]
            .into_iter()
            .flatten()
            .collect();
    (!panels.is_empty()).then(|| Row { title: "Golden signals".to_owned(), is_collapsed: false, panels })
}

fn panel(
    title: &str,
    description: &str,
    unit: &'static str,
    width: u32,
    targets: Vec<Target>,
) -> Option<Panel> {
    if targets.is_empty() {
        return None;
    }
    let (title, description) = (title.to_owned(), description.to_owned());
    Some(Panel { title, description, view: View::Lines, unit, width, targets })
}

fn rate(work: &[Work<'_>]) -> Option<Panel> {
    let target = |work: &Work<'_>| Target::new(sum_by(&[], &SCOPE.rate(&work.counted(), "")), work.title());
    let is_requests = work.iter().all(Work::is_requests);
    let unit = if is_requests { "reqps" } else { "cps" };
    panel("Rate", "What the program does in a second.", unit, THIRD, work.iter().map(target).collect())
}

/// Zero where nothing failed, nothing where nothing was done.
fn errors(work: &[Work<'_>]) -> Option<Panel> {
    let target = |work: &Work<'_>| {
        let failed = error_ratio(work, &SCOPE, &[]);
        Some(Target::new(failed?, work.title()))
    };
    let what = "The part of it that did not end well: answers of 500 and above, and whatever else failed.";
    panel("Errors", what, "percentunit", THIRD, work.iter().filter_map(target).collect())
}

fn duration(metrics: &[Metric]) -> Option<Panel> {
    let all = durations(metrics);
    let first = *all.first()?;
    // One axis has one unit.
    let unit = Unit::of(first);
    let alike: Vec<&Metric> =
        all.into_iter().filter(|metric| Unit::of(metric) == unit).take(DURATIONS).collect();
    let before = |metric: &Metric| if alike.len() > 1 { Work { metric }.title() } else { String::new() };
    let targets = alike.iter().flat_map(|metric| quantiles(metric, &before(metric))).collect();
    panel(
        "Duration",
        "How long it takes: the median, and what one in 20 and one in 100 exceeds.",
        unit.value,
        THIRD,
        targets,
    )
}

fn failing(metrics: &[Metric]) -> Option<Panel> {
    let target = |metric: &Metric| {
        Target::new(sum_by(&[], &SCOPE.rate(&metric.prometheus, "")), metric.prometheus.clone())
    };
    let targets = failures(metrics).into_iter().take(LINES).map(target).collect();
    panel("Failures", "What counts that something should not have been, in a second.", "cps", HALF, targets)
}

fn full(metrics: &[Metric]) -> Option<Panel> {
    let target = |metric: &Metric| {
        let expression = sum_by(&[], &SCOPE.series(&metric.prometheus, ""));
        Target::new(expression, metric.prometheus.clone())
    };
    let is_count = |metric: &&Metric| Unit::of(metric).value == "short";
    let targets = fullness(metrics).into_iter().filter(is_count).take(LINES).map(target).collect();
    panel("Saturation", "What is in use, or waits.", "short", HALF, targets)
}

fn used(metrics: &[Metric]) -> Option<Panel> {
    let target = |(used, most): (&Metric, &Metric)| {
        let sum = |metric: &Metric| sum_by(&[], &SCOPE.series(&metric.prometheus, ""));
        Target::new(format!("{} / {}", sum(used), sum(most)), used.prometheus.clone())
    };
    let is_number =
        |(used, most): &(&Metric, &Metric)| used.kind != Kind::Counter && most.kind != Kind::Counter;
    let targets = shares(metrics).into_iter().filter(is_number).take(LINES).map(target).collect();
    panel("Used", "What is in use, of what there may be.", "percentunit", HALF, targets)
}
