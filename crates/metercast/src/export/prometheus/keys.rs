//! The keys of a metric's series, spelled once; and how they stand on lines.

use std::sync::Arc;

use metercast_core::reading::{LabelsView, ValueView, Values};

use super::block::{BLOCK, Block, Piece, hash};
use super::escape::Of;
use super::form::Form;
use super::labels::Labels;
use super::line::{Line, Long, SHORT, Short};
use super::lines::MOST_REST;
use super::number::Number;
use super::problem::Problem;
use super::style::Style;
use crate::view::Stream;

/// Keys in the order in which the program gives them.
pub(super) struct Keys<F: Form> {
    /// The number of these keys, if they have one.
    shape: Option<u32>,
    /// The keys as they were given, to know them again without a number.
    given: Box<[Box<str>]>,
    /// How they are written.
    pub(super) written: F::Keys,
    /// Whether two keys have one name on the page, so that their values are joined.
    pub(super) collide: bool,
}

/// The keys of a metric that were met.
pub(super) struct Known<F: Form> {
    naming: Naming,
    list: Vec<Keys<F>>,
    /// Those that were met last.
    last: usize,
    /// What is wrong with them, not said yet.
    pub(super) problems: Vec<Problem>,
}

/// What decides how the keys of a metric are spelled.
pub(super) struct Naming {
    pub(super) stream: Arc<Stream>,
    pub(super) style: Arc<Style>,
}

/// The most that are kept. The program text bounds those that have a number; others can be made of anything.
const MOST_KNOWN: usize = 64;

impl<F: Form> Known<F> {
    pub(super) fn new(naming: Naming) -> Known<F> {
        Known { naming, list: Vec::new(), last: 0, problems: Vec::new() }
    }

    /// The keys of these labels, which are prepared for the metric if they were not met before. `constants` are the labels that all
    /// its series have.
    #[inline(always)]
    pub(super) fn of(&mut self, labels: &LabelsView<'_>, constants: &Labels, metric: &F::Metric) -> &Keys<F> {
        if !self.list.get(self.last).is_some_and(|keys| keys.are_of(labels)) {
            self.look_up(labels, constants, metric);
        }
        &self.list[self.last]
    }

    #[cold]
    fn look_up(&mut self, labels: &LabelsView<'_>, constants: &Labels, metric: &F::Metric) {
        let known = self.list.iter().position(|keys| keys.are_of(labels));
        self.last = known.unwrap_or_else(|| {
            self.list.truncate(MOST_KNOWN - 1);
            self.list.push(Keys::new(labels, &self.naming, constants, metric, &mut self.problems));
            self.list.len() - 1
        });
    }

    /// The keys that were met last, if these labels are the first, or have the number of the first and so the same keys.
    #[inline(always)]
    pub(super) fn last(&self, labels: &LabelsView<'_>, first: bool) -> Option<&Keys<F>> {
        let keys = self.list.get(self.last)?;
        // What was found uniform may have become otherwise meanwhile: the rest is for the next page.
        (first || (keys.shape.is_some() && keys.shape == labels.shape())).then_some(keys)
    }
}

impl<F: Form> Keys<F> {
    /// Prepares the keys of these labels, and notes what is wrong with them.
    fn new(
        labels: &LabelsView<'_>,
        naming: &Naming,
        constants: &Labels,
        metric: &F::Metric,
        problems: &mut Vec<Problem>,
    ) -> Keys<F> {
        let Naming { stream, style } = naming;
        let given: Box<[Box<str>]> = labels.keys().map(Box::from).collect();
        let names: Vec<String> = given.iter().map(|key| style.label(key, stream)).collect();
        let mut collide = false;
        for (at, (key, name)) in given.iter().zip(&names).enumerate() {
            let mut say = |keys: &[&str], what: String| {
                problems.push(Problem::of_labels(stream, keys, &what));
            };
            if style.moves(key, stream) {
                let page = style.which_page();
                let what = format!("is {name} on {page}, where its own name means something else: rename it");
                say(&[key], what);
            }
            if let Some(other) = names[..at].iter().position(|other| other == name) {
                let mut keys = [&*given[other], key];
                keys.sort_unstable();
                say(&keys, format!("are both {name} on the page; their values are joined: rename one"));
                collide = true;
            }
            if constants.has(name) {
                say(&[key], format!("stands in the place of {name}, which every line would have: rename it"));
                collide = true;
            }
        }
        Keys { shape: labels.shape(), given, written: F::keys(metric, &names), collide }
    }

    /// Whether these labels have these keys.
    #[inline]
    fn are_of(&self, labels: &LabelsView<'_>) -> bool {
        match labels.shape() {
            None => self.shape.is_none() && labels.keys().eq(self.given.iter().map(|key| &**key)),
            shape => self.shape == shape,
        }
    }
}

