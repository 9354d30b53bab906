//! What a receiver has been told of each series, as far as it is known to have arrived.
//!
//! A series that counts costs 24 bytes here, a histogram about as much as one of its cells. Places are used again with the
//! lines of the store, so there are never more than the limits of the store let there be series at once.

use std::collections::HashMap;

use metercast_core::LabelSet;
use metercast_core::reading::{Exponential, Part, PartId};

use super::told::{Buckets, Place, Told, Total};

/// The totals that were delivered last.
#[derive(Debug, Default)]
pub(super) struct Cursors {
    named: Chunks<Cell>,
    lines: Chunks<Cell>,
    distributions: Chunks<Option<Box<Distribution>>>,
    metrics: Vec<OfMetric>,
    /// Counts the readings, from 1.
    reading: u64,
    /// When the last one was made; when the store began if there was none.
    last: Option<u64>,
    /// What requests that have arrived had with them, to be used again.
    spare: Vec<Told>,
}

/// What was delivered of a part of a counter.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cell {
    /// When the part began: if another begins later, this is nothing.
    started: u64,
    /// When the reading was made that was delivered last; 0 if none was.
    pub(super) at: u64,
    /// Its value then.
    pub(super) bits: u64,
}

/// What was delivered of a distribution.
#[derive(Debug)]
pub(super) struct Distribution {
    started: u64,
    pub(super) at: u64,
    pub(super) told: ToldOf,
}

#[derive(Debug)]
pub(super) enum ToldOf {
    /// As [`Buckets`] has them.
    Words(Box<[u64]>),
    Exponential(Exponential),
}

/// What is known of a metric.
#[derive(Debug, Default)]
pub(super) struct OfMetric {
    /// Since when what is not delivered yet came, unless a part knows better.
    pub(super) since: u64,
    /// Requests of the last reading of which nothing is known yet.
    open: u32,
    index: HashMap<LabelSet, u32>,
    observed: Vec<Observed>,
    /// The reading in which places were given up.
    moved: u64,
}

/// What was delivered of what callbacks say.
#[derive(Clone, Copy, Debug, Default)]
struct Observed {
    cell: Cell,
    /// The last reading that it was in.
    seen: u64,
}

/// The most series of a metric that are remembered although callbacks do not say them any more: as many as they may say.
const MOST_GONE: usize = 2_000;

/// Spares beyond this are let go: who splits requests has few at a time.
const MOST_SPARES: usize = 8;

impl Cursors {
    /// Begins a reading at `now`; the time that it is said to be made at, which is later than that of any before.
    pub(super) fn begin(&mut self, now: u64, store_started: u64) -> u64 {
        let last = *self.last.get_or_insert(store_started);
        self.reading += 1;
        for metric in &mut self.metrics {
            // What did not arrive whole goes on counting from where it did.
            if metric.open == 0 {
                metric.since = last;
            }
            metric.forget(self.reading);
        }
        now.max(last.saturating_add(1))
    }

