//! Which metric has which name on the pages of a format: the one that had it first.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use metercast_core::Kind;

use super::family::Family;
use super::problem::Problem;
use crate::view::Stream;

/// The names that are taken.
#[derive(Default)]
pub(super) struct Claims {
    owners: HashMap<String, Claim>,
    /// Those that gave their type up.
    untyped: HashSet<Owner>,
    /// Those that gave all their names up.
    left_out: HashSet<Owner>,
    /// What is wrong with them, not said yet.
    pub(super) problems: Vec<Problem>,
}

struct Claim {
    owner: Owner,
    /// Whether the owner has the name only as long as nobody else needs it.
    by_type: bool,
    /// Whose series stand beside those of the owner.
    beside: Vec<Owner>,
}

/// Who has a name.
#[derive(Clone)]
pub(super) enum Owner {
    Metric(Arc<Stream>),
    /// The exporter itself, for `target_info`.
    Target,
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
    /// Gives its names to a metric if nobody has them.
    pub(super) fn claim(&mut self, family: &Family, owner: &Owner, is_open: bool) -> Place {
        let names = family.names(is_open);
        let is_taken = |claim: &Claim| claim.owner != *owner && !claim.by_type;
        let taken = names.iter().find(|name| self.owners.get(*name).is_some_and(is_taken));
        if let Some(name) = taken
            && let Some(producers) = self.owners.get(name).map(|claim| claim.owner.clone())
            && producers.gives_way_to(owner)
        {
            let what = "what producers say is left out";
            self.problems.push(Problem::of_two(&producers, owner, name, what));
            self.owners.retain(|_, claim| claim.owner != producers);
            self.left_out.insert(producers);
            return self.claim(family, owner, is_open);
        }
        if let Some((sample, claim)) = taken.and_then(|name| Some((name, self.owners.get_mut(name)?))) {
            let mut there = std::iter::once(&claim.owner).chain(&claim.beside);
            if let Some(twin) = there.find(|other| other.counts_the_same_as(owner)) {
                self.problems.push(Problem::of_views(twin, owner, sample));
                return Place::LeftOut;
            }
            let merges = *sample == family.name
                && claim.owner.adds_up_with(owner)
                && claim.owner.is_produced() == owner.is_produced();
            let what = if merges {
                "their series stand together, and equal ones are added up (of gauges, the first stays)"
            } else {
                "the second is left out"
            };
            let are_of_scopes = claim.owner.is_in_another_scope_than(owner);
            // That is as it is meant to be, unless something is lost.
            let is_told_apart = family.constants.has("otel_scope_name") || owner.adds_up_without_loss();
            if !(merges && are_of_scopes && is_told_apart) {
                self.problems.push(Problem::of_two(&claim.owner, owner, sample, what));
            }
            if merges {
                claim.beside.push(owner.clone());
                return Place::Beside;
            }
            return Place::LeftOut;
        }
        for name in names {
            self.evict(&name, owner);
            self.owners.insert(name, Claim { owner: owner.clone(), by_type: false, beside: Vec::new() });
        }
        let by_type = family.names_by_type(is_open);
        match by_type.iter().find_map(|name| Some((name, self.owners.get(name)?.owner.clone()))) {
            Some((name, other)) if other != *owner => self.give_up(owner, &other, name),
            _ => self.owners.extend(
                by_type
                    .into_iter()
                    .map(|name| (name, Claim { owner: owner.clone(), by_type: true, beside: Vec::new() })),
            ),
        }
        Place::Own
    }

    /// Takes a name from whoever has it by its type.
    fn evict(&mut self, name: &str, owner: &Owner) {
        let Some(other) =
            self.owners.get(name).map(|claim| claim.owner.clone()).filter(|other| other != owner)
        else {
            return;
        };
        self.owners.retain(|_, claim| !(claim.by_type && claim.owner == other));
        self.give_up(&other, owner, name);
    }

    fn give_up(&mut self, owner: &Owner, other: &Owner, name: &str) {
        self.untyped.insert(owner.clone());
        let what = format!("OpenMetrics gets no type for {}", owner.name());
        self.problems.push(Problem::of_two(owner, other, name, &what));
    }

    /// Whether a metric had to give its names up after it had them.
    pub(super) fn is_left_out(&self, owner: &Owner) -> bool {
        !self.left_out.is_empty() && self.left_out.contains(owner)
    }

    /// Whether a metric had to give its type up.
    pub(super) fn has_no_type(&self, owner: &Owner) -> bool {
        !self.untyped.is_empty() && self.untyped.contains(owner)
    }
}

impl Owner {
    /// For a sentence.
    pub(super) fn name(&self) -> String {
        match self {
            Owner::Metric(stream) => format!("{:?}", stream.name()),
            Owner::Target => "target_info".to_owned(),
        }
    }

    /// A number of its own.
    pub(super) fn id(&self) -> u32 {
        match self {
            Owner::Metric(stream) => stream.id(),
            Owner::Target => 0,
        }
    }

    /// Whether producers say it.
    fn is_produced(&self) -> bool {
        matches!(self, Owner::Metric(stream) if stream.definition().is_produced())
    }

    /// Whether the names that it has are somebody else's if they are wanted: what the program records has its own.
    fn gives_way_to(&self, other: &Owner) -> bool {
        self.is_produced() && !other.is_produced()
    }

    /// Whether both are streams of one metric, which would be counted twice where they are added up.
    fn counts_the_same_as(&self, other: &Owner) -> bool {
        let (Owner::Metric(first), Owner::Metric(second)) = (self, other) else { return false };
        first.definition().name() == second.definition().name() && first.ordinal() != second.ordinal()
    }

    /// Whether series of both can stand together.
    fn adds_up_with(&self, other: &Owner) -> bool {
        let (Owner::Metric(first), Owner::Metric(second)) = (self, other) else { return false };
        let is_distribution = matches!(first.kind(), Kind::Histogram | Kind::Summary);
        first.kind() == second.kind() && (!is_distribution || self.is_in_another_scope_than(other))
    }

    /// Whether both are what the program calls by one name, each in a scope of its own.
    fn is_in_another_scope_than(&self, other: &Owner) -> bool {
        let (Owner::Metric(first), Owner::Metric(second)) = (self, other) else { return false };
        first.definition().name() == second.definition().name()
            && (first.kind(), first.unit()) == (second.kind(), second.unit())
            && first.scope() != second.scope()
    }

    /// Whether equal series of several metrics together are what one metric would have counted.
    fn adds_up_without_loss(&self) -> bool {
        matches!(self, Owner::Metric(stream)
            if matches!(stream.kind(), Kind::Counter | Kind::UpDownCounter | Kind::Histogram))
    }
}

impl PartialEq for Owner {
    fn eq(&self, other: &Owner) -> bool {
        self.id() == other.id()
    }
}

impl Eq for Owner {}

impl std::hash::Hash for Owner {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}
