//! `/live/api/cardinality`: how many series there are and may be, and which label makes them.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use metercast_core::reading::FamilyView;

use crate::live::Live;
use crate::live::history::{Amount, OVERFLOW, name};
use crate::live::json::Json;
use crate::live::selected::spelled;

/// Series of a metric whose values are counted.
const LOOKED_AT: usize = 10_000;

struct Counted {
    name: String,
    scope: String,
    amount: Amount,
    limit: u32,
    /// Each label with how many values it has, the worst first.
    labels: Vec<(String, usize)>,
}

/// The document.
pub(super) fn document(live: &Live) -> Vec<u8> {
    let (limit, mut metrics) = live.store().read(|reading| {
        let families = reading.families().map(|family| Counted::of(&family));
        (reading.limit(), families.filter(|counted| counted.amount.series > 0).collect::<Vec<_>>())
    });
    metrics.sort_by(|a, b| b.fill().total_cmp(&a.fill()).then_with(|| a.name.cmp(&b.name)));
    Json::document(|json| {
        json.key("series").whole(metrics.iter().map(|metric| metric.amount.series).sum::<u64>());
        json.key("limit").whole(limit);
        let overflowing = metrics.iter().filter(|metric| metric.amount.overflow.is_some());
        json.key("overflowing").whole(overflowing.count());
        json.key("metrics").list(|json| {
            for metric in &metrics {
                json.object(|json| metric.put(json));
            }
        });
    })
}

impl Counted {
    fn of(family: &FamilyView<'_>) -> Counted {
        let hasher = RandomState::new();
        let mut values: BTreeMap<String, HashSet<u64>> = BTreeMap::new();
        let mut seen = 0;
        family.each(|series| {
            seen += 1;
            if seen > LOOKED_AT {
                return;
            }
            for (key, value) in series.labels.keys().zip(series.labels.values()) {
                if let Some(value) = spelled(value).filter(|_| key != OVERFLOW) {
                    values.entry(key.to_owned()).or_default().insert(hasher.hash_one(value));
                }
            }
        });
        let mut labels: Vec<_> = values.into_iter().map(|(key, values)| (key, values.len())).collect();
        labels.sort_by(|(a, most), (b, more)| more.cmp(most).then_with(|| a.cmp(b)));
        let (name, scope) = name(family.definition());
        Counted { name, scope, amount: Amount::of(family, |_| true), limit: family.limit(), labels }
    }

    /// Which part of its limit it has taken.
    fn fill(&self) -> f64 {
        self.amount.series as f64 / f64::from(self.limit.max(1))
    }

    fn put(&self, json: &mut Json) {
        json.key("name").text(&self.name);
        json.key("scope").text(&self.scope);
        json.key("series").whole(self.amount.series);
        json.key("limit").whole(self.limit);
        json.key("overflow").truth(self.amount.overflow.is_some());
        json.key("overflow_total").maybe(self.amount.overflow);
        let put_label = |json: &mut Json, (key, values): &(String, usize)| {
            json.object(|json| {
                json.key("key").text(key);
                json.key("values").whole(*values);
            });
        };
        json.key("worst");
        match self.labels.first() {
            Some(worst) => put_label(json, worst),
            None => json.null(),
        }
        json.key("labels").list(|json| self.labels.iter().for_each(|label| put_label(json, label)));
    }
}
