//! The lines of a series.

use metercast_core::reading::{LabelsView, PointView, SeriesView};

use super::block::{BLOCK, Piece};
use super::buffer::Out;
use super::classic::Classic;
use super::family::{Family, Type};
use super::keys::{Spelled, Written};
use super::labels;
use super::line::{Line, Long, Room, Short};
use super::number::{self, Number, Spelling};
use super::series::seconds;
use super::style::Style;

/// What stands on the lines of a metric beside labels and numbers.
pub(super) struct Lines {
    /// What stands before the first label: `name{`, of histograms `name_bucket{`; with the labels that all series have.
    pub(super) before: String,
    /// What a line without further labels begins with.
    plain: Piece,
    /// What begins the lines of a distribution's sum and count.
    sum: Begin,
    count: Begin,
    /// What begins the line that says since when, if there is one.
    created: Option<Begin>,
    ends: Ends,
    /// The buckets of a histogram that has others in the store.
    pub(super) classic: Classic,
}

/// `name{` and `name `.
struct Begin {
    labelled: Piece,
    plain: Piece,
}

impl Begin {
    fn new(name: &str, constants: &str) -> Begin {
        let [labelled, plain] = labels::begin(name, constants).map(|begin| Piece::new(&begin));
        Begin { labelled, plain }
    }
}

/// The ends of the lines of buckets with the same bounds, or of the same quantiles.
struct Ends {
    spelling: Spelling,
    bounds: &'static [f64],
    values: Vec<f64>,
    /// `",le="0.5"} `; behind other labels.
    labelled: Vec<Piece>,
    /// `le="0.5"} `.
    plain: Vec<Piece>,
    /// Whether all of them fit a short line.
    are_short: bool,
}

impl Ends {
    fn new(spelling: Spelling, values: Vec<f64>) -> Ends {
        Ends { spelling, bounds: &[], values, labelled: Vec::new(), plain: Vec::new(), are_short: true }
    }

    fn of_bounds(&mut self, bounds: &'static [f64], labelled: bool) {
        // The same slice, so that nothing has to be compared.
        if !std::ptr::eq(self.bounds, bounds) || self.values.is_empty() {
            let values = bounds.iter().copied().chain([f64::INFINITY]).collect();
            *self = Ends { bounds, ..Ends::new(self.spelling, values) };
        }
        self.make("le", labelled);
    }

    fn of_values(&mut self, label: &str, values: impl Iterator<Item = f64> + Clone, labelled: bool) {
        if !values.clone().eq(self.values.iter().copied()) {
            *self = Ends::new(self.spelling, values.collect());
        }
        self.make(label, labelled);
    }

    fn make(&mut self, label: &str, labelled: bool) {
        let (ends, joint) = if labelled { (&mut self.labelled, "\",") } else { (&mut self.plain, "") };
        if ends.is_empty() {
            let end =
                |value: &f64| Piece::new(&(joint.to_owned() + &labels::end(label, *value, self.spelling)));
            ends.extend(self.values.iter().map(end));
            self.are_short &= ends.iter().all(|end| end.length <= MOST_END);
        }
    }

    fn made(&self, labelled: bool) -> &[Piece] {
        if labelled { &self.labelled } else { &self.plain }
    }
}

/// The most bytes of a number, of what stands around it and of the end of a line.
const MOST_NUMBER: usize = number::LONGEST + 8;

/// The most bytes of one of [`Ends`] on a short line.
const MOST_END: usize = number::LONGEST + 24;

/// The most bytes of a short line behind the labels.
pub(super) const MOST_REST: usize = MOST_NUMBER + MOST_END;

/// What stands between labels and a number.
const END: u64 = u64::from_le_bytes(*b"\"} \0\0\0\0\0");

