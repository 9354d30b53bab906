//! `/live/api/metrics/{name}`: one metric, or those of its series that are asked for.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use metercast_core::reading::{FamilyView, SeriesView, ValueView};
use metercast_core::{Definition, Kind};

use super::metrics::{put_metric, put_totals, totals, values};
use crate::live::Live;
use crate::live::history::{self, Amount, Name, SECONDS, STEPS, amount_of, is_counted};
use crate::live::json::{Json, Number};
use crate::live::selected::{Selected, spelled};
use crate::view::Total;

/// Values of a label that are told.
const VALUES: usize = 50;

/// Series that are told.
const SERIES: usize = 100;

/// The document, or that there is no such metric.
pub(super) fn one(live: &Live, key: &Name, selected: &Selected, steps: bool) -> Result<Vec<u8>, String> {
    let found = live.store().read(|reading| {
        let family = reading.families().find(|family| history::name(family.definition()) == *key);
        family.map(|family| Found::of(&family, selected))
    });
    let mut state = live.0.state();
    let history = &mut state.history;
    if !selected.is_all() {
        history.follow(key, selected);
    }
    let (Some(found), Some(metric)) = (found, history.metrics.get(key)) else {
        let name = &key.0;
        return Err(format!(
            "there is no metric {name:?} (yet); /live/api/metrics has those that there are\n"
        ));
    };
    let kind = metric.definition.kind();
    let shown = if selected.is_all() { Some(metric) } else { history.followed(key, selected) };
    let values = shown.map(|shown| match steps {
        true => history.steps(shown, STEPS),
        false => history.seconds(shown, SECONDS),
    });
    Ok(Json::document(|json| {
        json.key("time").time(history.time());
        json.key("metric").object(|json| put_metric(json, key, metric));
        json.key("measurements").list(|json| found.put_measurements(json, kind));
        json.key("available_labels").list(|json| found.put_labels(json));
        json.key("series_count").whole(found.amount.series);
        json.key("series").list(|json| found.put_series(json, &metric.definition));
        let Some(values) = values else { return json.key("history").null() };
        json.key("history").object(|json| {
            json.key("step").whole(values.step);
            json.key("until").time(Some(values.until));
            json.key("lines").object(|json| {
                for (name, values) in &values.lines {
                    json.key(name).list(|json| values.iter().for_each(|value| json.rounded(*value)));
                }
            });
        });
    }))
}

/// What the store has of the series that are asked for.
struct Found {
    amount: Amount,
    /// Of each label, how many series have each value.
    labels: BTreeMap<String, HashMap<String, u64>>,
    largest: Vec<Told>,
}

/// A series that is told.
struct Told {
    labels: Vec<(String, String)>,
    /// The same as a program writes them.
    written: String,
    started: std::time::SystemTime,
    amount: f64,
    values: Vec<(&'static str, Number)>,
}

impl Found {
    fn of(family: &FamilyView<'_>, selected: &Selected) -> Found {
        let kind = family.definition().kind();
        let mut labels: BTreeMap<String, HashMap<String, u64>> = BTreeMap::new();
        let mut largest: Vec<Told> = Vec::new();
        let amount = Amount::of(family, |labels| selected.takes(labels));
        family.each(|series| {
            if !selected.takes(series.labels) {
                return;
            }
            for (key, value) in series.labels.keys().zip(series.labels.values()) {
                if let Some(value) = spelled(value) {
                    *labels.entry(key.to_owned()).or_default().entry(value).or_default() += 1;
                }
            }
            let amount = amount_of(&series.value);
            let is_large = |least: &Told| amount > least.amount;
            if largest.len() < SERIES || is_large(&largest[SERIES - 1]) {
                largest.push(Told::of(series, kind, amount));
            }
            // Now and then, so that each series costs little.
            if largest.len() > 4 * SERIES {
                cut(&mut largest);
            }
        });
        cut(&mut largest);
        Found { amount, labels, largest }
    }

