//! What callbacks, gauge sets and producers say, metric by metric: whole series with their values, not cells.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

use super::Store;
use super::dictionary::{LIMIT_EACH, OVERFLOW};
use crate::definition::{Definition, Kind};
use crate::label::{KeyValue, LabelRef, LabelSet, Value};
use crate::number::NumberType;
use crate::own;
use crate::reading::{BucketsView, PointView, SummaryView};
use crate::store::exemplars::Exemplar;
use crate::store::exponential::Exponential;

/// The most series of one metric that callbacks, or a gauge set, may say.
const LIMIT: usize = LIMIT_EACH as usize;

/// The most series of one metric that producers may say. Somebody else keeps them anyway: here they are as long as a reading.
const LIMIT_PRODUCED: usize = 10_000;

/// What a reading adds to the cells of a store.
#[derive(Default)]
pub(crate) struct Observed {
    pub(super) by_definition: HashMap<u32, Arc<Points>>,
}

impl Observed {
    /// The series of a metric, if it has any here.
    pub(crate) fn of(&self, definition: &Definition) -> Option<&Points> {
        self.by_definition
            .get(&definition.id)
            .map(|points| &**points)
            .filter(|points| !points.series.is_empty())
    }
}

/// One series with its value.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) labels: Arc<LabelSet>,
    pub(crate) started_unix_nanos: u64,
    /// The value, as the number of the definition. Nothing if it is a distribution.
    pub(crate) bits: u64,
    /// What few series have.
    pub(crate) more: Option<Arc<More>>,
}

/// What a series has that producers say, beside a number.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct More {
    /// The value, if it is no number.
    pub(crate) distribution: Option<Distribution>,
    /// Lower values first.
    pub(crate) exemplars: Vec<Exemplar>,
}

/// What somebody else has counted into buckets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Distribution {
    /// The bounds, one more counts, and the sum.
    Histogram(&'static [f64], Vec<u64>, f64),
    Exponential(Exponential),
    /// The count, the sum, and quantiles.
    Summary(u64, f64, Vec<(f64, f64)>),
}

/// The series of one metric with their values: at most as many as a metric may have, and one for those above.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Points {
    definition: &'static Arc<Definition>,
    series: Vec<Seen>,
    /// The place of each. That of the points before for as long as each series has the place that it had there: then others
    /// may be in it that were not said yet.
    index: Arc<HashMap<Arc<LabelSet>, usize>>,
    /// Which of the series the points before had not.
    fresh: Vec<usize>,
    /// What is over the limit, if it can be added up. Once all is said it is one of the series.
    overflow: Option<Seen>,
    /// Whether something was over the limit.
    full: bool,
    /// The first series that producers say twice.
    twice: Option<Arc<LabelSet>>,
}

impl Points {
    pub(crate) fn new(definition: &'static Arc<Definition>) -> Points {
        Points {
            definition,
            series: Vec::new(),
            index: Arc::default(),
            fresh: Vec::new(),
            overflow: None,
            full: false,
            twice: None,
        }
    }

    /// What several owners of one metric say together, in the order of their registration.
    pub(crate) fn merged(of: &[Arc<Points>], before: Option<&Points>) -> Option<Arc<Points>> {
        let (first, others) = of.split_first()?;
        if others.is_empty() {
            return Some(Arc::clone(first));
        }
        let mut merged = Points::new(first.definition);
        for points in of {
            for seen in &points.series {
                merged.add(seen.clone(), before);
            }
            merged.full |= points.full;
            merged.twice = merged.twice.take().or_else(|| points.twice.clone());
        }
        Some(merged.finished())
    }

