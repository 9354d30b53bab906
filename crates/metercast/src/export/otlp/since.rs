//! What came of a series since it was delivered last, and what is known of it once that arrives too.

use metercast_core::reading::{BucketsView, Exponential, Part, PartId, PointView, SeriesView};

use super::cursors::{Cell, Cursors, ToldOf};
use super::format::{Histogram, Number, may_have_sum};
use super::told::{Buckets, Told, Total};

/// Finds out what came of one series after the other.
#[derive(Debug, Default)]
pub(super) struct Since {
    counts: Vec<u64>,
    exponential: Exponential,
    news: News,
}

/// What is to be known of the series if it arrives.
#[derive(Debug, Default)]
struct News {
    totals: Vec<Total>,
    histogram: Option<Buckets>,
    words: Vec<u64>,
    exponential: Option<(u32, u64, Exponential)>,
}

/// What came of a series.
#[derive(Debug)]
pub(super) struct Came<'a> {
    pub(super) value: Number<'a>,
    /// Since when.
    pub(super) start: u64,
}

impl Since {
    /// What came of a series of this metric; `None` if nothing did.
    pub(super) fn of(
        &mut self,
        cursors: &mut Cursors,
        metric: u32,
        series: &SeriesView<'_>,
    ) -> Option<Came<'_>> {
        self.news.totals.clear();
        match series.value {
            PointView::U64(_) => self.whole(cursors, metric, series),
            PointView::F64(_) => self.double(cursors, metric, series),
            PointView::Histogram(now) => self.histogram(cursors, metric, series, now),
            PointView::Exponential(now) => self.exponential(cursors, metric, series, now),
            _ => None,
        }
    }

    /// Tells what the series that was asked for last is at now.
    pub(super) fn tell(&mut self, metric: u32, told: &mut Told) {
        told.metric(metric);
        told.totals.append(&mut self.news.totals);
        if let Some(histogram) = self.news.histogram.take() {
            told.histograms.push(histogram);
            told.words.extend_from_slice(&self.news.words);
        }
        told.exponentials.extend(self.news.exponential.take());
    }

    fn whole(&mut self, cursors: &mut Cursors, metric: u32, series: &SeriesView<'_>) -> Option<Came<'_>> {
        let (mut came, mut start) = (0u64, cursors.since(metric));
        // Of which part the most came, and how much.
        let (mut largest, mut most) = (0, 0);
        for part in series.parts() {
            let PointView::U64(now) = part.value else { continue };
            let Some((place, before)) = cursors.cell(metric, &part) else { continue };
            // Who counts elsewhere may have begun anew; ours wraps.
            let is_anew = is_observed(&part) && now < before.bits;
            let of_part = if is_anew { now } else { now.wrapping_sub(before.bits) };
            came = came.wrapping_add(of_part);
            if of_part > most {
                (largest, most) = (self.news.totals.len(), of_part);
            }
            start = start.max(before.at);
            self.news.totals.push(Total { place, started: part.started_unix_nanos, bits: now });
        }
        if came == 0 {
            return None;
        }
        let value = match i64::try_from(came) {
            Ok(came) => Number::Int(came),
            Err(_) => {
                // As much of it as a double says exactly; the rest comes with the next. It is left to a part of which so much
                // came: one that is told more than it is at would seem to have begun anew.
                let rest = came % (1 << 11);
                if let Some(total) = self.news.totals.get_mut(largest) {
                    total.bits = total.bits.wrapping_sub(rest);
                }
                Number::Double((came - rest) as f64)
            }
        };
        Some(Came { value, start })
    }

    fn double(&mut self, cursors: &mut Cursors, metric: u32, series: &SeriesView<'_>) -> Option<Came<'_>> {
        let (mut came, mut start) = (0.0, cursors.since(metric));
        let mut before_all = None;
        for part in series.parts() {
            let PointView::F64(now) = part.value else { continue };
            let Some((place, Cell { at, bits, .. })) = cursors.cell(metric, &part) else { continue };
            let before = f64::from_bits(bits);
            came += if is_observed(&part) && now < before { now } else { now - before };
            start = start.max(at);
            before_all = (!is_observed(&part)).then_some(before);
            let total = Total { place, started: part.started_unix_nanos, bits: now.to_bits() };
            self.news.totals.push(total);
        }
        // Also if a difference is none, above what a double can be.
        if came.is_nan() || came <= 0.0 {
            return None;
        }
        if let ([only], Some(before)) = (&mut self.news.totals[..], before_all) {
            // What the receiver has when it adds this up. If that was rounded, the next difference makes it good.
            only.bits = (before + came).to_bits();
        }
        Some(Came { value: Number::Double(came), start })
    }

    fn histogram(
        &mut self,
        cursors: &Cursors,
        metric: u32,
        series: &SeriesView<'_>,
        now: BucketsView<'_>,
    ) -> Option<Came<'_>> {
        let (line, started) = line_of(series)?;
        let mut start = cursors.since(metric);
        let mut before = None;
        if let Some(known) = cursors.distribution(line, started) {
            start = start.max(known.at);
            before = match &known.told {
                ToldOf::Words(words) => {
                    words.split_first_chunk().filter(|(_, counts)| counts.len() == now.counts.len())
                }
                ToldOf::Exponential(_) => None,
            };
        }
        self.counts.clear();
        match before {
            Some((_, before)) => {
                let came = now.counts.iter().zip(before).map(|(now, before)| now.wrapping_sub(*before));
                self.counts.extend(came);
            }
            None => self.counts.extend_from_slice(now.counts),
        }
        let count = self.counts.iter().fold(0u64, |sum, count| sum.wrapping_add(*count));
        if count == 0 {
            return None;
        }
        // The sum that was read, and the one that the receiver has when it adds up what it was told.
        let [seen, has] = before.map_or([0.0; 2], |(sums, _): (&[u64; 2], _)| sums.map(f64::from_bits));
        let came = (now.sum - has).max(0.0);
        let may_have_sum = now.sum >= seen && may_have_sum(now.bounds);
        let (sum, has) = if may_have_sum { (Some(came), has + came) } else { (None, now.sum) };
        let News { words, histogram, .. } = &mut self.news;
        words.clear();
        words.extend([now.sum.to_bits(), has.to_bits()]);
        words.extend_from_slice(now.counts);
        *histogram = Some(Buckets { line, started, words: words.len() });
        let value = Number::Histogram(Histogram { bounds: now.bounds, counts: &self.counts, count, sum });
        Some(Came { value, start })
    }

    fn exponential(
        &mut self,
        cursors: &Cursors,
        metric: u32,
        series: &SeriesView<'_>,
        now: &Exponential,
    ) -> Option<Came<'_>> {
        let (line, started) = line_of(series)?;
        let mut start = cursors.since(metric);
        self.exponential = now.clone();
        if let Some(known) = cursors.distribution(line, started) {
            start = start.max(known.at);
            if let ToldOf::Exponential(before) = &known.told {
                self.exponential = now.since(before);
            }
        }
        if self.exponential.is_empty() {
            return None;
        }
        self.news.exponential = Some((line, started, now.clone()));
        Some(Came { value: Number::Exponential(&self.exponential), start })
    }
}

fn is_observed(part: &Part<'_>) -> bool {
    matches!(part.id, PartId::Observed(_))
}

/// The line of a distribution, which is its only part, and its start.
fn line_of(series: &SeriesView<'_>) -> Option<(u32, u64)> {
    let part = series.parts().next()?;
    match part.id {
        PartId::Line(line) => Some((line, part.started_unix_nanos)),
        _ => None,
    }
}
