//! What series that have ended had counted, for the sums that they were in.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use metercast_core::LabelSet;
use metercast_core::reading::PointView;

use super::total::Total;

/// A series, by its line and its start.
pub(super) type Line = (u32, u64);

/// What a series had counted when it was seen last.
#[derive(Clone, Debug)]
pub(super) struct Counted {
    /// The labels of the sum that it is in.
    pub(super) labels: Arc<LabelSet>,
    pub(super) total: Total,
}

/// What is remembered of series that may end: a counter does not go down because one of those that it is the sum of has ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Ended {
    /// Counts the readings.
    reading: u64,
    /// The series as they were in the last reading, or are in this one.
    last: Lines<Seen>,
    /// Those that are on their way out, as they were last: they may come back, with all that they had counted.
    leaving: Lines<Counted>,
    /// What those had counted that do not come back, and since when, as long as there are others of their sum.
    gone: HashMap<Arc<LabelSet>, (Total, u64)>,
}

/// Something of each series.
type Lines<T> = HashMap<Line, T, BuildHasherDefault<OfLine>>;

/// A series in a reading.
#[derive(Clone, Debug)]
struct Seen {
    /// The reading.
    reading: u64,
    /// `None` if it is a part of another.
    counted: Option<Counted>,
}

/// The hash of a line. The store gives the numbers out, so nobody can choose those that meet.
#[derive(Clone, Copy, Default)]
struct OfLine(u64);

