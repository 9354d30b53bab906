//! What assertions find in a store, and what they say if that is not what they expect.

use std::fmt::{self, Write};

use metercast_core::{Kind, LabelSet, Store};

use super::escapes::{self, Scope};
use super::expected::{Amount, Expected};
use super::labels::Labels;
use crate::PageOptions;
use crate::export::prometheus::name_of;
use crate::snapshot::{Family, Point, Snapshot};
use crate::view::Glob;

/// What of a metric is asserted.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Counter,
    UpDownCounter,
    Gauge,
    HistogramSum,
    HistogramCount,
}

/// What a store held at a moment, for assertions of what came since; made by [`mark`].
#[derive(Clone, Debug)]
pub struct Mark {
    /// The number of the store.
    store: u64,
    snapshot: Snapshot,
}

/// Remembers what the current store holds, so that an assertion can tell what came since.
///
/// ```
/// use metercast::{assert_counter, testing, u64_counter};
///
/// let _metrics = testing::scope();
/// let place = || u64_counter!("orders.placed", "Orders accepted", 1);
/// place();
/// let before = testing::mark();
/// place();
/// place();
/// assert_counter!(since before, "orders.placed", 2);
/// ```
pub fn mark() -> Mark {
    Mark { store: Store::current_id(), snapshot: Snapshot::of(&Store::current()) }
}

impl What {
    fn fits(self, kind: Kind) -> bool {
        match self {
            What::Counter => matches!(kind, Kind::Counter | Kind::UpDownCounter),
            What::UpDownCounter => kind == Kind::UpDownCounter,
            What::Gauge => kind == Kind::Gauge,
            What::HistogramSum | What::HistogramCount => matches!(kind, Kind::Histogram | Kind::Summary),
        }
    }

    fn of(self, point: &Point) -> Option<Amount> {
        let (count, sum) = match point {
            Point::U64(value) => return Some((*value).into()),
            Point::I64(value) => return Some((*value).into()),
            Point::F64(value) => return Some((*value).into()),
            Point::Histogram(buckets) => (buckets.count(), buckets.sum),
            Point::Exponential(exponential) => (exponential.count(), exponential.sum),
            Point::Summary(summary) => (summary.count, summary.sum),
            _ => return None,
        };
        Some(if self == What::HistogramSum { sum.into() } else { count.into() })
    }

    /// The assertion that fits a metric of this kind.
    fn assertion(kind: Kind) -> &'static str {
        match kind {
            Kind::Counter => "assert_counter!",
            Kind::UpDownCounter => "assert_up_down_counter!",
            Kind::Gauge => "assert_gauge!",
            _ => "assert_histogram_sum! or assert_histogram_count!",
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            What::Counter => "counter",
            What::UpDownCounter => "up-down counter",
            What::Gauge => "gauge",
            What::HistogramSum => "sum of histogram",
            What::HistogramCount => "count of histogram",
        })
    }
}

/// What an assertion is about.
struct Sought<'a> {
    what: What,
    name: &'a str,
    labels: &'a Labels,
}

/// What `assert_counter!` and its siblings call.
#[doc(hidden)]
#[track_caller]
pub fn check_value(what: What, name: &str, expected: Expected, labels: &Labels, mark: Option<&Mark>) {
    let (snapshot, sought) = (Snapshot::of(&Store::current()), Sought { what, name, labels });
    check_denied();
    if mark.is_some_and(|mark| mark.store != Store::current_id()) {
        panic!(
            "{what} {name}{labels} is asserted since a mark of another store: call mark() in the scope of the assertion"
        );
    }
    let found = sought.values(&snapshot);
    let added = (what != What::Gauge || found.len() < 2).then(|| {
        let total = found.iter().copied().reduce(Amount::plus);
        let before = mark.and_then(|mark| sought.values(&mark.snapshot).into_iter().reduce(Amount::plus));
        match (total, before) {
            (Some(total), Some(before)) => Some(total.minus(before)),
            (total, _) => total,
        }
    });
    if added.flatten().is_some_and(|value| expected.is(value)) {
        return;
    }
    let mut said = format!("expected {what} {name}{labels} {expected}");
    if mark.is_some() {
        said += " since the mark";
    }
    match added {
        None => _ = write!(said, ", but {} match, and gauges cannot be added up", found.len()),
        Some(Some(value)) if found.len() > 1 => _ = write!(said, ", found {value} in {} series", found.len()),
        Some(Some(value)) => _ = write!(said, ", found {value}"),
        Some(None) => _ = write!(said, ", found none"),
    }
    sought.fail(said, &snapshot);
}

/// What `assert_counter_exists!` and its siblings call.
#[doc(hidden)]
#[track_caller]
pub fn check_exists(what: What, name: &str, is_expected: bool, labels: &Labels) {
    let (snapshot, sought) = (Snapshot::of(&Store::current()), Sought { what, name, labels });
    check_denied();
    let found = sought.values(&snapshot).len();
    if (found > 0) != is_expected {
        let what = if what == What::HistogramCount { "histogram".to_owned() } else { what.to_string() };
        let said = if is_expected {
            format!("expected {what} {name}{labels}, found none")
        } else {
            format!("expected no {what} {name}{labels}, found {found}")
        };
        sought.fail(said, &snapshot);
    }
}

/// # Panics
///
/// If something went past the current scope, and that is denied.
#[track_caller]
pub(super) fn check_denied() {
    if let Some(scope) = Scope::current() {
        scope.check();
    }
}

