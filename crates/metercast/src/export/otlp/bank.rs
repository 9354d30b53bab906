//! What was delivered of the parts of series, each found by its number.

use std::sync::Arc;

use metercast_core::reading::Exponential;

/// What was delivered of each part, in one of the streams that are made of its metric.
#[derive(Debug, Default)]
pub(super) struct Bank {
    pub(super) named: Chunks<Cell>,
    pub(super) lines: Chunks<Cell>,
    pub(super) distributions: Chunks<Option<Box<Distribution>>>,
}

/// What was delivered of a part of a counter.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cell {
    /// When the part began: if another begins later, this is nothing.
    pub(super) started: u64,
    /// When the reading was made that was delivered last; 0 if none was.
    pub(super) at: u64,
    /// Its value then.
    pub(super) bits: u64,
}

/// What was delivered of a part of a histogram.
#[derive(Debug)]
pub(super) struct Distribution {
    started: u64,
    pub(super) at: u64,
    /// The last reading that it was in, or was told of.
    seen: u64,
    /// Mostly there is one.
    first: OfStage,
    others: Vec<OfStage>,
    /// Another part at the same place, which began at another time.
    next: Option<Box<Distribution>>,
}

/// The bounds of a stage, its two sums and its counts.
type Counts<'a> = (&'a Arc<[f64]>, &'a [u64; 2], &'a [u64]);

/// What was delivered of what a part counted since a moment, in all the buckets that are kept: so it does not matter which of
/// them were shown.
#[derive(Debug, Default)]
pub(super) struct OfStage {
    since: u64,
    number: u32,
    /// When it was delivered: if the part was later, this stage is over. 0 if it never was.
    at: u64,
    bounds: Arc<[f64]>,
    /// The sum that was read, the one that the receiver has, and a count for each of the buckets. Empty if it has none.
    words: Box<[u64]>,
    pub(super) exponential: Option<Box<Exponential>>,
}

impl Distribution {
    /// What was delivered of the part at this place that began then. It is in this reading.
    pub(super) fn known(
        place: &mut Option<Box<Distribution>>,
        started: u64,
        reading: u64,
    ) -> Option<&Distribution> {
        let mut at = place.as_deref_mut();
        while let Some(known) = at {
            if known.started == started {
                known.seen = known.seen.max(reading);
                return Some(known);
            }
            at = known.next.as_deref_mut();
        }
        None
    }

    /// The part at this place that began then, made if need be, now at `reading`. Others at the place that were in no reading
    /// since `told` are over.
    pub(super) fn made(
        place: &mut Option<Box<Distribution>>,
        started: u64,
        told: u64,
        reading: u64,
    ) -> &mut Distribution {
        let mut first = place.take();
        let mut found = None;
        let mut others = None;
        while let Some(mut known) = first {
            first = known.next.take();
            if known.started == started {
                found = Some(known);
            } else if known.seen >= told {
                known.next = others;
                others = Some(known);
            }
        }
        let mut found = found.unwrap_or_else(|| Box::new(Distribution::new(started)));
        found.seen = reading;
        found.next = others;
        place.insert(found)
    }

    fn new(started: u64) -> Distribution {
        let (first, others) = (OfStage::default(), Vec::new());
        Distribution { started, at: 0, seen: 0, first, others, next: None }
    }

    /// What was delivered of what it counted since then, in the stage of this number. If none was of that, which may be new, it
    /// was in the last one before it: the one goes on from the other.
    #[inline]
    pub(super) fn stage(&self, since: u64, number: u32) -> Option<&OfStage> {
        let is_of_it =
            |stage: &&OfStage| stage.since == since && stage.at == self.at && stage.number <= number;
        let first = Some(&self.first).filter(is_of_it);
        if self.others.is_empty() {
            return first;
        }
        first.into_iter().chain(self.others.iter().filter(is_of_it)).max_by_key(|stage| stage.number)
    }