impl Lines {
    pub(super) fn new(family: &Family, style: &Style) -> Lines {
        let (name, constants) = (&family.name, family.constants.text());
        let suffix = if family.kind == Type::Histogram { "_bucket" } else { "" };
        let [before, _] = labels::begin(&format!("{name}{suffix}"), &constants);
        let [_, plain] = labels::begin(name, &constants);
        let of = |suffix| Begin::new(&format!("{name}{suffix}"), &constants);
        let has_created = style.shows_created() && family.has_created();
        Lines {
            before,
            plain: Piece::new(&plain),
            sum: of("_sum"),
            count: of("_count"),
            created: has_created.then(|| Begin::new(&family.created(), &constants)),
            ends: Ends::new(style.bounds, Vec::new()),
            classic: Classic::default(),
        }
    }

    /// Writes the lines of a series that has these keys. Returns the hash of its labels, if that is asked for. `MORE` says
    /// whether there may be more than the lines that every format has.
    #[inline(always)]
    pub(super) fn write<const HASHED: bool, const MORE: bool>(
        &mut self,
        keys: &Spelled,
        series: &SeriesView<'_>,
        out: &mut Out<'_>,
        scratch: &mut Vec<u8>,
    ) -> u64 {
        let hash = self.write_value::<HASHED, MORE>(keys, series, out, scratch);
        if MORE && let Some(created) = &self.created {
            let begin = self.begin::<false>(keys, &series.labels, scratch);
            begin.total(created, Number::F64(seconds(series.started_unix_nanos)), out, scratch);
        }
        hash
    }

    /// `MORE` means nothing here: with it, what is written below is one function for each loop that calls it, and becomes a part of
    /// that loop.
    #[inline(always)]
    fn write_value<const HASHED: bool, const MORE: bool>(
        &mut self,
        keys: &Spelled,
        series: &SeriesView<'_>,
        out: &mut Out<'_>,
        scratch: &mut Vec<u8>,
    ) -> u64 {
        let number = match series.value {
            PointView::U64(value) => Number::U64(value),
            PointView::I64(value) => Number::I64(value),
            PointView::F64(value) => Number::F64(value),
            value => return self.distribution::<HASHED>(keys, &series.labels, value, out, scratch),
        };
        if !keys.are_short(&series.labels) {
            return self.long_number::<HASHED>(keys, &series.labels, number, out);
        }
        out.short(|line| {
            let written = keys.write_short::<HASHED>(&series.labels, line);
            self.end(line, written, number);
            written.hash
        })
    }

    #[cold]
    fn long_number<const HASHED: bool>(
        &self,
        keys: &Spelled,
        labels: &LabelsView<'_>,
        number: Number,
        out: &mut Out<'_>,
    ) -> u64 {
        out.long(self.before.len() + keys.most(labels) + MOST_NUMBER, |line| {
            let written = keys.write_long::<HASHED>(labels, line);
            self.end(line, written, number);
            written.hash
        })
    }

    /// Ends a line on which only labels stand.
    #[inline(always)]
    fn end(&self, line: &mut impl Line, written: Written, number: Number) {
        if written.any {
            line.word(END, 3);
        } else {
            line.piece(&self.plain);
        }
        line.number(number);
        line.byte(b'\n');
    }

    fn distribution<const HASHED: bool>(
        &mut self,
        keys: &Spelled,
        labels: &LabelsView<'_>,
        value: PointView<'_>,
        out: &mut Out<'_>,
        scratch: &mut Vec<u8>,
    ) -> u64 {
        let begin = self.begin::<HASHED>(keys, labels, scratch);
        let any = begin.written.any;
        let ends = &mut self.ends;
        let (sum, count) = match value {
            PointView::Histogram(buckets) => {
                ends.of_bounds(buckets.bounds, any);
                (buckets.sum, begin.buckets(ends, buckets.counts, out, scratch))
            }
            PointView::Exponential(exponential) => {
                let (bounds, counts) = self.classic.count(exponential);
                ends.of_values("le", bounds.iter().copied().chain([f64::INFINITY]), any);
                (exponential.sum, begin.buckets(ends, counts, out, scratch))
            }
            PointView::Summary(summary) => {
                ends.of_values("quantile", summary.quantiles.iter().map(|(quantile, _)| *quantile), any);
                let values = summary.quantiles.iter().map(|(_, value)| Number::F64(*value));
                begin.parts(ends, values, out, scratch);
                (summary.sum, summary.count)
            }
            _ => return 0,
        };
        begin.total(&self.sum, Number::F64(sum), out, scratch);
        begin.total(&self.count, Number::U64(count), out, scratch);
        begin.written.hash
    }

