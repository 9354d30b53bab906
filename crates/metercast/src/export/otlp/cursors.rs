//! What a receiver has been told of each stream, as far as it is known to have arrived.
//!
//! A series that counts costs 24 bytes here, a histogram about as much as one of its cells; both once more for each further
//! stream that is made of their metric. What is remembered is what was recorded, before a view made anything of it: so it
//! outlives all views. Places are used again with the lines of the store, so there are never more than the limits of the store
//! let there be series at once.

use metercast_core::reading::{Part, PartId};

use super::bank::{Bank, Cell, Distribution, OfStage};
use super::thread::{Identity, OfStream, State, Thread, Threads};
use super::told::{Buckets, Line, Place, Stage, Told, Total};

/// The totals that were delivered last.
#[derive(Debug, Default)]
pub(super) struct Cursors {
    banks: Vec<Bank>,
    threads: Threads,
    /// Counts the readings, from 1.
    reading: u64,
    /// When the last one was made; when the store began if there was none.
    last: Option<u64>,
    /// When what was there was last taken as told.
    taken: u64,
    /// What requests that have arrived had with them, to be used again.
    spare: Vec<Told>,
}

/// Spares beyond this are let go: who splits requests has few at a time.
const MOST_SPARES: usize = 8;

impl Cursors {
    /// Begins a reading at `now`; the time that it is said to be made at, which is later than that of any before.
    pub(super) fn begin(&mut self, now: u64, store_started: u64) -> u64 {
        let last = *self.last.get_or_insert(store_started);
        self.reading += 1;
        for stream in self.threads.each() {
            // What did not arrive whole goes on counting from where it did.
            if stream.open == 0 {
                stream.since = last;
            }
            stream.forget(self.reading);
        }
        now.max(last.max(self.taken).saturating_add(1))
    }

