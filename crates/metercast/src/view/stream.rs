//! A stream: one metric as one exporter lets it out.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use metercast_core::reading::{FamilyView, SeriesView};
use metercast_core::{Definition, Kind, Scope};

/// A metric as an exporter lets it out: one of the streams of a definition. It is made once and kept, so whatever an encoder
/// prepares for it is kept under its [`id`](Self::id).
#[derive(Debug)]
pub(crate) struct Stream {
    id: u32,
    ordinal: u32,
    definition: &'static Arc<Definition>,
    name: Cow<'static, str>,
    unit: Cow<'static, str>,
    description: Cow<'static, str>,
}

/// What a stream is called, and what is said of it.
#[derive(Clone, Debug)]
pub(super) struct Face {
    pub(super) name: Cow<'static, str>,
    pub(super) unit: Cow<'static, str>,
    pub(super) description: Cow<'static, str>,
}

impl Face {
    /// As the program declares it.
    pub(super) fn of(definition: &'static Arc<Definition>) -> Face {
        let [name, unit, description] =
            [definition.name(), definition.unit(), definition.description()].map(Cow::Borrowed);
        Face { name, unit, description }
    }
}

/// The number of the next stream.
static NEXT: AtomicU32 = AtomicU32::new(1);

impl Stream {
    pub(super) fn new(definition: &'static Arc<Definition>, ordinal: u32, face: Face) -> Stream {
        let Face { name, unit, description } = face;
        Stream { id: NEXT.fetch_add(1, Relaxed), ordinal, definition, name, unit, description }
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
        &self.name
    }

    /// The unit in UCUM; empty if there is none.
    pub(crate) fn unit(&self) -> &str {
        &self.unit
    }

    /// What it measures, in words; may be empty.
    pub(crate) fn description(&self) -> &str {
        &self.description
    }

    /// What the values mean; no view changes that.
    #[inline]
    pub(crate) fn kind(&self) -> Kind {
        self.definition.kind()
    }

    /// The library that defined the metric.
    pub(crate) fn scope(&self) -> Scope {
        self.definition.scope()
    }

    /// By how much values and bounds are multiplied, if the unit is converted. The parts of series stay as they are.
    pub(crate) fn scale(&self) -> Option<f64> {
        None
    }

    /// Whether its series are those of the store as they are.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        true
    }

    /// For a sentence: the name, and where it comes from.
    pub(crate) fn spelled(&self) -> String {
        let (declared, place) = (self.definition.name(), self.definition.place());
        match &*self.name {
            name if name == declared => format!("{name:?} ({place})"),
            name => format!("{name:?} (a view's name for {declared:?}, {place})"),
        }
    }
}

/// A stream while its store is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamView<'a> {
    stream: &'a Arc<Stream>,
    family: FamilyView<'a>,
}

impl<'a> StreamView<'a> {
    pub(super) fn new(stream: &'a Arc<Stream>, family: FamilyView<'a>) -> StreamView<'a> {
        StreamView { stream, family }
    }

    /// Which stream it is.
    #[inline]
    pub(crate) fn stream(&self) -> &'a Arc<Stream> {
        self.stream
    }

    /// Gives each series to `f`, in the order of their first use. None if the metric was not used in this store, or if another
    /// metric has the name.
    #[inline]
    pub(crate) fn each(&self, f: impl FnMut(&SeriesView<'_>)) {
        self.family.each(f);
    }

    /// Whether no two series have labels that are spelled alike, such as a number and its text: all have the same keys in the
    /// same order, and under each key values of the same type. False also where that is not known.
    pub(crate) fn is_uniform(&self) -> bool {
        self.family.is_uniform()
    }

    /// Whether callbacks or a gauge set say some of its series in this reading.
    pub(crate) fn is_observed(&self) -> bool {
        self.family.is_observed()
    }

    /// About how many series there are, to make room for them.
    pub(crate) fn size_hint(&self) -> usize {
        self.family.size_hint()
    }
}