impl Hasher for OfLine {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64((*byte).into()));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    fn write_u64(&mut self, number: u64) {
        // An odd number without a pattern; the upper bits of the product depend on all of the factor's.
        let product = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = product ^ product >> 32;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Ended {
    /// Begins a reading.
    pub(super) fn begin(&mut self) {
        self.reading += 1;
    }

    /// A series has counted this in the reading, under these labels of its sum; `None` of one that is a part of another.
    pub(super) fn note(&mut self, line: Line, counted: Option<(&Arc<LabelSet>, &PointView<'_>)>) {
        let seen = self.last.entry(line).or_insert(Seen { reading: 0, counted: None });
        seen.reading = self.reading;
        match (counted, &mut seen.counted) {
            (Some((labels, value)), Some(counted)) => {
                if !Arc::ptr_eq(&counted.labels, labels) {
                    counted.labels = Arc::clone(labels);
                }
                counted.total.become_like(value);
            }
            (Some((labels, value)), none) => {
                let counted = |total| Counted { labels: Arc::clone(labels), total };
                *none = Total::of(value).map(counted);
            }
            (None, counted) => *counted = None,
        }
    }

    /// Ends a reading: which series are on their way out, and which sums there are. Exponential buckets become no more than
    /// `most`.
    pub(super) fn end(
        &mut self,
        leaving: impl FnOnce() -> HashSet<Line>,
        is_present: impl Fn(&Arc<LabelSet>) -> bool,
        most: Option<u32>,
    ) {
        let (reading, last) = (self.reading, &mut self.last);
        self.leaving.retain(|line, _| !last.contains_key(line));
        if last.values().any(|seen| seen.reading != reading) {
            let missing = last.extract_if(|_, seen| seen.reading != reading);
            self.leaving.extend(missing.filter_map(|(line, seen)| Some((line, seen.counted?))));
        }
        if !self.leaving.is_empty() {
            let leaving = leaving();
            let gone: Vec<_> = self.leaving.extract_if(|line, _| !leaving.contains(line)).collect();
            gone.into_iter().for_each(|((_, started), counted)| self.end_one(started, counted, most));
        }
        // Where nothing is left the series has ended as others do.
        let mut gone = std::mem::take(&mut self.gone);
        let awaited = self.awaited();
        gone.retain(|labels, _| is_present(labels) || awaited.contains(labels));
        self.gone = gone;
    }

    fn end_one(&mut self, started: u64, Counted { labels, total }: Counted, most: Option<u32>) {
        match self.gone.get_mut(&labels) {
            Some((all, since)) => {
                all.add(&total.view(), most);
                *since = started.min(*since);
            }
            None => drop(self.gone.insert(labels, (total, started))),
        }
    }

    /// The sums of which series may come back.
    pub(super) fn awaited(&self) -> HashSet<&Arc<LabelSet>> {
        self.leaving.values().map(|counted| &counted.labels).collect()
    }

    /// Gives what is not there any more: the labels of the sum that it was in, what it had counted, and since when.
    pub(super) fn each(&self, mut f: impl FnMut(&Arc<LabelSet>, &Total, u64)) {
        self.gone.iter().for_each(|(labels, (total, since))| f(labels, total, *since));
        self.leaving.iter().for_each(|((_, started), counted)| f(&counted.labels, &counted.total, *started));
    }
}

#[cfg(test)]
mod tests {
    use metercast_core::KeyValue;

    use super::*;

    fn sum(side: &'static str) -> Arc<LabelSet> {
        Arc::new(LabelSet::from_iter([KeyValue::new("side", side)]))
    }

    /// Reads series of one sum, of which there are others if `is_present`; what is not there any more, and since when.
    fn read(ended: &mut Ended, now: &[(Line, u64)], leaving: &[Line], is_present: bool) -> (u64, u64) {
        ended.begin();
        now.iter().for_each(|(line, total)| ended.note(*line, Some((&sum("buy"), &PointView::U64(*total)))));
        ended.end(|| leaving.iter().copied().collect(), |_| is_present, None);
        let (mut all, mut began) = (0, u64::MAX);
        ended.each(|_, total, since| {
            let Total::U64(total) = total else { panic!("{total:?}") };
            (all, began) = (all + total, began.min(since));
        });
        (all, began)
    }

    const NOTHING: (u64, u64) = (0, u64::MAX);
    const A: Line = (1, 10);
    const B: Line = (2, 20);

    #[test]
    fn what_comes_back_counts_once_however_long_it_was_away() {
        let mut ended = Ended::default();
        assert_eq!(read(&mut ended, &[(A, 100), (B, 1)], &[], true), NOTHING);
        for _ in 0..1_000 {
            assert_eq!(read(&mut ended, &[(B, 2)], &[A], true), (100, 10));
        }
        assert_eq!(read(&mut ended, &[(A, 101), (B, 2)], &[], true), NOTHING);
        assert_eq!(read(&mut ended, &[(B, 2)], &[A], true), (101, 10));
    }

    #[test]
    fn what_does_not_come_back_is_kept_although_its_line_is_used_again() {
        let mut ended = Ended::default();
        read(&mut ended, &[(A, 100), (B, 1)], &[], true);
        assert_eq!(read(&mut ended, &[(B, 1)], &[A], true), (100, 10));
        assert_eq!(read(&mut ended, &[(B, 1)], &[], true), (100, 10));
        let again = (A.0, 30);
        assert_eq!(read(&mut ended, &[(again, 7), (B, 1)], &[], true), (100, 10));
        assert_eq!(read(&mut ended, &[(B, 1)], &[again], true), (107, 10));
    }

    #[test]
    fn a_sum_of_which_all_are_leaving_waits_for_them() {
        let mut ended = Ended::default();
        read(&mut ended, &[(A, 100), (B, 1)], &[], true);
        assert_eq!(read(&mut ended, &[(B, 1)], &[], true), (100, 10));
        assert_eq!(read(&mut ended, &[], &[B], false), (101, 10));
        assert_eq!(read(&mut ended, &[(B, 2)], &[], true), (100, 10));
        read(&mut ended, &[], &[B], false);
        assert_eq!(read(&mut ended, &[], &[], false), NOTHING);
    }

    #[test]
    fn what_becomes_a_part_of_another_series_has_not_ended() {
        let mut ended = Ended::default();
        read(&mut ended, &[(A, 100)], &[], true);
        ended.begin();
        ended.note(A, None);
        ended.end(|| panic!("none is missing"), |_| true, None);
        ended.each(|_, total, _| panic!("{total:?}"));
    }
}
