//! `/live/api/metrics`: every metric with what it is at now.

use metercast_core::{Definition, Kind, Visibility};

use crate::export::prometheus::{PageOptions, complete, name_of};
use crate::export::stdout::json::kind;
use crate::live::Live;
use crate::live::history::{BYTES, History, LINES, Metric, Name, Now, is_counted, lines_of};
use crate::live::json::{Json, Number};
use crate::view::Total;

/// The document.
pub(super) fn all(live: &Live) -> Vec<u8> {
    let state = live.0.state();
    Json::document(|json| put_overview(json, &state.history))
}

/// All there is to say of everything.
pub(in crate::live) fn put_overview(json: &mut Json, history: &History) {
    json.key("time").time(history.time());
    let (lines, limit, left_out) = history.lines();
    json.key("history").object(|json| {
        json.key("since").time(history.since());
        json.key("lines").whole(lines);
        json.key("limit").whole(limit);
        json.key("left_out").whole(left_out);
        json.key("bytes").whole(lines * BYTES);
    });
    json.key("series").whole(history.series);
    json.key("metrics").list(|json| {
        for (name, metric) in history.present() {
            json.object(|json| put_metric(json, name, metric));
        }
    });
}

/// All there is to say of a metric.
pub(in crate::live) fn put_metric(json: &mut Json, (name, scope): &Name, metric: &Metric) {
    let definition = &metric.definition;
    json.key("name").text(name);
    json.key("scope").text(scope);
    json.key("kind").text(kind(definition.kind()));
    json.key("unit").text(definition.unit());
    json.key("description").text(definition.description());
    let place = definition.place();
    json.key("place").text(&format!("{}:{}", place.file, place.line));
    json.key("visibility").text(visibility(definition.visibility()));
    json.key("prometheus").text(&prometheus_name(definition));
    put_shown(json, definition.kind(), &Shown::of(metric));
}

/// What changes of a metric from one second to the next.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::live) struct Shown {
    series: u64,
    limit: u32,
    total: Vec<(&'static str, Number)>,
    now: Now,
    range: Option<(f64, f64)>,
}

impl Shown {
    pub(in crate::live) fn of(metric: &Metric) -> Shown {
        let kind = metric.definition.kind();
        let amount = &metric.amount;
        let has_range = kind == Kind::Gauge && amount.series > 1;
        Shown {
            series: amount.series,
            limit: metric.limit,
            total: if kind == Kind::Gauge { Vec::new() } else { totals(amount.total.as_ref()) },
            now: metric.now,
            range: amount.range.filter(|_| has_range),
        }
    }
}

pub(in crate::live) fn put_shown(json: &mut Json, kind: Kind, shown: &Shown) {
    json.key("series").whole(shown.series);
    json.key("limit").whole(shown.limit);
    json.key("total").object(|json| put_totals(json, &shown.total));
    json.key("now").object(|json| {
        for (place, name) in LINES.iter().enumerate() {
            let value = shown.now.0[place];
            if lines_of(kind).contains(&place) || value.is_some() {
                json.key(name).maybe(value);
            }
        }
        if let Some((least, most)) = shown.range {
            json.key("min").double(least);
            json.key("max").double(most);
        }
    });
}

pub(super) fn put_totals(json: &mut Json, totals: &[(&'static str, Number)]) {
    for (name, number) in totals {
        json.key(name).number(*number);
    }
}

/// What has come together: `sum`, or `count` and `sum`.
pub(super) fn totals(total: Option<&Total>) -> Vec<(&'static str, Number)> {
    let of_distribution =
        |count: u64, sum: f64| vec![("count", Number::U64(count)), ("sum", Number::F64(sum))];
    match total {
        None => Vec::new(),
        Some(Total::U64(sum)) => vec![("sum", Number::U64(*sum))],
        Some(Total::I64(sum)) => vec![("sum", Number::I64(*sum))],
        Some(Total::F64(sum)) => vec![("sum", Number::F64(*sum))],
        Some(Total::Histogram { counts, sum, .. }) => of_distribution(counts.iter().sum(), *sum),
        Some(Total::Exponential(exponential)) => of_distribution(exponential.count(), exponential.sum),
        Some(Total::Summary { count, sum, .. }) => of_distribution(*count, *sum),
    }
}

/// The same under the names that a series has: what is no sum is a value.
pub(super) fn values(kind: Kind, total: Option<&Total>) -> Vec<(&'static str, Number)> {
    let mut totals = totals(total);
    if !is_counted(kind) {
        totals.iter_mut().for_each(|(name, _)| *name = "value");
    }
    totals
}

pub(super) fn visibility(visibility: Visibility) -> &'static str {
    if visibility == Visibility::Private { "private" } else { "public" }
}

/// What the metric is called on a page that nobody has configured otherwise.
fn prometheus_name(definition: &Definition) -> String {
    let options = PageOptions::new();
    if definition.prometheus_type().is_some() {
        complete(definition.name(), &options)
    } else {
        name_of(definition.name(), definition.kind(), definition.unit(), &options)
    }
}
