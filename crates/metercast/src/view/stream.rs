//! A stream: one metric as one exporter lets it out.

use std::cell::OnceCell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use metercast_core::reading::{Exponential, FamilyView, SeriesView};
use metercast_core::{Definition, Kind, Scope};

use super::change::{LabelRule, Said};
use super::group::{Groups, Overflowed, Readable};
use super::total::MOST_BUCKETS;
use super::transform::Transform;

/// A metric as an exporter lets it out: one of the streams of a definition. It is made once and kept, so whatever an encoder
/// prepares for it is kept under its [`id`](Self::id).
#[derive(Debug)]
pub(crate) struct Stream {
    id: u32,
    ordinal: u32,
    definition: &'static Arc<Definition>,
    face: Face,
    /// What becomes of its series, if anything does.
    transform: Option<Transform>,
}

/// What a stream is called, and what is said of it, where that is not what the program declares.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Face {
    pub(super) name: Option<String>,
    /// Which view, counted from 1, says the name, and where.
    pub(super) named: Option<(usize, Said)>,
    pub(super) unit: Option<String>,
    pub(super) description: Option<String>,
}

/// The number of the next stream.
static NEXT: AtomicU32 = AtomicU32::new(1);

impl Stream {
    pub(super) fn new(
        definition: &'static Arc<Definition>,
        ordinal: u32,
        face: Face,
        transform: Option<Transform>,
    ) -> Stream {
        Stream { id: NEXT.fetch_add(1, Relaxed), ordinal, definition, face, transform }
    }

    /// Whether it looks like what these make.
    pub(super) fn looks_like(&self, face: &Face, transform: Option<&Transform>) -> bool {
        let is_same = match (&self.transform, transform) {
            (Some(one), Some(other)) => one.is_same_as(other),
            (one, None) => one.as_ref().is_none_or(Transform::is_nothing),
            (None, Some(_)) => false,
        };
        is_same && self.face == *face
    }

    /// Whether it makes anything of its series, and so may remember them.
    pub(super) fn remembers(&self) -> bool {
        self.transform.is_some()
    }

    /// Whether what the other remembers is true of it.
    pub(super) fn remembers_as(&self, other: &Stream) -> bool {
        match (&self.transform, &other.transform) {
            (Some(one), Some(other)) => one.remembers_as(other),
            _ => false,
        }
    }

    /// Whether both remember the same, one after the other.
    pub(super) fn shares_memory_of(&self, other: &Stream) -> bool {
        match (&self.transform, &other.transform) {
            (Some(one), Some(other)) => Arc::ptr_eq(&one.memory, &other.memory),
            _ => false,
        }
    }

    /// Goes on with what a stream of the same metric has remembered, also if nothing is made of its series any more.
    pub(super) fn succeed(&mut self, old: &Stream) {
        if let Some(old) = &old.transform {
            let kind = self.definition.kind();
            self.transform.get_or_insert_with(|| Transform::nothing(kind)).succeed(old);
        }
    }

    /// Goes on from what somebody else has shown in the meantime.
    pub(super) fn note_shown_by(&self, other: &Stream) {
        if let (Some(one), Some(other)) = (&self.transform, &other.transform) {
            one.note_shown_by(other);
        }
    }

    /// A number that no other stream of the process has or will have.
    #[inline]
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// Which of the streams of its definition it is: 0 for the first, then those of aliases or further views.
    pub(crate) fn ordinal(&self) -> u32 {
        self.ordinal
    }

