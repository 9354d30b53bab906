//! Series that a stream makes one of, and what is remembered of them from reading to reading.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use metercast_core::reading::{FamilyView, Part, PartBuf, PartId, SeriesView};
use metercast_core::{Exemplar, KeyValue, Kind, LabelSet, Value};

use super::ended::{Ended, Line};
use super::memories::Memories;
use super::relabel::OVERFLOW;
use super::total::{Total, newest};
use super::transform::Transform;

/// Series put together, in the order of first use.
pub(super) type Groups = Vec<Group>;

/// Series that a stream makes one of.
#[derive(Debug)]
pub(super) struct Group {
    labels: Arc<LabelSet>,
    started_unix_nanos: u64,
    /// `None` before the first.
    value: Option<Total>,
    exemplars: Vec<Exemplar>,
    changed: u64,
    parts: Vec<PartBuf>,
}

/// Of what a reading is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Readable<'a> {
    /// All of the store whose series are remembered.
    Whole,
    /// What has this label of it.
    Share((&'a str, &'a str)),
    /// Anything else, of which nothing is remembered.
    Other,
}

/// What is remembered of the series of one store, or of a share of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    /// Whether series are put together from now on although they have become few: what one of them counts must not be less
    /// for it. Of a stream that keeps them apart: whether some of them may be less than what was shown in their place.
    is_put_together: bool,
    places: Places,
    /// For how many series there was no place at the last reading.
    overflowed: usize,
    ended: Ended,
    /// What was shown, of kinds that only grow; also of what is not shown any more, which may come back.
    shown: HashMap<Arc<LabelSet>, Shown>,
}

/// What was last seen of series put together.
#[derive(Clone, Copy, Debug)]
struct Shown {
    /// How much it was.
    amount: f64,
    /// Since when, in nanoseconds since 1970.
    started: u64,
    /// When it was less than before last: it began anew then. 0 if it never was.
    since: u64,
}

/// What a limit came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Overflowed {
    /// The most series.
    pub(super) limit: usize,
    /// How many there are beyond.
    pub(super) series: usize,
}

/// How much may be remembered of what is not shown any more; twice as much as what is shown, if that is more.
const MOST_ABSENT: usize = 1_000;

/// Which series have places of their own where there is a limit.
#[derive(Clone, Debug, Default)]
struct Places {
    taken: HashSet<Arc<LabelSet>>,
    /// The latest start of a series that got none. What began before may have been counted without a place of its own.
    refused_until: Option<u64>,
}

impl Group {
    fn new(labels: Arc<LabelSet>) -> Group {
        Group {
            labels,
            started_unix_nanos: u64::MAX,
            value: None,
            exemplars: Vec::new(),
            changed: 0,
            parts: Vec::new(),
        }
    }

    pub(super) fn give(&self, f: &mut dyn FnMut(&SeriesView<'_>)) {
        let Some(value) = self.value.as_ref().map(Total::view) else { return };
        let parts: Vec<Part<'_>> = self.parts.iter().map(PartBuf::part).collect();
        let started = self.started_unix_nanos;
        let mut view = SeriesView::put_together(&self.labels, started, value, &self.exemplars, &parts);
        view.changed = self.changed;
        f(&view);
    }

    /// Takes a series as the stream has it.
    fn add(&mut self, series: &SeriesView<'_>, transform: &Transform, in_parts: bool) {
        let value = &series.value;
        match &mut self.value {
            None => self.value = Total::of(value),
            Some(first) if transform.kind == Kind::Gauge => {
                first.merge(value, transform.gauges, series.changed > self.changed);
            }
            Some(first) => first.add(value, transform.most_buckets()),
        }
        self.changed = self.changed.max(series.changed);
        self.started_unix_nanos = self.started_unix_nanos.min(series.started_unix_nanos);
        transform.add_exemplars(series, &mut self.exemplars);
        if in_parts {
            self.parts.extend(series.parts().map(|part| PartBuf::of(&part)));
        }
    }

    /// Takes what a series had counted that is not there any more.
    fn add_ended(&mut self, total: &Total, started_unix_nanos: u64, most_buckets: Option<u32>) {
        if let Some(value) = &mut self.value {
            value.add(&total.view(), most_buckets);
            self.started_unix_nanos = self.started_unix_nanos.min(started_unix_nanos);
        }
    }
}

impl Transform {
    /// The series as the stream has them, put together where their labels are equal; with their parts if these are asked for.
    pub(super) fn grouped(&self, family: &FamilyView<'_>, of: Readable<'_>, in_parts: bool) -> Groups {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        self.grouped_with(family, memory.of(of), in_parts)
    }