    /// Writes what the lines of a distribution's parts begin with.
    fn begin<const HASHED: bool>(
        &self,
        keys: &Spelled,
        labels: &LabelsView<'_>,
        scratch: &mut Vec<u8>,
    ) -> Beginning {
        let name = self.before.len();
        let most = (name + keys.most(labels) + BLOCK).max(size_of::<Room>());
        if scratch.len() < most {
            scratch.resize(most, 0);
        }
        if keys.are_short(labels)
            && let Some(room) = scratch.first_chunk_mut()
        {
            let mut line = Short::new(room);
            let written = keys.write_short::<HASHED>(labels, &mut line);
            if written.any {
                return Beginning { written, name, length: line.len(), is_short: true };
            }
        }
        let mut line = Long::new(scratch);
        let written = keys.write_long::<HASHED>(labels, &mut line);
        if !written.any {
            line.text(self.before.as_bytes());
        }
        Beginning { written, name, length: line.len(), is_short: false }
    }
}

/// Name and labels of a distribution, which are put together once, in a scratch, and copied to each of its lines.
struct Beginning {
    written: Written,
    /// How long the name is, and the whole.
    name: usize,
    length: usize,
    /// Whether the lines are short.
    is_short: bool,
}

impl Beginning {
    /// Writes the lines of all buckets. Returns how many values are in them.
    fn buckets(&self, ends: &Ends, counts: &[u64], out: &mut Out<'_>, scratch: &[u8]) -> u64 {
        let mut below = 0u64;
        let numbers = counts.iter().map(|count| {
            below = below.wrapping_add(*count);
            Number::U64(below)
        });
        self.parts(ends, numbers, out, scratch);
        below
    }

    /// Writes the lines of buckets or quantiles.
    fn parts(&self, ends: &Ends, numbers: impl Iterator<Item = Number>, out: &mut Out<'_>, scratch: &[u8]) {
        let is_short = self.is_short && ends.are_short;
        for (number, end) in numbers.zip(ends.made(self.written.any)) {
            if is_short {
                out.short(|line| self.part_on(line, end, number, scratch));
            } else {
                let most = self.length + end.length + MOST_NUMBER;
                out.long(most, |line| self.part_on(line, end, number, scratch));
            }
        }
    }

    #[inline(always)]
    fn part_on(&self, line: &mut impl Line, end: &Piece, number: Number, scratch: &[u8]) {
        line.again(scratch, 0, self.length);
        line.piece(end);
        line.number(number);
        line.byte(b'\n');
    }

    /// Writes the line of sum or count.
    fn total(&self, name: &Begin, number: Number, out: &mut Out<'_>, scratch: &[u8]) {
        if self.is_short {
            out.short(|line| self.total_on(line, name, number, scratch));
        } else {
            out.long(self.length + MOST_REST, |line| self.total_on(line, name, number, scratch));
        }
    }

    fn total_on(&self, line: &mut impl Line, name: &Begin, number: Number, scratch: &[u8]) {
        if self.written.any {
            line.piece(&name.labelled);
            line.again(scratch, self.name, self.length);
            line.word(END, 3);
        } else {
            line.piece(&name.plain);
        }
        line.number(number);
        line.byte(b'\n');
    }
}
