//! What came of a series since it was delivered last, and what is known of it once that arrives too.
//!
//! A series is told of by its parts, which are as they were recorded: however a view puts series together, converts their units or
//! chooses their buckets, what is delivered of all streams adds up. A view's work is done on the differences.

use metercast_core::reading::{Part, PartId, PointView, SeriesView};

use super::bank::Cell;
use super::cursors::Cursors;
use super::distribution::{Distributions, Shown};
use super::format::Number;
use super::thread::Thread;
use super::told::{Told, Total};
use crate::view::{Stream, scaled, scaled_number};

/// Finds out what came of one series after the other.
#[derive(Debug, Default)]
pub(super) struct Since {
    totals: Vec<Total>,
    distributions: Distributions,
}

/// What came of a series.
#[derive(Debug)]
pub(super) struct Came<'a> {
    pub(super) value: Number<'a>,
    /// Since when.
    pub(super) start: u64,
}

impl Since {
    /// What came of a series of this stream; `None` if nothing did.
    pub(super) fn of(
        &mut self,
        cursors: &mut Cursors,
        thread: Thread,
        series: &SeriesView<'_>,
        stream: &Stream,
    ) -> Option<Came<'_>> {
        self.totals.clear();
        match series.value {
            PointView::Histogram(shown) => {
                self.distributions.of(cursors, thread, series, Shown::Buckets(shown.bounds), stream)
            }
            PointView::Exponential(_) => {
                self.distributions.of(cursors, thread, series, Shown::Exponential, stream)
            }
            // A view may make doubles of whole numbers, but what is compared are these.
            _ => match series.parts().next()?.value {
                PointView::U64(_) => self.whole(cursors, thread, series, stream.scale()),
                PointView::F64(_) => self.double(cursors, thread, series, stream.scale()),
                _ => None,
            },
        }
    }

    /// What came of the series that was asked for last and cannot be told in the same point: it was recorded into buckets that
    /// are not shown any more. Almost never there is any.
    pub(super) fn rest(&mut self, stream: &Stream) -> Option<Came<'_>> {
        self.distributions.rest(stream)
    }

    /// Tells what the series that was asked for last is at now.
    pub(super) fn tell(&mut self, thread: Thread, told: &mut Told) {
        told.thread(thread.number);
        told.totals.append(&mut self.totals);
        self.distributions.tell(told);
    }

    /// Tells what is there of a series, whatever is known of it.
    pub(super) fn follow(
        &mut self,
        cursors: &mut Cursors,
        thread: Thread,
        series: &SeriesView<'_>,
        told: &mut Told,
    ) {
        self.take_if(cursors, thread, series, told, |_| true);
    }

    /// The same unless something of it is known.
    pub(super) fn take(
        &mut self,
        cursors: &mut Cursors,
        thread: Thread,
        series: &SeriesView<'_>,
        told: &mut Told,
    ) {
        self.take_if(cursors, thread, series, told, |at| at == 0);
    }

    fn take_if(
        &mut self,
        cursors: &mut Cursors,
        thread: Thread,
        series: &SeriesView<'_>,
        told: &mut Told,
        is_taken: impl Fn(u64) -> bool,
    ) {
        for part in series.parts() {
            let bits = match part.value {
                PointView::U64(value) => value,
                PointView::F64(value) => value.to_bits(),
                _ => {
                    self.distributions.take(cursors, thread, &part, told, &is_taken);
                    continue;
                }
            };
            if let Some((place, cell)) = cursors.cell(thread, &part)
                && is_taken(cell.at)
            {
                told.totals.push(Total { place, started: part.started_unix_nanos, bits });
            }
        }
    }

    fn whole(
        &mut self,
        cursors: &mut Cursors,
        thread: Thread,
        series: &SeriesView<'_>,
        scale: Option<f64>,
    ) -> Option<Came<'_>> {
        let (mut came, mut start) = (0u64, thread.since);
        // Of which part the most came, and how much.
        let (mut largest, mut most) = (0, 0);
        for part in series.parts() {
            let PointView::U64(now) = part.value else { continue };
            let Some((place, before)) = cursors.cell(thread, &part) else { continue };
            // Who counts elsewhere may have begun anew; ours wraps.
            let is_anew = is_observed(&part) && now < before.bits;
            let of_part = if is_anew { now } else { now.wrapping_sub(before.bits) };
            came = came.wrapping_add(of_part);
            if of_part > most {
                (largest, most) = (self.totals.len(), of_part);
            }
            start = start.max(before.at);
            self.totals.push(Total { place, started: part.started_unix_nanos, bits: now });
        }
        if came == 0 {
            return None;
        }
        let shown = scale.map_or(PointView::U64(came), |scale| scaled_number(PointView::U64(came), scale));
        let value = match Number::of(&shown)? {
            Number::Double(_) if came > EXACT => {
                // As much of it as a double says exactly; the rest comes with the next. It is left to a part of which so much
                // came: one that is told more than it is at would seem to have begun anew.
                let rest = came % (1 << 11);
                if let Some(total) = self.totals.get_mut(largest) {
                    total.bits = total.bits.wrapping_sub(rest);
                }
                Number::Double(in_unit((came - rest) as f64, scale))
            }
            value => value,
        };
        Some(Came { value, start })
    }

    fn double(
        &mut self,
        cursors: &mut Cursors,
        thread: Thread,
        series: &SeriesView<'_>,
        scale: Option<f64>,
    ) -> Option<Came<'_>> {
        let (mut came, mut start) = (0.0, thread.since);
        let mut before_all = None;
        for part in series.parts() {
            let PointView::F64(now) = part.value else { continue };
            let Some((place, Cell { at, bits, .. })) = cursors.cell(thread, &part) else { continue };
            let before = f64::from_bits(bits);
            came += if is_observed(&part) && now < before { now } else { now - before };
            start = start.max(at);
            before_all = (!is_observed(&part)).then_some(before);
            let total = Total { place, started: part.started_unix_nanos, bits: now.to_bits() };
            self.totals.push(total);
        }
        // Also if a difference is none, above what a double can be.
        if came.is_nan() || came <= 0.0 {
            return None;
        }
        if let ([only], Some(before)) = (&mut self.totals[..], before_all) {
            // What the receiver has when it adds this up. If that was rounded, the next difference makes it good.
            only.bits = (before + came).to_bits();
        }
        Some(Came { value: Number::Double(in_unit(came, scale)), start })
    }
}

/// Up to this a double says each whole number.
const EXACT: u64 = 1 << f64::MANTISSA_DIGITS;

fn in_unit(value: f64, scale: Option<f64>) -> f64 {
    scale.map_or(value, |scale| scaled(value, scale))
}

fn is_observed(part: &Part<'_>) -> bool {
    matches!(part.id, PartId::Observed(_))
}
