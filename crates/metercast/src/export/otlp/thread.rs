//! What a receiver has been told of a stream as a whole, and which stream goes on with it when all are made anew.

use std::collections::HashMap;

use metercast_core::LabelSet;

use super::bank::{Cell, Distribution};

/// What tells streams apart, also those that come after them: the metric that they are made of, and the name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Identity<'a> {
    /// The address of the definition, which lives as long as the program.
    pub(super) metric: usize,
    /// 0 of the first stream that is made of the metric.
    pub(super) ordinal: u32,
    pub(super) name: &'a str,
}

/// What a stream is told by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thread {
    pub(super) number: u32,
    pub(super) bank: u16,
    /// What was told before is nothing any more.
    pub(super) from: u64,
    /// Since when what is not delivered yet came, unless a part knows better.
    pub(super) since: u64,
}

/// What is known of a stream.
#[derive(Debug)]
pub(super) struct OfStream {
    metric: usize,
    ordinal: u32,
    name: Box<str>,
    pub(super) bank: u16,
    pub(super) state: State,
    /// Whether there is such a stream since streams were made last.
    is_claimed: bool,
    pub(super) from: u64,
    pub(super) since: u64,
    /// Requests of the last reading of which nothing is known yet.
    pub(super) open: u32,
    index: HashMap<LabelSet, u32>,
    observed: Vec<Observed>,
    /// The reading in which places were given up.
    moved: u64,
}

/// What a receiver is told of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing that must be remembered.
    Idle,
    /// Everything since the start, and soon what came since.
    Followed,
    /// What came since the last delivery.
    Delta,
}

/// What was delivered of what callbacks and producers say.
#[derive(Debug, Default)]
struct Observed {
    cell: Cell,
    distribution: Option<Box<Distribution>>,
    /// The last reading that it was in.
    seen: u64,
}

/// The most series of a metric that are remembered although callbacks do not say them any more: as many as they may say.
const MOST_GONE: usize = 2_000;

/// All streams of which something is known. There are few of a metric, and none is ever taken out: what is on its way names
/// them by their numbers.
#[derive(Debug, Default)]
pub(super) struct Threads(Vec<OfStream>);

impl Threads {
    pub(super) fn get(&self, number: u32) -> Option<&OfStream> {
        self.0.get(number as usize)
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut OfStream> {
        self.0.get_mut(number as usize)
    }

    pub(super) fn each(&mut self) -> impl Iterator<Item = &mut OfStream> {
        self.0.iter_mut()
    }

    /// All streams are made anew: what is known waits for those that go on with it.
    pub(super) fn release(&mut self) {
        self.0.iter_mut().for_each(|known| known.is_claimed = false);
    }

    /// What the stream goes on with that has this metric and name, unless another has it.
    pub(super) fn claim(&mut self, stream: Identity<'_>) -> Option<u32> {
        let number = self.claim_where(|known| {
            let is_free = !known.is_claimed || known.ordinal == stream.ordinal;
            known.metric == stream.metric && *known.name == *stream.name && is_free
        })?;
        if let Some(known) = self.get_mut(number) {
            known.ordinal = stream.ordinal;
        }
        Some(number)
    }

    /// What the first stream of a metric goes on with under another name.
    pub(super) fn claim_renamed(&mut self, stream: Identity<'_>) -> Option<u32> {
        let is_first = stream.ordinal == 0;
        let number = self.claim_where(|known| {
            is_first && known.metric == stream.metric && known.ordinal == 0 && !known.is_claimed
        })?;
        if let Some(known) = self.get_mut(number) {
            known.name = stream.name.into();
        }
        Some(number)
    }

    fn claim_where(&mut self, is_it: impl Fn(&OfStream) -> bool) -> Option<u32> {
        let at = self.0.iter().position(|known| known.state != State::Idle && is_it(known))?;
        self.0[at].is_claimed = true;
        Some(at as u32)
    }

    /// A stream begins of which nothing is known, and nothing before `from` concerns it.
    pub(super) fn begin(&mut self, stream: Identity<'_>, from: u64, since: u64, reading: u64) -> u32 {
        let of_metric = || self.0.iter().filter(|known| known.metric == stream.metric);
        let is_free = |known: &OfStream| known.metric == stream.metric && known.state == State::Idle;
        // What was told of the last one that was here is from before.
        let at = self.0.iter().position(|known| from > 0 && is_free(known));
        let bank = match at {
            Some(at) => self.0[at].bank,
            None => (0..).find(|bank| of_metric().all(|known| known.bank != *bank)).unwrap_or_default(),
        };
        let known = OfStream {
            metric: stream.metric,
            ordinal: stream.ordinal,
            name: stream.name.into(),
            bank,
            state: State::Delta,
            is_claimed: true,
            from,
            since,
            open: 0,
            index: HashMap::new(),
            observed: Vec::new(),
            moved: reading,
        };
        match at {
            Some(at) => {
                self.0[at] = known;
                at as u32
            }
            None => {
                self.0.push(known);
                self.0.len() as u32 - 1
            }
        }
    }

    /// Nothing is known any more of streams of these metrics that nobody goes on with.
    pub(super) fn end_unclaimed(&mut self, is_there: impl Fn(usize) -> bool) {
        let over = |known: &&mut OfStream| !known.is_claimed && is_there(known.metric);
        self.0.iter_mut().filter(over).for_each(OfStream::end);
    }
}

impl OfStream {
    pub(super) fn thread(&self, number: u32) -> Thread {
        let OfStream { bank, from, since, .. } = *self;
        Thread { number, bank, from, since: since.max(from) }
    }