/// Keys as they stand on lines.
pub(super) struct Spelled {
    labels: Box<[Label]>,
    /// The most bytes of the labels, but for texts that are not packed.
    most: usize,
    /// Whether packed values under these keys fit a short line.
    are_short: bool,
}

struct Label {
    /// What stands before the value if no label is before it: `name{key="`.
    first: Piece,
    /// What stands there otherwise: `",key="`.
    next: Piece,
    /// A hash of the name.
    seed: u64,
}

impl Label {
    /// The hash of name and value.
    fn hash(&self, value: &[u8]) -> u64 {
        hash(self.seed, value)
    }
}

/// What the labels of a series came to.
#[derive(Clone, Copy)]
pub(super) struct Written {
    /// Whether there are any. Then the last quotation mark is still to be written.
    pub(super) any: bool,
    /// A number that is equal for labels that are spelled alike, in any order; 0 if it was not asked for.
    pub(super) hash: u64,
}

impl Spelled {
    /// Keys of these names, of a metric whose lines begin so.
    pub(super) fn new(before: &str, names: &[String]) -> Spelled {
        let label = |name: &String| {
            let name = Of::Label.spelled(name);
            Label {
                first: Piece::new(&format!("{before}{name}=\"")),
                next: Piece::new(&format!("\",{name}=\"")),
                seed: hash(0, name.as_bytes()),
            }
        };
        let labels: Box<[Label]> = names.iter().map(label).collect();
        // A packed text may become twice as long.
        let most = labels.iter().map(|label| label.first.length + label.next.length + 2 * BLOCK).sum();
        Spelled { labels, most, are_short: most + before.len() + MOST_REST <= SHORT }
    }

    /// Whether these labels fit a short line as they are, and a number with them.
    #[inline(always)]
    pub(super) fn are_short(&self, labels: &LabelsView<'_>) -> bool {
        self.are_short && labels.shape().is_some() && labels.is_plain()
    }

    /// Writes labels that are short, but for the last quotation mark: `name{a="1",b="2`. Nothing if there are none: labels
    /// without a value are as good as absent.
    #[inline(always)]
    pub(super) fn write_short<const HASHED: bool>(
        &self,
        labels: &LabelsView<'_>,
        line: &mut Short<'_>,
    ) -> Written {
        // Asked here which they are, and not with each value.
        let Values::Packed(mut values) = labels.values() else { return Written { any: false, hash: 0 } };
        let mut labels = self.labels.iter();
        // The first that has a value, and then the others: to choose anew for each what stands before it takes time.
        let mut hash = 0;
        for label in labels.by_ref() {
            let Some(value) = values.next() else { break };
            if line.value(&label.first, value) {
                if HASHED {
                    hash = label.hash(line.from(label.first.length));
                }
                break;
            }
        }
        for label in labels {
            let Some(value) = values.next() else { break };
            let from = line.len() + label.next.length;
            if line.value(&label.next, value) && HASHED {
                // A sum does not depend on the order.
                hash = hash.wrapping_add(label.hash(line.from(from)));
            }
        }
        Written { any: line.len() > 0, hash }
    }

    /// The most bytes that these labels take.
    pub(super) fn most(&self, labels: &LabelsView<'_>) -> usize {
        let of = |value| match value {
            ValueView::Text(text) => 2 * text.len(),
            _ => 0,
        };
        match labels.shape() {
            // All of them are short.
            Some(_) => self.most,
            None => self.most + labels.values().map(of).sum::<usize>(),
        }
    }

    /// [`write_short`](Self::write_short) for any labels.
    pub(super) fn write_long<const HASHED: bool>(
        &self,
        labels: &LabelsView<'_>,
        line: &mut Long<'_>,
    ) -> Written {
        let mut written = Written { any: false, hash: 0 };
        let is_plain = labels.is_plain();
        for (label, value) in self.labels.iter().zip(labels.values()) {
            let is_empty = match value {
                ValueView::Text(text) => text.is_empty(),
                ValueView::Packed(text) => text.len() == 0,
                ValueView::Absent => true,
                _ => false,
            };
            if is_empty {
                continue;
            }
            line.piece(if written.any { &label.next } else { &label.first });
            written.any = true;
            let from = line.len();
            match value {
                ValueView::Text(text) if is_plain => line.text(text.as_bytes()),
                ValueView::Text(text) => line.escaped(text),
                ValueView::Packed(text) => text.with(|text| line.escaped(text)),
                ValueView::Bool(value) => line.block(Block::of_bool(value)),
                ValueView::I64(value) => line.number(Number::I64(value)),
                ValueView::U64(value) => line.number(Number::U64(value)),
                ValueView::F64(value) => line.number(Number::F64(value)),
                _ => {}
            }
            if HASHED {
                written.hash = written.hash.wrapping_add(label.hash(line.from(from)));
            }
        }
        written
    }
}
