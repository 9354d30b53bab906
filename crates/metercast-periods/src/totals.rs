//! How much came to counters of a store since they were looked at last.

use std::collections::{BTreeSet, HashMap};

use metercast::reading::{PartId, PointView};
use metercast::{Kind, LabelSet, Store, Witness};

/// What the counters of these names are at.
#[derive(Debug)]
pub(crate) struct Totals(Vec<Total>);

/// What one part of a series is at.
#[derive(Debug)]
struct Total {
    of: Of,
    labels: LabelSet,
    value: u64,
}

/// Which part of which series it is: one with another start is another one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Of {
    name: String,
    /// Of the definition; several scopes may have one.
    scope: (&'static str, &'static str),
    part: OwnPart,
    started_unix_nanos: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum OwnPart {
    Named(u32),
    Line(u32),
    Observed(LabelSet),
    Other,
}

impl Totals {
    /// Reads the counters of these names. Nothing may be locked that a callback of the store needs.
    pub(crate) fn read(store: &Store, names: &BTreeSet<String>, witness: &Witness) -> Totals {
        let mut totals = Vec::new();
        if names.is_empty() {
            return Totals(totals);
        }
        let began = store.now();
        store.read(|reading| {
            for family in reading.families() {
                let definition = family.definition();
                if definition.kind() != Kind::Counter || !names.contains(definition.name()) {
                    continue;
                }
                let scope = (definition.scope().name, definition.scope().version);
                family.each(|series| {
                    for part in series.parts() {
                        let value = match part.value {
                            PointView::U64(value) => value,
                            // Whole ones are what can be counted; the rest is carried by the total.
                            PointView::F64(value) => value as u64,
                            _ => continue,
                        };
                        let own = match part.id {
                            PartId::Named(number) => OwnPart::Named(number),
                            PartId::Line(number) => OwnPart::Line(number),
                            PartId::Observed(labels) => OwnPart::Observed(labels.clone()),
                            _ => OwnPart::Other,
                        };
                        let (name, started_unix_nanos) =
                            (definition.name().to_owned(), part.started_unix_nanos);
                        let of = Of { name, scope, part: own, started_unix_nanos };
                        totals.push(Total { of, labels: series.labels.to_set(), value });
                    }
                });
            }
        });
        witness.has_seen(began);
        Totals(totals)
    }
}

/// What counters were at.
#[derive(Debug, Default)]
pub(crate) struct Before(HashMap<Of, (u64, u32)>);

/// So many parts are remembered that are not there at the moment.
const MOST_ABSENT: usize = 16_384;

/// For so many readings, unless there are too many.
const READINGS: u32 = 3;

impl Before {
    /// Gives what came to each series to `f`, with the counter's name and its labels, and remembers what it is at now.
    pub(crate) fn advance(&mut self, now: &Totals, mut f: impl FnMut(&str, &LabelSet, u64)) {
        for (_, absent) in self.0.values_mut() {
            *absent = absent.saturating_add(1);
        }
        for Total { of, labels, value } in &now.0 {
            let (before, absent) = self.0.entry(of.clone()).or_insert((0, 0));
            *absent = 0;
            // Less than before is what an older reading says that comes late, or a callback that counts anew. Of the one nothing is to
            // be told again, of the other what follows is.
            let is_anew = matches!(of.part, OwnPart::Observed(_)) && *value < *before;
            let came = value.saturating_sub(*before);
            *before = if is_anew { *value } else { (*before).max(*value) };
            if came > 0 {
                f(&of.name, labels, came);
            }
        }
        // A callback may fail once, and a series that was on its way out may come back as it was.
        if self.0.len() > now.0.len() + MOST_ABSENT {
            self.0.retain(|_, (_, absent)| *absent == 0);
        } else {
            self.0.retain(|of, (_, absent)| *absent < READINGS || matches!(of.part, OwnPart::Observed(_)));
        }
    }
}
