//! What a request says of counters and histograms, to be remembered once it has arrived.

use std::sync::Arc;

use metercast_core::reading::Exponential;

/// The totals up to which a request tells what came. It is the request's own: if nothing is heard of it, nothing has to be
/// undone.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Which reading it is of.
    pub(super) reading: u64,
    /// When that was made.
    pub(super) time: u64,
    /// The threads that have points in it since what was delivered last.
    pub(super) threads: Vec<u32>,
    pub(super) totals: Vec<Total>,
    pub(super) histograms: Vec<Buckets>,
    /// The numbers of the histograms, one after the other.
    pub(super) words: Vec<u64>,
    pub(super) exponentials: Vec<(Stage, Exponential)>,
}

/// The total of a part of a counter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Total {
    pub(super) place: Place,
    pub(super) started: u64,
    /// What of it the receiver knows now.
    pub(super) bits: u64,
}

/// Where it is remembered what a part was at.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Named { bank: u16, number: u32 },
    Line(Line),
    Observed { thread: u32, at: u32 },
}

/// A line in a bank.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) bank: u16,
    pub(super) number: u32,
}

/// What a part of a histogram counted since a moment, over the buckets that it has kept since then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stage {
    pub(super) place: Place,
    /// When the part began.
    pub(super) started: u64,
    pub(super) since: u64,
    /// Which of those that began then.
    pub(super) number: u32,
}

/// What all buckets hold.
#[derive(Debug)]
pub(super) struct Buckets {
    pub(super) stage: Stage,
    pub(super) bounds: Arc<[f64]>,
    /// How many words it has: the sum that was read, the one that the receiver has, and the counts.
    pub(super) words: usize,
}

impl Told {
    /// A thread has a point in it.
    #[inline]
    pub(super) fn thread(&mut self, thread: u32) {
        if self.threads.last() != Some(&thread) {
            self.threads.push(thread);
        }
    }

    /// The same with room for as much, but nothing in it.
    pub(super) fn cleared(mut self) -> Told {
        self.threads.clear();
        self.totals.clear();
        self.histograms.clear();
        self.words.clear();
        self.exponentials.clear();
        self
    }
}
