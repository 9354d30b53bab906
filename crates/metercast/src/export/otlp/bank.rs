//! What was delivered of the parts of series, each found by its number.

use std::sync::Arc;

use metercast_core::reading::Exponential;

/// What was delivered of each part, in one of the streams that are made of its metric.
#[derive(Debug, Default)]
pub(super) struct Bank {
    pub(super) named: Chunks<Cell>,
    pub(super) lines: Chunks<Cell>,
    distributions: Chunks<Option<Box<Distribution>>>,
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
    /// Another part on the same line, which began at another time.
    next: Option<Box<Distribution>>,
}

/// The bounds of a stage, its two sums and its counts.
type Counts<'a> = (&'a Arc<[f64]>, &'a [u64; 2], &'a [u64]);

/// What was delivered of what a part counted since a moment, in all the buckets that are kept: so it does not matter which of
/// them were shown.
#[derive(Debug, Default)]
pub(super) struct OfStage {
    since: u64,
    /// When it was delivered: if the part was later, this stage is over. 0 if it never was.
    at: u64,
    bounds: Arc<[f64]>,
    /// The sum that was read, the one that the receiver has, and a count for each of the buckets. Empty if it has none.
    words: Box<[u64]>,
    pub(super) exponential: Option<Box<Exponential>>,
}

impl Bank {
    /// What was delivered of the part on this line that began then. It is in this reading.
    pub(super) fn distribution(&mut self, line: u32, started: u64, reading: u64) -> Option<&Distribution> {
        let mut at = self.distributions.get_mut(line)?.as_deref_mut();
        while let Some(known) = at {
            if known.started == started {
                known.seen = known.seen.max(reading);
                return Some(known);
            }
            at = known.next.as_deref_mut();
        }
        None
    }

    /// The part on this line that began then, made if need be, now at `reading`. Others on the line that were in no reading
    /// since `told` are over.
    pub(super) fn made(&mut self, line: u32, started: u64, told: u64, reading: u64) -> &mut Distribution {
        let mut first = self.distributions.made(line).take();
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
        self.distributions.made(line).insert(found)
    }
}

impl Distribution {
    fn new(started: u64) -> Distribution {
        let (first, others) = (OfStage::default(), Vec::new());
        Distribution { started, at: 0, seen: 0, first, others, next: None }
    }

    /// What was delivered of what it counted since then.
    #[inline]
    pub(super) fn stage(&self, since: u64) -> Option<&OfStage> {
        let is_it = |stage: &&OfStage| stage.since == since && stage.at == self.at;
        Some(&self.first).filter(is_it).or_else(|| self.others.iter().find(is_it))
    }

    /// The same for what a request told that was made at `at`. `None` if more is known.
    pub(super) fn learn(&mut self, since: u64, at: u64) -> Option<&mut OfStage> {
        if self.at > at {
            return None;
        }
        self.at = at;
        let stage = if self.first.at == 0 || self.first.since == since {
            &mut self.first
        } else {
            let known = self.others.iter().position(|stage| stage.since == since).unwrap_or_else(|| {
                self.others.retain(|stage| stage.at == at);
                self.others.push(OfStage::default());
                self.others.len() - 1
            });
            &mut self.others[known]
        };
        (stage.since, stage.at) = (since, at);
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

    fn get_mut(&mut self, at: u32) -> Option<&mut T> {
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
