//! A plan: the projection of one exporter, worked out for every metric that was met.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use metercast_core::reading::{FamilyView, Reading};
use metercast_core::{Definition, Visibility};

use super::layers;
use super::projection::Projection;
use super::resolve::{resolve, spelled};
use super::stream::{Stream, StreamView};
use super::warnings::Warnings;

/// What an exporter makes of a store. Each definition, which lives as long as the program, is worked out once.
pub(crate) struct Plan {
    projection: Arc<Projection>,
    /// By the address of the definition.
    known: HashMap<usize, Known, BuildHasherDefault<ByNumber>>,
    /// Whether a stream may have another name than its definition.
    renames: bool,
    /// Who has a name, unless names may be shared.
    owners: Option<HashMap<String, Owner>>,
    /// The views that selected a metric.
    matched: Vec<bool>,
    is_matching_said: bool,
    warnings: Warnings,
}

/// What is known of a definition.
struct Known {
    /// What it was when its streams were made: a place that defines it later may say that it is private.
    visibility: Visibility,
    streams: Vec<Arc<Stream>>,
}

/// What has a name: the declared name and the ordinal, and both for a sentence. Definitions of one name are told apart by the store.
struct Owner {
    declared: &'static str,
    ordinal: u32,
    spelled: String,
}

impl Plan {
    /// The plan of this exporter, which is named in warnings.
    pub(crate) fn new(projection: Arc<Projection>, exporter: &str) -> Plan {
        Plan {
            known: HashMap::default(),
            renames: projection.views.iter().any(|view| view.name.is_some() || view.alias.is_some()),
            owners: Some(HashMap::new()),
            matched: vec![false; projection.views.len()],
            is_matching_said: projection.views.is_empty(),
            warnings: Warnings::of(exporter),
            projection,
        }
    }

    /// The same with streams that may have one name, for who knows what to do with them. Otherwise the first keeps it, the others are
    /// left out, and that is said.
    pub(crate) fn with_shared_names(self) -> Plan {
        Plan { owners: None, ..self }
    }

    /// What it is the plan of.
    pub(crate) fn projection(&self) -> &Arc<Projection> {
        &self.projection
    }

    /// What is wrong with the views, as far as it was found since this was asked last; each thing once.
    pub(crate) fn warnings(&mut self) -> Vec<String> {
        self.warnings.take()
    }

    /// The streams of the metrics that were used, sorted by name. One without series may be among them.
    pub(crate) fn streams<'a>(&'a mut self, reading: &'a Reading<'_>) -> Vec<StreamView<'a>> {
        let families: Vec<FamilyView<'a>> = reading.families().collect();
        for same in families.chunk_by(|a, b| a.definition().name() == b.definition().name()) {
            if same.len() > 1 {
                // The first that is looked at has the name, and who reads may look in another order.
                same.iter().for_each(|family| family.each(|_| {}));
            }
        }
        for family in &families {
            self.know(family.definition());
        }
        if !families.is_empty() {
            self.say_unmatched();
        }
        let known = &self.known;
        let of_family = |family: FamilyView<'a>| {
            let streams = known.get(&address(family.definition())).map_or(&[][..], |known| &known.streams);
            streams.iter().map(move |stream| StreamView::new(stream, family))
        };
        let mut streams = Vec::with_capacity(families.len());
        streams.extend(families.into_iter().flat_map(of_family));
        if self.renames {
            // Equal names stay in the order of their definitions.
            streams.sort_by(|a, b| a.stream().name().cmp(b.stream().name()));
            if let Some(owners) = &mut self.owners {
                let warnings = &mut self.warnings;
                streams.retain(|view| has_name(owners, view.stream(), warnings));
            }
        }
        streams
    }

    /// What there is of a metric, also before it is read.
    pub(crate) fn streams_of(&mut self, definition: &'static Arc<Definition>) -> &[Arc<Stream>] {
        self.know(definition);
        self.known.get(&address(definition)).map_or(&[], |known| &known.streams)
    }

    /// Works a definition out, if that was not done.
    #[inline]
    fn know(&mut self, definition: &'static Arc<Definition>) {
        let known = self.known.get(&address(definition));
        if !known.is_some_and(|known| known.visibility == definition.visibility()) {
            self.meet(definition);
        }
    }

    #[cold]
    fn meet(&mut self, definition: &'static Arc<Definition>) {
        let visibility = definition.visibility();
        let layered = layers::streams(definition, &self.projection, |view| self.matched[view] = true);
        let streams = layered
            .into_iter()
            .map(|(ordinal, layered)| {
                let (face, transform) = resolve(definition, layered, &self.projection, &mut self.warnings);
                Arc::new(Stream::new(definition, ordinal, face, transform))
            })
            .collect();
        let known = Known { visibility, streams };
        self.known.insert(address(definition), known);
    }

    /// Says which views matched nothing, once.
    fn say_unmatched(&mut self) {
        if std::mem::replace(&mut self.is_matching_said, true) {
            return;
        }
        for (at, view) in self.projection.views.iter().enumerate().filter(|(at, _)| !self.matched[*at]) {
            let view = spelled(at + 1, Some(view));
            self.warnings.say(format!(
                "{view} matches no metric so far; check the pattern, unless such metrics come later"
            ));
        }
    }
}

/// Whether this stream has its name, which the first has that asks.
fn has_name(owners: &mut HashMap<String, Owner>, stream: &Stream, warnings: &mut Warnings) -> bool {
    let (declared, ordinal) = (stream.definition().name(), stream.ordinal());
    let Some(owner) = owners.get_mut(stream.name()) else {
        let owner = Owner { declared, ordinal, spelled: stream.spelled() };
        owners.insert(stream.name().to_owned(), owner);
        return true;
    };
    let is_owner = owner.declared == declared && owner.ordinal == ordinal;
    if !is_owner {
        let (first, second) = (&owner.spelled, stream.spelled());
        warnings
            .say(format!("metrics {first} and {second} have one name; the second is left out: rename one"));
    }
    is_owner
}

fn address(definition: &'static Arc<Definition>) -> usize {
    Arc::as_ptr(definition) as usize
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan").field("warnings", &self.warnings).finish_non_exhaustive()
    }
}

/// Hashes addresses and numbers, which nobody chooses.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ByNumber(u64);

impl Hasher for ByNumber {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64((*byte).into());
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_u64(&mut self, number: u64) {
        let wide = u128::from(self.0 ^ number ^ 0x8bb8_4b93_962e_acc9) * 0x9e37_79b9_7f4a_7c15;
        self.0 = (wide as u64) ^ (wide >> 64) as u64;
    }
}