    /// Nothing is known of it any more.
    pub(super) fn end(&mut self) {
        self.state = State::Idle;
        self.index = HashMap::new();
        self.observed = Vec::new();
    }

    /// What was delivered of the series with these labels that callbacks or producers say, and its place, made if need be.
    pub(super) fn observed(&mut self, labels: &LabelSet, reading: u64) -> (u32, Cell) {
        let at = match self.index.get(labels) {
            Some(at) => *at,
            None => {
                let at = self.observed.len() as u32;
                self.index.insert(labels.clone(), at);
                self.observed.push(Observed::default());
                at
            }
        };
        let Some(observed) = self.observed.get_mut(at as usize) else { return (at, Cell::default()) };
        observed.seen = reading;
        (at, observed.cell)
    }

    /// The cell at the place that a request of this reading names.
    pub(super) fn observed_at(&mut self, at: u32, reading: u64) -> Option<&mut Cell> {
        let observed = self.observed.get_mut(at as usize).filter(|_| self.moved <= reading)?;
        Some(&mut observed.cell)
    }

    /// What was delivered of the distribution at the place that a request of this reading names, if anything was.
    pub(super) fn distribution_at(
        &mut self,
        at: u32,
        reading: u64,
    ) -> Option<&mut Option<Box<Distribution>>> {
        let observed = self.observed.get_mut(at as usize).filter(|_| self.moved <= reading)?;
        Some(&mut observed.distribution)
    }

    /// Gives up what callbacks have not said for the last reading, if that has become much. Who comes back later than that
    /// begins anew.
    pub(super) fn forget(&mut self, reading: u64) {
        let is_gone = |observed: &Observed| observed.seen + 1 < reading;
        if self.observed.iter().filter(|observed| is_gone(observed)).count() <= MOST_GONE {
            return;
        }
        let mut before = std::mem::take(&mut self.observed);
        self.moved = reading;
        self.index.retain(|_, at| {
            let stays = before.get_mut(*at as usize).filter(|observed| !is_gone(observed));
            let stays = stays.map(std::mem::take);
            *at = self.observed.len() as u32;
            let is_there = stays.is_some();
            self.observed.extend(stays);
            is_there
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_streams_of_one_metric_and_name_never_go_on_with_the_same() {
        let stream = |ordinal| Identity { metric: 1, ordinal, name: "orders" };
        let mut threads = Threads::default();
        let begin = |threads: &mut Threads, ordinal| threads.begin(stream(ordinal), 0, 0, 1);
        assert_eq!([begin(&mut threads, 0), begin(&mut threads, 1)], [0, 1]);
        for _ in 0..2 {
            assert_eq!([threads.claim(stream(0)), threads.claim(stream(1))], [Some(0), Some(1)]);
        }
        threads.release();
        assert_eq!([threads.claim(stream(1)), threads.claim(stream(2))], [Some(0), Some(1)]);
        assert_eq!(threads.claim(stream(0)), None);
    }
}