    pub(crate) fn definition(&self) -> &'static Arc<Definition> {
        self.definition
    }

    /// The series, no two with equal labels.
    pub(crate) fn series(&self) -> &[Seen] {
        &self.series
    }

    /// The place of the series with these labels.
    pub(crate) fn find(&self, labels: &LabelSet) -> Option<usize> {
        self.index.get(labels).copied().filter(|at| *at < self.series.len())
    }

    /// The most series that it may have.
    fn limit(&self) -> usize {
        if self.definition.is_produced() { LIMIT_PRODUCED } else { LIMIT }
    }

    /// Sets the value of a series. `before` is what was here the last time: who has a place keeps it, so that at the
    /// limit a series does not come and go with the order in which they are observed.
    pub(crate) fn set(&mut self, seen: Seen, before: Option<&Points>) {
        match self.find(&seen.labels) {
            Some(at) => self.series[at] = seen,
            None => self.insert(seen, before),
        }
    }

    /// Sets the value of a series that nobody has set before. Of two the first stays.
    pub(crate) fn say(&mut self, seen: Seen, before: Option<&Points>) {
        // What was there before is found by its place, which is mostly the same as then.
        let place = self.series.len();
        let is_same = |same: &&Seen| Arc::ptr_eq(&same.labels, &seen.labels) || same.labels == seen.labels;
        if let Some(before) = before
            && let Some(same) = before.series.get(place).filter(is_same)
        {
            if place == 0 {
                self.index = Arc::clone(&before.index);
            }
            if Arc::ptr_eq(&self.index, &before.index) {
                self.series.push(Seen { labels: Arc::clone(&same.labels), ..seen });
                return;
            }
        }
        self.have_index();
        match self.find(&seen.labels) {
            Some(_) => self.twice = self.twice.take().or(Some(seen.labels)),
            None => self.insert(seen, before),
        }
    }

    /// The labels of the series that is said next if it is the same as before, and these are its labels.
    pub(crate) fn next_labels(
        &self,
        before: Option<&Points>,
        labels: &[LabelRef<'_>],
    ) -> Option<Arc<LabelSet>> {
        let next = before?.series.get(self.series.len())?;
        next.labels.is(labels).then(|| Arc::clone(&next.labels))
    }

    /// Makes an index of its own, unless the one that there is has these series and no others.
    fn have_index(&mut self) {
        if self.index.len() != self.series.len() {
            let places = self.series.iter().enumerate().map(|(at, seen)| (Arc::clone(&seen.labels), at));
            self.index = Arc::new(places.collect());
        }
    }

    /// Gives each series to `f`, which leaves its labels as they are.
    pub(crate) fn each_mut(&mut self, f: impl FnMut(&mut Seen)) {
        self.series.iter_mut().for_each(f);
    }

    /// Adds to the value of a series what somebody else says of it. Of gauges the newest stays.
    fn add(&mut self, seen: Seen, before: Option<&Points>) {
        match self.find(&seen.labels) {
            _ if is_overflow(&seen.labels) => self.overflow(seen),
            Some(_) if self.definition.is_produced() => self.say(seen, before),
            Some(at) if self.definition.kind == Kind::Gauge => self.series[at] = seen,
            Some(at) => self.series[at].add(self.definition.number, &seen),
            None => self.insert(seen, before),
        }
    }

    fn insert(&mut self, mut seen: Seen, before: Option<&Points>) {
        match before.and_then(|before| before.index.get_key_value(&seen.labels)) {
            // One allocation for both, and the old one is warm.
            Some((labels, _)) => seen.labels = Arc::clone(labels),
            // More than will have room at the end, but not without bound.
            None if self.fresh.len() >= self.limit() => return self.overflow(seen),
            None => self.fresh.push(self.series.len()),
        }
        self.push(seen);
    }

    fn push(&mut self, seen: Seen) {
        Arc::make_mut(&mut self.index).insert(Arc::clone(&seen.labels), self.series.len());
        self.series.push(seen);
    }

    /// Itself, once all is said: of the series that had no place, the last ones give way until the limit is kept.
    pub(crate) fn finished(mut self) -> Arc<Points> {
        self.have_index();
        let over = self.series.len().saturating_sub(self.limit());
        // As many as the limit had a place before at most, so that all that is over is fresh.
        let over = self.fresh.split_off(self.fresh.len().saturating_sub(over));
        if !over.is_empty() {
            self.index = Arc::default();
            for (at, seen) in mem::take(&mut self.series).into_iter().enumerate() {
                if over.binary_search(&at).is_ok() { self.overflow(seen) } else { self.push(seen) }
            }
        }
        if let Some(overflow) = self.overflow.take() {
            match self.find(&overflow.labels) {
                // Somebody's labels are ours.
                Some(at) => self.series[at].add(self.definition.number, &overflow),
                None => self.push(overflow),
            }
        }
        Arc::new(self)
    }

    /// Takes what is over the limit. Gauges cannot be added up: there it is left out.
    fn overflow(&mut self, mut seen: Seen) {
        self.full = true;
        if matches!(self.definition.kind, Kind::Gauge | Kind::Summary) {
            return;
        }
        match &mut self.overflow {
            Some(overflow) => overflow.add(self.definition.number, &seen),
            None => {
                // They are of one of the many.
                seen.more = seen.more.map(|more| Arc::new(More { exemplars: Vec::new(), ..(*more).clone() }));
                seen.labels = Arc::new([KeyValue::new(OVERFLOW, true)].into_iter().collect());
                self.overflow = Some(seen);
            }
        }
    }

    /// Says so if something was over the limit that was not the last time.
    pub(crate) fn report(&self, store: &Store, before: Option<&Points>) {
        let (name, place) = (self.definition.name, self.definition.place);
        if let Some(labels) = &self.twice
            && before.is_none_or(|before| before.twice.is_none())
        {
            let with = if labels.is_empty() { String::new() } else { format!(" with the labels {labels}") };
            let message = format!(
                "is said twice by producers{with} (first at {place}); the second is left out: give one of them a label"
            );
            store.inner().problems.report(name, message);
        }
        if !self.full || before.is_some_and(|before| before.full) {
            return;
        }
        let what = match self.definition.kind {
            Kind::Gauge | Kind::Summary => "left out".to_owned(),
            _ => format!("counted in one series with {OVERFLOW}=true"),
        };
        let (limit, who) = match self.definition.is_produced() {
            true => (LIMIT_PRODUCED, "producers"),
            false => (LIMIT, "callbacks or sets"),
        };
        let message = format!(
            "defined at {place} has reached its limit of {limit} series that {who} say; what is above is {what}: bound \
             the values of its labels"
        );
        store.inner().problems.report(name, message);
        store.scope(|| own::full(name));
    }
}