impl Sought<'_> {
    fn values(&self, snapshot: &Snapshot) -> Vec<Amount> {
        let name = Glob::new(self.name);
        let families = snapshot.families.iter().filter(|family| {
            self.what.fits(family.definition.kind()) && name.matches(family.definition.name())
        });
        let series = families.flat_map(|family| &family.series);
        let matching = series.filter(|series| self.labels.match_set(&series.labels));
        matching.filter_map(|series| self.what.of(&series.point)).collect()
    }

    #[track_caller]
    fn fail(&self, mut said: String, snapshot: &Snapshot) -> ! {
        if let Some(hint) = self.hint(snapshot) {
            let _ = write!(said, "\n{hint}");
        }
        let name = Glob::new(self.name);
        let scope = Scope::current();
        let escapes = scope.as_ref().map(|scope| scope.escapes()).unwrap_or_default();
        let of_name: Vec<_> = escapes.into_iter().filter(|escape| name.matches(escape.metric())).collect();
        if !of_name.is_empty() {
            let _ = write!(said, "\n{}", escapes::text(&of_name));
        }
        let present = self.present(snapshot);
        if !present.is_empty() {
            let store = if Store::current().is(&Store::global()) {
                " in the global store, outside of every scope"
            } else {
                ""
            };
            let _ = write!(said, "\nthere is{store}:{present}");
        } else if scope.is_some() {
            said += "\nnothing was recorded in this scope; is the code under test in it, and what it spawns wrapped in \
                     with_current_meter_provider()?";
        } else {
            said += "\nnothing was recorded here; a test wants a scope: let _metrics = metercast::testing::scope(), or \
                     .with_metrics() on its future";
        }
        panic!("{said}");
    }

    /// What is nearly what is sought, in words.
    fn hint(&self, snapshot: &Snapshot) -> Option<String> {
        let Some(named) = snapshot.family(self.name) else { return self.hint_of_name(snapshot) };
        let kind = named.definition.kind();
        if !self.what.fits(kind) {
            let article = if kind == Kind::UpDownCounter { "an" } else { "a" };
            return Some(format!(
                "{} is {article} {kind}: assert it with {}",
                self.name,
                What::assertion(kind)
            ));
        }
        let labels = || named.series.iter().map(|series| &series.labels);
        if labels().any(|labels| self.labels.match_set(labels)) {
            return None;
        }
        let type_differs = labels().find_map(|labels| self.labels.of_other_type(labels));
        let others = || "there are more labels than these: a last .. stands for them".to_owned();
        type_differs.or_else(|| labels().any(|labels| self.labels.match_with_others(labels)).then(others))
    }

    /// What else the name is, if no metric has it.
    fn hint_of_name(&self, snapshot: &Snapshot) -> Option<String> {
        let Sought { name, .. } = self;
        if name.contains(|c: char| c.is_ascii_uppercase())
            && !name.contains(|c: char| !matches!(c, 'A'..='Z' | '0'..='9' | '_'))
        {
            return Some(format!(
                "{name} is taken for the name of a metric, as text: of a static, write the name that stands in metrics!"
            ));
        }
        let options = PageOptions::new();
        let spelled = |family: &&Family| {
            let definition = &family.definition;
            name_of(definition.name(), definition.kind(), definition.unit(), &options) == *name
        };
        let recorded = snapshot.families.iter().find(spelled)?.definition.name();
        Some(format!(
            "{name} is how a Prometheus page spells {recorded}: assert it by the name that it is recorded with"
        ))
    }

    /// Everything that is there, a line each, what is most like what is sought first.
    fn present(&self, snapshot: &Snapshot) -> String {
        let mut lines = Vec::new();
        for family in &snapshot.families {
            let name = family.definition.name();
            let is_named = Glob::new(self.name).matches(name);
            let of_name = if is_named { 0 } else { 1 + distance(self.name, name) };
            for series in &family.series {
                let of_labels = self.labels.distance(&series.labels);
                lines.push(((of_name, of_labels), line(family, &series.labels, &series.point)));
            }
        }
        // Names that have little in common are in their own order.
        let nearest = |of_name: usize| if of_name > self.name.len() / 3 + 1 { usize::MAX } else { of_name };
        lines.sort_by_key(|((of_name, of_labels), _)| match nearest(*of_name) {
            usize::MAX => (usize::MAX, 0),
            near => (near, *of_labels),
        });
        lines.into_iter().flat_map(|(_, line)| ["\n  ".to_owned(), line]).collect()
    }
}

fn line(family: &Family, labels: &LabelSet, point: &Point) -> String {
    let mut line = format!("{} {}{labels} ", family.definition.kind(), family.definition.name());
    let counted = |count: u64, sum: f64| format!("count {count} sum {sum:?}");
    line += &match point {
        Point::U64(value) => value.to_string(),
        Point::I64(value) => value.to_string(),
        Point::F64(value) => format!("{value:?}"),
        Point::Histogram(buckets) => counted(buckets.count(), buckets.sum),
        Point::Exponential(exponential) => counted(exponential.count(), exponential.sum),
        Point::Summary(summary) => counted(summary.count, summary.sum),
        other => format!("{other:?}"),
    };
    line
}

/// How many characters have to be put in, taken out or changed to make one name of the other; upper and lower case are alike.
pub(super) fn distance(one: &str, other: &str) -> usize {
    let lower = |name: &str| name.chars().map(|c| c.to_ascii_lowercase()).collect::<Vec<_>>();
    let (one, other) = (lower(one), lower(other));
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, from) in one.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (to, expected) in other.iter().enumerate() {
            let kept = diagonal + usize::from(from != expected);
            diagonal = row[to + 1];
            row[to + 1] = kept.min(row[to] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_nearly_alike_are_near() {
        for (one, other, apart) in [
            ("a.b", "a.b", 0),
            ("orders", "order", 1),
            ("orders", "odrers", 2),
            ("A", "a", 0),
            ("", "abc", 3),
        ] {
            assert_eq!((distance(one, other), distance(other, one)), (apart, apart), "{one} {other}");
        }
    }
}