    /// The same for what a request told that was made at `at`. `None` if more is known.
    pub(super) fn learn(&mut self, since: u64, number: u32, at: u64) -> Option<&mut OfStage> {
        if self.at > at {
            return None;
        }
        self.at = at;
        let is_it = |stage: &OfStage| (stage.since, stage.number) == (since, number);
        let stage = if self.first.at == 0 || is_it(&self.first) {
            &mut self.first
        } else {
            let known = self.others.iter().position(is_it).unwrap_or_else(|| {
                self.others.retain(|stage| stage.at == at);
                self.others.push(OfStage::default());
                self.others.len() - 1
            });
            &mut self.others[known]
        };
        (stage.since, stage.number, stage.at) = (since, number, at);
        Some(stage)
    }
}

impl OfStage {
    pub(super) fn counts(&self) -> Option<Counts<'_>> {
        let (sums, counts) = self.words.split_first_chunk()?;
        (counts.len() == self.bounds.len() + 1).then_some((&self.bounds, sums, counts))
    }

    pub(super) fn learn_words(&mut self, bounds: Arc<[f64]>, words: &[u64]) {
        self.bounds = bounds;
        if self.words.len() == words.len() {
            self.words.copy_from_slice(words);
        } else {
            self.words = words.into();
        }
    }
}

/// A list with gaps: there is memory where something is.
#[derive(Debug, Default)]
pub(super) struct Chunks<T>(Vec<Option<Box<[T]>>>);

const CHUNK: usize = 512;

impl<T: Default> Chunks<T> {
    #[inline]
    pub(super) fn get(&self, at: u32) -> Option<&T> {
        let at = at as usize;
        self.0.get(at / CHUNK)?.as_deref()?.get(at % CHUNK)
    }

    pub(super) fn get_mut(&mut self, at: u32) -> Option<&mut T> {
        let at = at as usize;
        self.0.get_mut(at / CHUNK)?.as_deref_mut()?.get_mut(at % CHUNK)
    }

    /// What is there, or its default from now on.
    pub(super) fn made(&mut self, at: u32) -> &mut T {
        let at = at as usize;
        if self.0.len() <= at / CHUNK {
            self.0.resize_with(at / CHUNK + 1, || None);
        }
        let chunk = self.0[at / CHUNK].get_or_insert_with(|| (0..CHUNK).map(|_| T::default()).collect());
        &mut chunk[at % CHUNK]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Delivers what a stage with these bounds is at.
    fn deliver(
        known: &mut Distribution,
        (since, number): (u64, u32),
        bounds: &[f64],
        counts: &[u64],
        at: u64,
    ) {
        let words: Vec<u64> = [0; 2].iter().chain(counts).copied().collect();
        known.learn(since, number, at).unwrap().learn_words(bounds.into(), &words);
    }

    fn counts(known: &Distribution, since: u64, number: u32) -> Option<&[u64]> {
        known.stage(since, number)?.counts().map(|(.., counts)| counts)
    }

    #[test]
    fn stages_that_began_at_once_are_remembered_each_for_itself() {
        let mut known = Distribution::new(5);
        for round in 1..4 {
            let of = |number: u64| [10 * round + number];
            deliver(&mut known, (5, 2), &[], &of(2), round);
            deliver(&mut known, (5, 1), &[], &of(1), round);
            deliver(&mut known, (5, 0), &[], &of(0), round);
            deliver(&mut known, (9, 0), &[], &of(9), round);
            for (since, number, is) in [(5, 2, 2), (5, 1, 1), (5, 0, 0), (9, 0, 9)] {
                assert_eq!(counts(&known, since, number), Some(&of(is)[..]), "{since} {number}");
            }
        }
    }

    #[test]
    fn a_stage_that_came_before_another_goes_on_from_what_was_delivered_of_it() {
        let mut known = Distribution::new(5);
        deliver(&mut known, (5, 0), &[1.0], &[3, 4], 1);
        // Two came since; nobody was told of the first.
        assert_eq!(counts(&known, 5, 2), Some(&[3, 4][..]));
        assert_eq!(counts(&known, 9, 0), None, "what began later goes on from nothing");
        deliver(&mut known, (5, 1), &[], &[8], 2);
        deliver(&mut known, (5, 0), &[1.0], &[3, 4], 2);
        assert_eq!(counts(&known, 5, 2), Some(&[8][..]), "the last before it");
        // Of those that are there no more nothing is known.
        deliver(&mut known, (5, 2), &[], &[9], 3);
        assert_eq!((counts(&known, 5, 2), counts(&known, 5, 1)), (Some(&[9][..]), None));
    }
}
