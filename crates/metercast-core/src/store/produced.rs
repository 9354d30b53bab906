//! When the series began that producers say: whoever keeps them may count anew, and mostly does not say since when.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use super::exemplars::Exemplar;
use super::observed::{More, Points, Seen};
use crate::definition::{Definition, Kind};
use crate::label::LabelSet;
use crate::number::NumberType;

/// What is known of the series of one producer.
pub(crate) struct Starts {
    /// By the number of the definition.
    metrics: HashMap<u32, Remembered>,
    /// When it was run last, or was registered.
    last: u64,
    runs: u64,
}

/// The series of a metric.
#[derive(Default)]
struct Remembered {
    known: Vec<Known>,
    index: HashMap<Arc<LabelSet>, usize>,
}

struct Known {
    labels: Arc<LabelSet>,
    started: u64,
    bits: u64,
    more: Option<Arc<More>>,
    /// The last run that it was in.
    seen: u64,
    /// Whether it was less than before: then it began later than whoever keeps it says.
    is_anew: bool,
}

/// The most series of a producer that are remembered although they are not said any more.
const MOST_GONE: usize = 10_000;

impl Starts {
    pub(crate) fn new(registered: u64) -> Starts {
        Starts { metrics: HashMap::new(), last: registered, runs: 0 }
    }

    /// What was said at `now`, with the starts of all series.
    pub(crate) fn settle(&mut self, said: Vec<Arc<Points>>, now: u64) -> Vec<Arc<Points>> {
        self.runs += 1;
        let (runs, last) = (self.runs, self.last);
        let settled = said.into_iter().map(|points| {
            let definition = points.definition();
            let remembered = self.metrics.entry(definition.id).or_default();
            let mut points = Arc::unwrap_or_clone(points);
            let mut place = 0..;
            points.each_mut(|seen| start(remembered, place.next(), seen, definition, (runs, last, now)));
            Arc::new(points)
        });
        let settled = settled.collect();
        self.last = now;
        self.forget();
        settled
    }

    /// Forgets what is gone, if it is very much.
    fn forget(&mut self) {
        let runs = self.runs;
        let is_gone = |known: &Known| known.seen + 1 < runs;
        let all = self.metrics.values().flat_map(|remembered| &remembered.known);
        if all.filter(|known| is_gone(known)).count() > MOST_GONE {
            self.metrics.retain(|_, remembered| {
                remembered.forget(is_gone);
                !remembered.known.is_empty()
            });
        }
    }
}

impl Remembered {
    /// What is known of the series with these labels, which mostly has the place that it had before.
    fn find(&mut self, place: Option<usize>, labels: &Arc<LabelSet>) -> Option<&mut Known> {
        let is_it = |at: &usize| self.known.get(*at).is_some_and(|known| Arc::ptr_eq(&known.labels, labels));
        let at = place.filter(is_it).or_else(|| self.index.get(labels).copied())?;
        self.known.get_mut(at)
    }

    fn add(&mut self, known: Known) {
        self.index.insert(Arc::clone(&known.labels), self.known.len());
        self.known.push(known);
    }

    /// Lets go of those that are gone.
    fn forget(&mut self, is_gone: impl Fn(&Known) -> bool) {
        self.index.clear();
        for known in std::mem::take(&mut self.known).into_iter().filter(|known| !is_gone(known)) {
            self.add(known);
        }
    }
}

fn start(
    remembered: &mut Remembered,
    place: Option<usize>,
    seen: &mut Seen,
    definition: &Definition,
    (run, last, now): (u64, u64, u64),
) {
    let said = seen.started_unix_nanos;
    let Some(before) = remembered.find(place, &seen.labels) else {
        seen.started_unix_nanos = if said == 0 { last } else { said };
        date(seen, None, now);
        let Seen { labels, started_unix_nanos: started, bits, more } = seen.clone();
        remembered.add(Known { labels, started, bits, more, seen: run, is_anew: false });
        return;
    };
    let (started, is_anew) = match follows(seen, before, definition) {
        true if before.is_anew => (before.started.max(said), said <= before.started),
        true if said == 0 => (before.started, false),
        true => (said, false),
        false if said > before.started => (said, false),
        false => (now.max(before.started + 1), true),
    };
    seen.started_unix_nanos = started;
    date(seen, before.more.as_deref(), now);
    let labels = Arc::clone(&seen.labels);
    *before = Known { labels, started, bits: seen.bits, more: seen.more.clone(), seen: run, is_anew };
}

/// Gives exemplars of which nobody knows when they were made the time at which they were first said.
fn date(seen: &mut Seen, before: Option<&More>, now: u64) {
    let is_undated = |exemplar: &Exemplar| exemplar.time == UNIX_EPOCH;
    let Some(more) = seen.more.as_mut().filter(|more| more.exemplars.iter().any(is_undated)) else { return };
    let known = before.map_or(&[][..], |before| &before.exemplars);
    for exemplar in Arc::make_mut(more).exemplars.iter_mut().filter(|exemplar| is_undated(exemplar)) {
        let is_it = |known: &&Exemplar| Exemplar { time: UNIX_EPOCH, ..(*known).clone() } == *exemplar;
        let known = known.iter().find(is_it).map(|known| known.time);
        exemplar.time = known.unwrap_or(UNIX_EPOCH + Duration::from_nanos(now));
    }
}

/// Whether a series can be what it was before, when only more was counted.
fn follows(seen: &Seen, before: &Known, definition: &Definition) -> bool {
    match definition.kind {
        Kind::Counter if definition.number == NumberType::F64 => {
            f64::from_bits(seen.bits) >= f64::from_bits(before.bits)
        }
        Kind::Counter => seen.bits >= before.bits,
        Kind::Histogram | Kind::Summary => {
            let before = before.more.as_ref().and_then(|more| more.distribution.as_ref());
            seen.distribution().zip(before).is_none_or(|(now, before)| now.follows(before))
        }
        _ => true,
    }
}