fn is_overflow(labels: &LabelSet) -> bool {
    labels.len() == 1 && labels.get(OVERFLOW) == Some(&Value::Bool(true))
}

impl Seen {
    /// A number of which nothing else is known.
    pub(crate) fn of(labels: impl Into<Arc<LabelSet>>, started_unix_nanos: u64, bits: u64) -> Seen {
        Seen { labels: labels.into(), started_unix_nanos, bits, more: None }
    }

    /// The value, which is of this type if it is a number.
    pub(crate) fn view(&self, number: NumberType) -> PointView<'_> {
        match self.distribution() {
            None => PointView::of_bits(number, self.bits),
            Some(Distribution::Histogram(bounds, counts, sum)) => {
                PointView::Histogram(BucketsView::of(bounds, counts, *sum))
            }
            Some(Distribution::Exponential(exponential)) => PointView::Exponential(exponential),
            Some(Distribution::Summary(count, sum, quantiles)) => {
                PointView::Summary(SummaryView::of(*count, *sum, quantiles, &[]))
            }
        }
    }

    pub(crate) fn distribution(&self) -> Option<&Distribution> {
        self.more.as_ref()?.distribution.as_ref()
    }

    pub(crate) fn exemplars(&self) -> &[Exemplar] {
        self.more.as_ref().map_or(&[], |more| &more.exemplars)
    }

    fn add(&mut self, number: NumberType, more: &Seen) {
        self.started_unix_nanos = self.started_unix_nanos.min(more.started_unix_nanos);
        if let (Some(all), Some(other)) = (&mut self.more, more.distribution()) {
            if let Some(distribution) = &mut Arc::make_mut(all).distribution {
                distribution.add(other);
            }
            return;
        }
        self.bits = match number {
            NumberType::F64 => (f64::from_bits(self.bits) + f64::from_bits(more.bits)).to_bits(),
            NumberType::U64 | NumberType::I64 => self.bits.wrapping_add(more.bits),
        };
    }
}

impl Distribution {
    /// Adds what another series counted; nothing if it did so into other buckets.
    fn add(&mut self, other: &Distribution) {
        match (self, other) {
            (Distribution::Histogram(bounds, counts, sum), Distribution::Histogram(others, more, and))
                if bounds == others =>
            {
                counts.iter_mut().zip(more).for_each(|(to, count)| *to = to.wrapping_add(*count));
                *sum += and;
            }
            (Distribution::Exponential(to), Distribution::Exponential(other)) => to.add_up(other, 160),
            _ => {}
        }
    }

    /// Whether this can be what an earlier one has become, when only more was counted.
    pub(crate) fn follows(&self, before: &Distribution) -> bool {
        match (self, before) {
            (Distribution::Histogram(bounds, counts, _), Distribution::Histogram(others, fewer, _)) => {
                bounds == others && counts.iter().zip(fewer).all(|(now, before)| now >= before)
            }
            (Distribution::Exponential(now), Distribution::Exponential(before)) => now.follows(before),
            (Distribution::Summary(now, ..), Distribution::Summary(before, ..)) => now >= before,
            _ => false,
        }
    }
}
