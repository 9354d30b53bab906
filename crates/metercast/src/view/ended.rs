//! What series that have ended had counted, for the sums that they were in.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use metercast_core::LabelSet;

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
    /// The series as they were in the last reading.
    last: HashMap<Line, Counted>,
    /// Those that are on their way out, as they were last: they may come back, with all that they had counted.
    leaving: HashMap<Line, Counted>,
    /// What those had counted that do not come back, and since when, as long as there are others of their sum.
    gone: HashMap<Arc<LabelSet>, (Total, u64)>,
}

impl Ended {
    /// Takes in a reading: the series that it has, `None` for one that is a part of another; which are on their way out; and
    /// which sums there are. Exponential buckets become no more than `most`.
    pub(super) fn read(
        &mut self,
        now: HashMap<Line, Option<Counted>>,
        leaving: impl FnOnce() -> HashSet<Line>,
        is_present: impl Fn(&Arc<LabelSet>) -> bool,
        most: Option<u32>,
    ) {
        let before = std::mem::take(&mut self.last);
        self.leaving.extend(before);
        self.leaving.retain(|line, _| !now.contains_key(line));
        self.last = now.into_iter().filter_map(|(line, counted)| Some((line, counted?))).collect();
        if !self.leaving.is_empty() {
            let leaving = leaving();
            let all = std::mem::take(&mut self.leaving).into_iter();
            let (stay, gone): (HashMap<_, _>, Vec<_>) =
                all.fold(Default::default(), |(mut stay, mut gone), one| {
                    if leaving.contains(&one.0) {
                        stay.insert(one.0, one.1);
                    } else {
                        gone.push(one);
                    }
                    (stay, gone)
                });
            self.leaving = stay;
            gone.into_iter().for_each(|((_, started), counted)| self.end(started, counted, most));
        }
        // Where nothing is left the series has ended as others do.
        let mut gone = std::mem::take(&mut self.gone);
        let awaited = self.awaited();
        gone.retain(|labels, _| is_present(labels) || awaited.contains(labels));
        self.gone = gone;
    }

    fn end(&mut self, started: u64, Counted { labels, total }: Counted, most: Option<u32>) {
        match self.gone.get_mut(&labels) {
            Some((all, since)) => {
                all.add(total, most);
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
        let counted = |total: u64| Counted { labels: sum("buy"), total: Total::U64(total) };
        let now = now.iter().map(|(line, total)| (*line, Some(counted(*total)))).collect();
        ended.read(now, || leaving.iter().copied().collect(), |_| is_present, None);
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
        ended.read(HashMap::from([(A, None)]), || panic!("none is missing"), |_| true, None);
        ended.each(|_, total, _| panic!("{total:?}"));
    }
}