    /// Ends a reading that came to these requests, and did not use those.
    pub(super) fn end<'a>(&mut self, time: u64, told: impl Iterator<Item = &'a Told>, spare: Vec<Told>) {
        self.spare = spare;
        self.last = Some(time);
        self.threads.each().for_each(|stream| stream.open = 0);
        for number in told.flat_map(|told| &told.threads) {
            if let Some(stream) = self.threads.get_mut(*number) {
                stream.open += 1;
            }
        }
    }

    /// The number by which a stream is known that is read for the first time.
    pub(super) fn number(&mut self, stream: Identity<'_>, state: State, time: u64) -> u32 {
        let known = self.threads.claim(stream).or_else(|| self.threads.claim_renamed(stream));
        let number = known.unwrap_or_else(|| {
            // Who is told totals was told them before as well.
            self.begin_thread(stream, if state == State::Followed { time } else { 0 })
        });
        self.set(number, state);
        number
    }

    /// All streams are made anew. The time at which what is there may be taken as told, which is later than that of any reading.
    pub(super) fn reshape(&mut self, now: u64, store_started: u64) -> u64 {
        let last = *self.last.get_or_insert(store_started);
        self.taken = now.max(last.max(self.taken).saturating_add(1));
        self.threads.release();
        self.taken
    }

    /// What the stream goes on with that has this metric and name.
    pub(super) fn claim(&mut self, stream: Identity<'_>) -> Option<u32> {
        self.threads.claim(stream)
    }

    /// What came of the stream since the last delivery is told from now on: it goes on with what is known, if that is given. Returns
    /// its number if what is there has to be taken as told.
    pub(super) fn go_on(&mut self, stream: Identity<'_>, known: Option<u32>) -> Option<u32> {
        let known = known.or_else(|| self.threads.claim_renamed(stream));
        let (number, is_told) = match known.and_then(|number| Some((number, self.threads.get(number)?))) {
            // All of it was told as totals, and all of these arrived.
            Some((number, known)) => (number, known.state == State::Delta || known.open == 0),
            None => (self.begin_thread(stream, self.taken), false),
        };
        self.set(number, State::Delta);
        (!is_told).then_some(number)
    }

    /// Nothing is known any more of streams of these metrics that nobody goes on with, and no memory is kept for what only
    /// they had.
    pub(super) fn end_unclaimed(&mut self, is_there: impl Fn(usize) -> bool) {
        self.threads.end_unclaimed(is_there);
        for (at, bank) in self.banks.iter_mut().enumerate() {
            if self.threads.each().all(|known| known.state == State::Idle || usize::from(known.bank) != at) {
                *bank = Bank::default();
            }
        }
    }

    /// For what is taken as told.
    pub(super) fn taken(&mut self) -> Told {
        let mut told = self.spare.pop().unwrap_or_default();
        (told.reading, told.time) = (self.reading, self.taken);
        told
    }

    fn set(&mut self, number: u32, state: State) {
        if let Some(known) = self.threads.get_mut(number) {
            known.state = state;
        }
    }

    fn begin_thread(&mut self, stream: Identity<'_>, from: u64) -> u32 {
        let since = self.last.unwrap_or_default();
        let number = self.threads.begin(stream, from, since, self.reading);
        if let Some(known) = self.threads.get(number) {
            let banks = usize::from(known.bank) + 1;
            if self.banks.len() < banks {
                self.banks.resize_with(banks, Bank::default);
            }
        }
        number
    }

    /// What was noted of totals is nothing any more, since it will not be noted further.
    pub(super) fn end_followed(&mut self) {
        self.threads.each().filter(|stream| stream.state == State::Followed).for_each(OfStream::end);
    }

    /// What a stream is told by that is told so.
    pub(super) fn thread_of(&self, number: u32, state: State) -> Option<Thread> {
        self.threads.get(number).filter(|stream| stream.state == state)?;
        self.thread(number)
    }

    /// What a stream is told by.
    pub(super) fn thread(&self, number: u32) -> Option<Thread> {
        Some(self.threads.get(number)?.thread(number))
    }

    /// For the requests of this reading, the last one for the first.
    pub(super) fn spare(&mut self, time: u64) -> Vec<Told> {
        let mut spare = std::mem::take(&mut self.spare);
        if spare.is_empty() {
            spare.push(Told::default());
        }
        if let Some(first) = spare.last_mut() {
            (first.reading, first.time) = (self.reading, time);
        }
        spare
    }

    /// What was delivered of a part, and where that is remembered. `None` of what is over: it was delivered before.
    #[inline]
    pub(super) fn cell(&mut self, thread: Thread, part: &Part<'_>) -> Option<(Place, Cell)> {
        let bank = thread.bank;
        let (place, cell) = match part.id {
            PartId::Named(number) => {
                let known = self.banks.get(usize::from(bank))?.named.get(number);
                (Place::Named { bank, number }, known.copied())
            }
            PartId::Line(number) => {
                let known = self.banks.get(usize::from(bank))?.lines.get(number);
                (Place::Line(Line { bank, number }), known.copied())
            }
            PartId::Observed(labels) => {
                let stream = self.threads.get_mut(thread.number)?;
                let (at, cell) = stream.observed(labels, self.reading);
                (Place::Observed { thread: thread.number, at }, Some(cell))
            }
            _ => return None,
        };
        let is_known = |cell: &Cell| cell.started == part.started_unix_nanos && cell.at >= thread.from;
        Some((place, cell.filter(is_known).unwrap_or_default()))
    }

    /// Where it is remembered what was delivered of the part of a histogram, and when that began, whichever of its stages is
    /// shown. `None` of what is over: it was delivered before.
    pub(super) fn place_of(&mut self, thread: Thread, part: &Part<'_>) -> Option<(Place, u64)> {
        let place = match part.id {
            PartId::Line(number) => Place::Line(Line { bank: thread.bank, number }),
            PartId::Observed(labels) => {
                let stream = self.threads.get_mut(thread.number)?;
                let (at, _) = stream.observed(labels, self.reading);
                Place::Observed { thread: thread.number, at }
            }
            _ => return None,
        };
        Some((place, part.stages().next()?.started_unix_nanos))
    }

    /// What was delivered of the part of a histogram at this place.
    pub(super) fn distribution(
        &mut self,
        thread: Thread,
        place: Place,
        started: u64,
    ) -> Option<&Distribution> {
        let reading = self.reading;
        let there = match place {
            Place::Line(line) => {
                self.banks.get_mut(usize::from(line.bank))?.distributions.get_mut(line.number)?
            }
            Place::Observed { thread, at } => self.threads.get_mut(thread)?.distribution_at(at, reading)?,
            Place::Named { .. } => return None,
        };
        let known = Distribution::known(there, started, reading)?;
        (known.at >= thread.from).then_some(known)
    }

    /// What a request told is known from now on.
    pub(super) fn delivered(&mut self, mut told: Told) {
        if told.reading == self.reading {
            for number in &told.threads {
                if let Some(stream) = self.threads.get_mut(*number) {
                    stream.open = stream.open.saturating_sub(1);
                }
            }
        }
        self.learn(&mut told);
        if self.spare.len() < MOST_SPARES {
            self.spare.push(told.cleared());
        }
    }

    /// Of two requests that tell the same the later one knows more, in whichever order they arrive.
    fn learn(&mut self, told: &mut Told) {
        let (reading, at) = (told.reading, told.time);
        for Total { place, started, bits } in &told.totals {
            let bank = |bank: u16| usize::from(bank);
            let cell = match *place {
                Place::Named { bank: of, number } => {
                    self.banks.get_mut(bank(of)).map(|bank| bank.named.made(number))
                }
                Place::Line(line) => {
                    self.banks.get_mut(bank(line.bank)).map(|bank| bank.lines.made(line.number))
                }
                Place::Observed { thread, at } => {
                    self.threads.get_mut(thread).and_then(|stream| stream.observed_at(at, reading))
                }
            };
            if let Some(cell) = cell.filter(|cell| cell.at < at) {
                *cell = Cell { started: *started, at, bits: *bits };
            }
        }
        let mut rest = &told.words[..];
        for Buckets { stage, bounds, words } in told.histograms.drain(..) {
            let Some((words, others)) = rest.split_at_checked(words) else { break };
            rest = others;
            if let Some(known) = self.learn_stage(stage, reading, at) {
                known.learn_words(bounds, words);
            }
        }
        for (stage, value) in told.exponentials.drain(..) {
            if let Some(known) = self.learn_stage(stage, reading, at) {
                match &mut known.exponential {
                    Some(known) => **known = value,
                    none => *none = Some(Box::new(value)),
                }
            }
        }
    }

    fn learn_stage(&mut self, stage: Stage, told: u64, at: u64) -> Option<&mut OfStage> {
        let Stage { place, started, since, number } = stage;
        let there = match place {
            Place::Line(line) => self.banks.get_mut(usize::from(line.bank))?.distributions.made(line.number),
            Place::Observed { thread, at } => self.threads.get_mut(thread)?.distribution_at(at, told)?,
            Place::Named { .. } => return None,
        };
        Distribution::made(there, started, told, self.reading).learn(since, number, at)
    }
}
