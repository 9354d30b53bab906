//! What a request says of counters and histograms, to be remembered once it has arrived.

use metercast_core::reading::Exponential;

/// The totals up to which a request tells what came. It is the request's own: if nothing is heard of it, nothing has to be
/// undone.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Which reading it is of.
    pub(super) reading: u64,
    /// When that was made.
    pub(super) time: u64,
    /// The metrics that have points in it since what was delivered last.
    pub(super) metrics: Vec<u32>,
    pub(super) totals: Vec<Total>,
    pub(super) histograms: Vec<Buckets>,
    /// The numbers of the histograms, one after the other.
    pub(super) words: Vec<u64>,
    pub(super) exponentials: Vec<(u32, u64, Exponential)>,
}

/// The total of a part of a counter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Total {
    pub(super) place: Place,
    pub(super) started: u64,
    /// What of it the receiver knows now.
    pub(super) bits: u64,
}

/// Where the total of a part is remembered.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Named(u32),
    Line(u32),
    Observed { metric: u32, at: u32 },
}

/// What a histogram holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Buckets {
    pub(super) line: u32,
    pub(super) started: u64,
    /// How many words it has.
    pub(super) words: usize,
}

impl Told {
    /// A metric has a point in it.
    #[inline]
    pub(super) fn metric(&mut self, metric: u32) {
        if self.metrics.last() != Some(&metric) {
            self.metrics.push(metric);
        }
    }

    /// The same with room for as much, but nothing in it.
    pub(super) fn cleared(mut self) -> Told {
        self.metrics.clear();
        self.totals.clear();
        self.histograms.clear();
        self.words.clear();
        self.exponentials.clear();
        self
    }
}
