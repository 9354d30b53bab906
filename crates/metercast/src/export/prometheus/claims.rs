//! Which metric has which name on the pages of an exporter: the one that had it first.

use std::collections::HashMap;
use std::sync::Arc;

use metercast_core::{Definition, Kind};

/// The names that are taken.
#[derive(Default)]
pub(super) struct Claims {
    owners: HashMap<String, &'static Arc<Definition>>,
    /// What is wrong with them, not said yet.
    pub(super) problems: Vec<String>,
}

/// Where the series of a metric stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Under their own name.
    Own,
    /// Beside the series of the metric that has the name, which is of the same kind.
    Beside,
    /// Nowhere.
    LeftOut,
}

impl Claims {
    /// Gives the name to the metric if nobody has it.
    pub(super) fn claim(&mut self, name: &str, definition: &'static Arc<Definition>) -> Place {
        // All names that a sample of this family has, so that none is a sample of another.
        let suffixes: &[&str] = match definition.kind() {
            Kind::Histogram => &["", "_bucket", "_sum", "_count"],
            Kind::Summary => &["", "_sum", "_count"],
            _ => &[""],
        };
        let taken = suffixes.iter().find_map(|suffix| {
            let name = format!("{name}{suffix}");
            let owner = self.owners.get(&name).filter(|owner| !Arc::ptr_eq(owner, definition))?;
            Some((name, *owner))
        });
        let Some((sample, owner)) = taken else {
            for suffix in suffixes {
                self.owners.entry(format!("{name}{suffix}")).or_insert(definition);
            }
            return Place::Own;
        };
        let is_distribution = matches!(owner.kind(), Kind::Histogram | Kind::Summary);
        let merges = sample == name && owner.kind() == definition.kind() && !is_distribution;
        let what = if merges {
            "their series stand together, and equal ones are added up (of gauges, the first stays)"
        } else {
            "the second is left out"
        };
        self.problems.push(format!(
            "metrics {:?} ({}) and {:?} ({}) are both {sample} on the page; {what}: rename one",
            owner.name(),
            owner.place(),
            definition.name(),
            definition.place()
        ));
        if merges { Place::Beside } else { Place::LeftOut }
    }
}