    /// Forgets the series of one store, to read another.
    pub(super) fn forget(&self) {
        *self.memory.lock().unwrap_or_else(PoisonError::into_inner) = Memories::default();
    }

    /// Of how many series the last reading of the whole store had more than the limit lets be; `None` without a limit.
    pub(super) fn overflowed(&self) -> Option<Overflowed> {
        let limit = self.limit?;
        let memories = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let series = memories.known(Readable::Whole).map_or(0, |memory| memory.overflowed);
        Some(Overflowed { limit, series })
    }

    /// Goes on with what another has remembered of the series of the same metric: with all of it if both put the same together,
    /// otherwise with as much as is still true.
    pub(super) fn succeed(&mut self, old: &Transform) {
        self.memory = match self.remembers_as(old) {
            true => Arc::clone(&old.memory),
            false => {
                let old_memory = old.memory.lock().unwrap_or_else(PoisonError::into_inner);
                let measures = self.measures_as(old);
                let memories = old_memory.map(|memory| {
                    let memory = memory.for_others(measures);
                    if self.keeps_apart() { memory.kept_apart() } else { memory }
                });
                Arc::new(Mutex::new(memories))
            }
        };
    }

    /// Goes on from what somebody else has shown in the meantime.
    pub(super) fn note_shown_by(&self, other: &Transform) {
        if Arc::ptr_eq(&self.memory, &other.memory) {
            return;
        }
        let measures = self.measures_as(other);
        let others = other.memory.lock().unwrap_or_else(PoisonError::into_inner).map(Memory::clone);
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).meet(&others, |memory, other| {
            memory.shown.extend(other.all_shown(measures));
            if self.keeps_apart() {
                memory.is_put_together = !memory.shown.is_empty();
            }
        });
    }

    fn grouped_with(&self, family: &FamilyView<'_>, memory: &mut Memory, in_parts: bool) -> Groups {
        memory.is_put_together = true;
        memory.ended.begin();
        let mut groups = Groups::new();
        let mut found: HashMap<Arc<LabelSet>, usize> = HashMap::new();
        // The same by what the labels are found by, so that those of a sum are made once.
        let (mut by_fingerprint, mut fingerprint) = (HashMap::<Box<[u8]>, usize>::new(), Vec::new());
        let mut seen = HashSet::new();
        let overflow = Arc::new(LabelSet::from_iter([KeyValue::new(OVERFLOW, Value::Bool(true))]));
        self.each(family, &mut |series| {
            self.labels.fingerprint(&series.labels, &mut fingerprint);
            let known = by_fingerprint.get(&fingerprint[..]).copied();
            let at = known.unwrap_or_else(|| {
                let labels = Arc::new(self.labels.apply(&series.labels));
                let at = found.get(&labels).copied().unwrap_or_else(|| {
                    let has_place = labels.get(OVERFLOW).is_some()
                        || memory.places.has(self.limit, &labels, series.started_unix_nanos);
                    if has_place && self.limit.is_some() {
                        seen.insert(Arc::clone(&labels));
                    }
                    // What the store has no room for stands with what the stream has none for.
                    let shown = if has_place { Arc::clone(&labels) } else { Arc::clone(&overflow) };
                    let at = *found.entry(Arc::clone(&shown)).or_insert(groups.len());
                    if at == groups.len() {
                        groups.push(Group::new(shown));
                    }
                    found.insert(labels, at);
                    at
                });
                by_fingerprint.insert(fingerprint[..].into(), at);
                at
            });
            let group = &mut groups[at];
            self.lines_that_may_end(series, |line, is_all| {
                memory.ended.note(line, is_all.then_some((&group.labels, &series.value)));
            });
            group.add(series, self, in_parts);
        });
        if self.limit.is_some() {
            memory.places.taken.retain(|labels| seen.contains(labels));
        }
        // What has no place of its own is found with the others.
        let all = found.len();
        found.retain(|labels, at| groups[*at].labels == *labels);
        memory.overflowed = all - found.len();
        memory.ended.end(
            || family.leaving().collect(),
            |labels| found.contains_key(labels),
            self.most_buckets(),
        );
        memory.ended.each(|labels, total, since| {
            if let Some(at) = found.get(labels) {
                groups[*at].add_ended(total, since, self.most_buckets());
            }
        });
        self.begin_anew_what_is_less(&mut groups, memory);
        if self.keeps_apart() {
            let began_anew = |group: &Group| memory.shown.get(&group.labels).is_some_and(|one| one.since > 0);
            let is_put_together = groups.iter().any(began_anew);
            let shown = std::mem::take(&mut memory.shown);
            *memory = Memory { is_put_together, shown, ..Memory::default() };
        }
        for group in &mut groups {
            if let Some(value) = &group.value {
                newest(&mut group.exemplars, value);
            }
        }
        groups
    }