    /// Ends a reading that came to these requests, and did not use those.
    pub(super) fn end<'a>(&mut self, time: u64, told: impl Iterator<Item = &'a Told>, spare: Vec<Told>) {
        self.spare = spare;
        self.last = Some(time);
        self.metrics.iter_mut().for_each(|metric| metric.open = 0);
        for metric in told.flat_map(|told| &told.metrics) {
            if let Some(metric) = self.metrics.get_mut(*metric as usize) {
                metric.open += 1;
            }
        }
    }

    /// A place for what is to be known of one more metric.
    pub(super) fn add_metric(&mut self) -> u32 {
        let since = self.last.unwrap_or_default();
        self.metrics.push(OfMetric { since, ..OfMetric::default() });
        self.metrics.len() as u32 - 1
    }

    /// Since when what is not delivered of a metric came.
    pub(super) fn since(&self, metric: u32) -> u64 {
        self.metrics.get(metric as usize).map_or(0, |metric| metric.since)
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

    /// What was delivered of a part, and where that is remembered.
    #[inline]
    pub(super) fn cell(&mut self, metric: u32, part: &Part<'_>) -> Option<(Place, Cell)> {
        let (place, cell) = match part.id {
            PartId::Named(number) => (Place::Named(number), self.named.get(number).copied()),
            PartId::Line(number) => (Place::Line(number), self.lines.get(number).copied()),
            PartId::Observed(labels) => {
                let (reading, of) = (self.reading, self.metrics.get_mut(metric as usize)?);
                let at = of.place(labels, reading);
                (Place::Observed { metric, at }, of.observed.get(at as usize).map(|observed| observed.cell))
            }
            _ => return None,
        };
        let cell = cell.filter(|cell| cell.started == part.started_unix_nanos).unwrap_or_default();
        Some((place, cell))
    }

    /// What was delivered of the distribution on this line.
    pub(super) fn distribution(&self, line: u32, started: u64) -> Option<&Distribution> {
        self.distributions.get(line)?.as_deref().filter(|known| known.started == started)
    }

    /// What a request told is known from now on.
    pub(super) fn delivered(&mut self, mut told: Told) {
        if told.reading == self.reading {
            for metric in &told.metrics {
                if let Some(metric) = self.metrics.get_mut(*metric as usize) {
                    metric.open = metric.open.saturating_sub(1);
                }
            }
        }
        let (reading, at) = (told.reading, told.time);
        for Total { place, started, bits } in &told.totals {
            let cell = match *place {
                Place::Named(number) => self.named.made(number),
                Place::Line(number) => self.lines.made(number),
                Place::Observed { metric, at } => {
                    let of = self.metrics.get_mut(metric as usize).filter(|of| of.moved <= reading);
                    match of.and_then(|of| of.observed.get_mut(at as usize)) {
                        Some(observed) => &mut observed.cell,
                        None => continue,
                    }
                }
            };
            // Of two requests that tell the same the later one knows more, in whichever order they arrive.
            if cell.at < at {
                *cell = Cell { started: *started, at, bits: *bits };
            }
        }
        let mut rest = &told.words[..];
        for Buckets { line, started, words } in &told.histograms {
            let Some((these, others)) = rest.split_at_checked(*words) else { break };
            rest = others;
            match self.distributions.made(*line) {
                Some(known) if known.at >= at => {}
                Some(known) => known.set(*started, at, these),
                none => {
                    let told = ToldOf::Words(these.into());
                    *none = Some(Box::new(Distribution { started: *started, at, told }));
                }
            }
        }
        for (line, started, value) in told.exponentials.drain(..) {
            let known = self.distributions.made(line);
            if known.as_ref().is_none_or(|known| known.at < at) {
                *known = Some(Box::new(Distribution { started, at, told: ToldOf::Exponential(value) }));
            }
        }
        if self.spare.len() < MOST_SPARES {
            self.spare.push(told.cleared());
        }
    }
}

impl Distribution {
    fn set(&mut self, started: u64, at: u64, words: &[u64]) {
        (self.started, self.at) = (started, at);
        match &mut self.told {
            ToldOf::Words(known) if known.len() == words.len() => known.copy_from_slice(words),
            told => *told = ToldOf::Words(words.into()),
        }
    }
}

impl OfMetric {
    /// The place of the series with these labels, made if need be.
    fn place(&mut self, labels: &LabelSet, reading: u64) -> u32 {
        let at = match self.index.get(labels) {
            Some(at) => *at,
            None => {
                let at = self.observed.len() as u32;
                self.index.insert(labels.clone(), at);
                self.observed.push(Observed::default());
                at
            }
        };
        if let Some(observed) = self.observed.get_mut(at as usize) {
            observed.seen = reading;
        }
        at
    }

    /// Gives up what callbacks have not said for the last reading, if that has become much. Who comes back later than that
    /// begins anew.
    fn forget(&mut self, reading: u64) {
        let is_gone = |observed: &Observed| observed.seen + 1 < reading;
        if self.observed.iter().filter(|observed| is_gone(observed)).count() <= MOST_GONE {
            return;
        }
        let before = std::mem::take(&mut self.observed);
        self.moved = reading;
        self.index.retain(|_, at| {
            let stays = before.get(*at as usize).copied().filter(|observed| !is_gone(observed));
            *at = self.observed.len() as u32;
            self.observed.extend(stays);
            stays.is_some()
        });
    }
}

/// A list with gaps: there is memory where something is.
#[derive(Debug, Default)]
struct Chunks<T>(Vec<Option<Box<[T]>>>);

const CHUNK: usize = 512;

impl<T: Default> Chunks<T> {
    #[inline]
    fn get(&self, at: u32) -> Option<&T> {
        let at = at as usize;
        self.0.get(at / CHUNK)?.as_deref()?.get(at % CHUNK)
    }

    /// What is there, or its default from now on.
    fn made(&mut self, at: u32) -> &mut T {
        let at = at as usize;
        if self.0.len() <= at / CHUNK {
            self.0.resize_with(at / CHUNK + 1, || None);
        }
        let chunk = self.0[at / CHUNK].get_or_insert_with(|| (0..CHUNK).map(|_| T::default()).collect());
        &mut chunk[at % CHUNK]
    }
}