    fn put_measurements(&self, json: &mut Json, kind: Kind) {
        let mut measured = values(kind, self.amount.total.as_ref());
        if let Some((least, most)) = self.amount.range.filter(|_| self.amount.series > 1) {
            measured.extend([("min", Number::F64(least)), ("max", Number::F64(most))]);
        }
        let mut put = |name: &str, value: Number| {
            json.object(|json| {
                json.key("statistic").text(name);
                json.key("value").number(value);
            });
        };
        measured.iter().for_each(|(name, value)| put(name, *value));
        if kind == Kind::Histogram {
            self.amount.quantiles().for_each(|(name, q)| put(name, Number::F64(q.unwrap_or(f64::NAN))));
        }
    }

    fn put_labels(&self, json: &mut Json) {
        for (key, values) in &self.labels {
            let mut by_series: Vec<_> = values.iter().collect();
            by_series.sort_by(|(a, most), (b, more)| more.cmp(most).then(a.cmp(b)));
            json.object(|json| {
                json.key("key").text(key);
                json.key("count").whole(values.len());
                json.key("values").list(|json| {
                    for (value, series) in by_series.iter().take(VALUES) {
                        json.object(|json| {
                            json.key("value").text(value);
                            json.key("series").whole(**series);
                        });
                    }
                });
            });
        }
    }

    fn put_series(&self, json: &mut Json, definition: &Definition) {
        for told in &self.largest {
            json.object(|json| {
                let labels = told.labels.iter().map(|(key, value)| (&**key, value.clone()));
                super::put_texts(json.key("labels"), labels);
                json.key("started").time(Some(told.started));
                json.key("assertion").text(&told.assertion(definition));
                put_totals(json, &told.values);
            });
        }
    }
}

impl Told {
    fn of(series: &SeriesView<'_>, kind: Kind, amount: f64) -> Told {
        let labels = || series.labels.keys().zip(series.labels.values());
        let written = labels().map(|(key, value)| written(key, value)).collect();
        let total = Total::of(&series.value);
        Told {
            labels: labels().filter_map(|(key, value)| Some((key.to_owned(), spelled(value)?))).collect(),
            written,
            started: series.started(),
            amount,
            values: if is_counted(kind) { totals(total.as_ref()) } else { values(kind, total.as_ref()) },
        }
    }

    /// What a test says of a series that is as this one is now: its value, or how many values it has.
    fn assertion(&self, definition: &Definition) -> String {
        let what = match definition.kind() {
            Kind::Counter => "counter",
            Kind::UpDownCounter => "up_down_counter",
            Kind::Histogram | Kind::Summary => "histogram_count",
            _ => "gauge",
        };
        let value = match self.values.first() {
            Some((_, Number::U64(value))) => value.to_string(),
            Some((_, Number::I64(value))) => value.to_string(),
            Some((_, Number::F64(value))) => format!("{value:?}"),
            None => "0".to_owned(),
        };
        format!("metercast::assert_{what}!({:?}, {value}{});", definition.name(), self.written)
    }
}

/// Leaves the largest, those with equal amounts by their labels.
fn cut(told: &mut Vec<Told>) {
    told.sort_by(|a, b| {
        b.amount.partial_cmp(&a.amount).unwrap_or(Ordering::Equal).then_with(|| a.labels.cmp(&b.labels))
    });
    told.truncate(SERIES);
}

/// A label as it stands at a call site, with the comma before it; nothing where the series does not have it.
fn written(key: &str, value: ValueView<'_>) -> String {
    let literal = match value {
        ValueView::Bool(truth) => truth.to_string(),
        ValueView::I64(number) => number.to_string(),
        ValueView::U64(number) => format!("{number}u64"),
        ValueView::F64(number) => format!("{number:?}"),
        text => match spelled(text) {
            Some(text) => format!("{text:?}"),
            None => return String::new(),
        },
    };
    format!(", {key:?} => {literal}")
}