    /// What the program declares.
    #[inline]
    pub(crate) fn definition(&self) -> &'static Arc<Definition> {
        self.definition
    }

    /// The name as it is let out, in the program's spelling.
    #[inline]
    pub(crate) fn name(&self) -> &str {
        self.face.name.as_deref().unwrap_or(self.definition.name())
    }

    /// Which view, counted from 1, says the name; 0 if none does.
    pub(super) fn named_by(&self) -> usize {
        self.face.named.as_ref().map_or(0, |(number, _)| *number)
    }

    /// The unit in UCUM; empty if there is none.
    pub(crate) fn unit(&self) -> &str {
        self.face.unit.as_deref().unwrap_or(self.definition.unit())
    }

    /// What it measures, in words; may be empty.
    pub(crate) fn description(&self) -> &str {
        self.face.description.as_deref().unwrap_or(self.definition.description())
    }

    /// What the values mean; no view changes that.
    #[inline]
    pub(crate) fn kind(&self) -> Kind {
        self.definition.kind()
    }

    /// Whether name and unit are as whoever keeps the metric gave them for Prometheus: then the name is complete.
    pub(crate) fn is_named_for_prometheus(&self) -> bool {
        let definition = self.definition;
        let is_as_given = self.name() == definition.name() && self.unit() == definition.unit();
        is_as_given && definition.prometheus_type().is_some()
    }

    /// The library that defined the metric.
    pub(crate) fn scope(&self) -> Scope {
        self.definition.scope()
    }

    /// By how much values and bounds are multiplied, if the unit is converted. The parts of series stay as they are.
    #[cfg_attr(not(feature = "otlp"), allow(dead_code, reason = "only OTLP asks"))]
    pub(crate) fn scale(&self) -> Option<f64> {
        self.transform.as_ref()?.scale
    }

    /// How many series there are beyond its limit, if it has one.
    pub(super) fn overflowed(&self) -> Option<Overflowed> {
        self.transform.as_ref()?.overflowed()
    }

    /// Forgets what it remembers of the series of a store.
    pub(super) fn forget(&self) {
        self.transform.iter().for_each(Transform::forget);
    }

    /// What exponential histograms that were recorded come to together, as the stream has them.
    #[cfg_attr(not(feature = "otlp"), allow(dead_code, reason = "only OTLP asks"))]
    pub(crate) fn exponential(&self, mut recorded: impl Iterator<Item = Exponential>) -> Exponential {
        let transform = self.transform.as_ref();
        let most = transform.and_then(Transform::most_buckets).unwrap_or(MOST_BUCKETS);
        let mut all = recorded.next().unwrap_or_default();
        recorded.for_each(|other| all.add_up(&other, most));
        match transform {
            Some(transform) => transform.exponential(all),
            None => all,
        }
    }

    /// What becomes of the keys of labels, if anything does.
    pub(super) fn labels(&self) -> &[LabelRule] {
        self.transform.as_ref().map_or(&[], |transform| transform.labels.rules())
    }

    /// Whether the labels that its series lose stay with exemplars.
    pub(super) fn leaves_labels_to_exemplars(&self) -> bool {
        self.transform.as_ref().is_some_and(|transform| transform.exemplar_labels)
    }

    /// For a sentence: the name, and where it comes from.
    pub(crate) fn spelled(&self) -> String {
        let (declared, place) = (self.definition.name(), self.definition.place());
        match &self.face.named {
            Some((_, said)) if self.name() != declared => {
                format!("{:?} ({said} gives {declared:?} this name, {place})", self.name())
            }
            _ => Spelled(self.definition).to_string(),
        }
    }

    /// For a sentence: the name that the program declares, and where.
    pub(crate) fn spelled_as_declared(&self) -> String {
        Spelled(self.definition).to_string()
    }
}

/// A metric as it is declared, for a sentence.
pub(super) struct Spelled<'a>(pub(super) &'a Definition);

impl fmt::Display for Spelled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ({})", self.0.name(), self.0.place())
    }
}

/// A stream while its store is read.
#[derive(Debug)]
pub(crate) struct StreamView<'a> {
    stream: &'a Arc<Stream>,
    family: FamilyView<'a>,
    /// Whether its series are put together of several.
    is_put_together: bool,
    /// For whom that is remembered.
    of: Readable<'a>,
    /// They, once that was done: without their parts, and with them.
    groups: [OnceCell<Groups>; 2],
}

impl<'a> StreamView<'a> {
    /// `of` says what of the series is remembered from reading to reading.
    pub(super) fn new(stream: &'a Arc<Stream>, family: FamilyView<'a>, of: Readable<'a>) -> StreamView<'a> {
        let transform = stream.transform.as_ref();
        // Asked once: there may be more series a moment later.
        let is_put_together =
            transform.is_some_and(|transform| transform.puts_together(family.size_hint(), of));
        StreamView { stream, family, is_put_together, of, groups: Default::default() }
    }

    /// Which stream it is.
    #[inline]
    pub(crate) fn stream(&self) -> &'a Arc<Stream> {
        self.stream
    }

    /// Gives each series to `f`, in the order of their first use. None if the metric was not used in this store, or if another
    /// metric has the name. What is put together of several has no parts.
    #[inline]
    pub(crate) fn each(&self, f: impl FnMut(&SeriesView<'_>)) {
        self.each_as(false, f);
    }

    /// The same, and each has its parts if they are asked for.
    #[inline]
    pub(crate) fn each_as(&self, in_parts: bool, mut f: impl FnMut(&SeriesView<'_>)) {
        match &self.stream.transform {
            None => self.family.each(f),
            Some(transform) => self.each_transformed(transform, in_parts, &mut f),
        }
    }

    #[cold]
    #[inline(never)]
    fn each_transformed(&self, transform: &Transform, in_parts: bool, f: &mut dyn FnMut(&SeriesView<'_>)) {
        if self.is_put_together {
            let grouped = || transform.grouped(&self.family, self.of, in_parts);
            let groups = self.groups[usize::from(in_parts)].get_or_init(grouped);
            groups.iter().for_each(|group| group.give(f));
        } else {
            transform.each(&self.family, f);
        }
    }

    /// Gives the keys of labels that its series lose and their exemplars keep.
    pub(super) fn each_left_to_exemplars(&self, mut f: impl FnMut(&str)) {
        if let Some(transform) = self.stream.transform.as_ref().filter(|transform| transform.exemplar_labels)
        {
            self.family
                .each(|series| transform.labels.taken(&series.labels).iter().for_each(|(key, _)| f(key)));
        }
    }

    /// Whether no two series have labels that are spelled alike, such as a number and its text: all have the same keys in the
    /// same order, and under each key values of the same type. False also where that is not known.
    pub(crate) fn is_uniform(&self) -> bool {
        !self.is_put_together && self.family.is_uniform()
    }

    /// Whether callbacks or a gauge set say some of its series in this reading.
    pub(crate) fn is_observed(&self) -> bool {
        self.family.is_observed()
    }
}