    /// Whether values only grow.
    fn only_grows(&self) -> bool {
        matches!(self.kind, Kind::Counter | Kind::Histogram | Kind::Summary)
    }

    /// The lines of a series that may end one day, if what it counted is to stay, and whether the line is all of it.
    fn lines_that_may_end(&self, series: &SeriesView<'_>, mut f: impl FnMut(Line, bool)) {
        if !self.only_grows() {
            return;
        }
        let is_all = series.parts().nth(1).is_none();
        for part in series.parts() {
            // What the program text names does not end, and what is observed ends with who observes it.
            if let PartId::Line(line) = part.id {
                f((line, part.started_unix_nanos), is_all);
            }
        }
    }

    /// What is less than it was, since some of it stands elsewhere now or ended where nobody saw it, has another start than before.
    fn begin_anew_what_is_less(&self, groups: &mut Groups, memory: &mut Memory) {
        if !self.only_grows() {
            return;
        }
        let mut before = std::mem::take(&mut memory.shown);
        for group in groups {
            let Some(value) = &mut group.value else { continue };
            let mut since = 0;
            // What has begun later by itself may be less.
            let shown = before.remove(&group.labels);
            if let Some(shown) = shown.filter(|shown| group.started_unix_nanos <= shown.started) {
                // Doubles may come to a trifle less when they are added up in another order.
                value.round_up_to(shown.amount);
                let is_less = value.amount() < shown.amount;
                // The clock may have been set back.
                since = if is_less { now_unix_nanos().max(shown.started + 1) } else { shown.since };
            }
            let amount = value.amount();
            group.started_unix_nanos = group.started_unix_nanos.max(since);
            let shown = Shown { amount, started: group.started_unix_nanos, since };
            memory.shown.insert(Arc::clone(&group.labels), shown);
        }
        // What comes back goes on as it was shown.
        if before.len() > MOST_ABSENT.max(2 * memory.shown.len()) {
            let awaited = memory.ended.awaited();
            before.retain(|labels, _| awaited.contains(labels));
        }
        memory.shown.extend(before);
    }
}

impl Memory {
    /// Whether series are put together, which begins when they are many and goes on. What is remembered of them before is of no
    /// use: who read did not see it change.
    pub(super) fn stays_put_together(&mut self, are_many: bool) -> bool {
        if !self.is_put_together {
            let shown = std::mem::take(&mut self.shown);
            *self = Memory { is_put_together: are_many, shown, ..Memory::default() };
        }
        self.is_put_together
    }

    /// What is still true where series are put together in another way: what has ended stays with its labels if values measure the
    /// same, but places are given anew.
    fn for_others(&self, measures: bool) -> Memory {
        let (is_put_together, shown) = (self.is_put_together, self.all_shown(measures));
        match measures {
            true => Memory { is_put_together, ended: self.ended.clone(), shown, ..Memory::default() },
            false => Memory { is_put_together, shown, ..Memory::default() },
        }
    }

    /// The same where no series is put with another one, of which one may be less than what was shown with its labels.
    fn kept_apart(self) -> Memory {
        Memory { is_put_together: !self.shown.is_empty(), shown: self.shown, ..Memory::default() }
    }

    pub(super) fn is_put_together(&self) -> bool {
        self.is_put_together
    }

    /// What was shown, for values that measure the same or not.
    fn all_shown(&self, measures: bool) -> HashMap<Arc<LabelSet>, Shown> {
        let mut all = self.shown.clone();
        if !measures {
            // Whatever comes now is something else.
            all.values_mut().for_each(|shown| shown.amount = f64::INFINITY);
        }
        all
    }
}

impl Places {
    /// Whether a series that began then has a place of its own. Who had one keeps it.
    fn has(&mut self, limit: Option<usize>, labels: &Arc<LabelSet>, started: u64) -> bool {
        let Some(limit) = limit else { return true };
        if self.taken.contains(labels) {
            return true;
        }
        if self.taken.len() < limit && self.refused_until.is_none_or(|until| started > until) {
            self.taken.insert(Arc::clone(labels));
            return true;
        }
        self.refused_until = self.refused_until.max(Some(started));
        false
    }
}

fn now_unix_nanos() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
