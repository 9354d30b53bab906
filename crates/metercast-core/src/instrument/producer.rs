//! Whole metrics that somebody else keeps, such as those of another library's registry, said whenever the store is read.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::observation::Observation;
use crate::definition::{Kind, Place};
use crate::label::{LabelRef, LabelSet};
use crate::number::{Number, NumberType};
use crate::own::{self, Reason};
use crate::produced::{self, Produced};
use crate::reading::Exponential;
use crate::store::Store;
use crate::store::exemplars::Exemplar;
use crate::store::exponential;
use crate::store::observed::{Distribution, More, Points, Seen};
use crate::store::produced::Starts;

impl Store {
    /// Registers a producer, until the handle is dropped: it says metrics that somebody else keeps, such as the collectors of
    /// another library's registry, with all their series. They are read as those that are recorded here. `name` is what the
    /// producer is called in what is said of it.
    ///
    /// It is run once for each reading, or for readings that are made at the same time, never twice at once, and in the scope of
    /// the store; where `metercast` exports the store, on a thread of its own with a limit of time, beyond which what it said
    /// before is served. What it does not say in a run is not in that reading. One that panics is left out of that reading and
    /// listed by [`problems`](Store::problems), as is what makes no sense. While the store is switched off it is not run.
    ///
    /// Counters, histograms and summaries are said as totals. One that is less than it was has begun anew, and gets a new start.
    /// What the program records itself has its name: a produced metric of the same name is left out, and so is a series that two
    /// producers say, but for the first. There are at most 10,000 series of a metric, and 4,096 metrics of a process, that producers
    /// say.
    ///
    /// ```
    /// use metercast_core::{Kind, Produced, PrometheusType, Store, reading::Point};
    ///
    /// let store = Store::new();
    /// let producer = store.produce("the pool", |producer| {
    ///     let requests = Produced::prometheus("pool_requests_total", PrometheusType::Counter);
    ///     producer.family(&requests).series(&[("pool", "main".into())]).set(7.0);
    ///     let waits = Produced::new("pool.wait.duration", Kind::Histogram).unit("s").description("Time to wait.");
    ///     producer.family(&waits).series(&[]).histogram(&[0.1, 1.0], &[3, 1, 0], 0.5);
    /// });
    ///
    /// let families = store.collect();
    /// assert_eq!(families[0].definition.name(), "pool.wait.duration");
    /// assert_eq!(families[1].series[0].point, Point::F64(7.0));
    /// drop(producer);
    /// assert!(store.collect().is_empty());
    /// ```
    #[track_caller]
    pub fn produce(
        &self,
        name: &'static str,
        mut produce: impl FnMut(&mut Producer<'_>) + Send + 'static,
    ) -> Observation {
        let caller = Location::caller();
        let place = Place { file: caller.file(), line: caller.line() };
        let mut starts = Starts::new(self.inner().clock().unix_nanos());
        let run = move |before: &[Arc<Points>]| {
            let store = Store::current();
            let mut producer = Producer { store: &store, place, before, said: Vec::new() };
            produce(&mut producer);
            let said = producer.said.into_iter().map(Points::finished);
            starts.settle(said.collect(), store.inner().clock().unix_nanos())
        };
        self.inner().started();
        let (store, key) = self.inner().observables.register_run(name, place, Box::new(run));
        Observation::new(name, store, key)
    }
}

/// Takes what a producer says in one run; see [`Store::produce`].
pub struct Producer<'a> {
    store: &'a Store,
    place: Place,
    before: &'a [Arc<Points>],
    said: Vec<Points>,
}

impl<'a> Producer<'a> {
    /// A metric, whose series are to be said. Asked for again it is the same. What is wrong with it is listed by
    /// [`Store::problems`], and then it is left out.
    pub fn family<'p>(&'p mut self, of: &Produced<'_>) -> ProducedFamily<'p> {
        let Producer { store, place, before, said } = self;
        let definition = match of.definition(*place) {
            Ok(definition) => definition,
            Err(fault) => {
                problem(store, *place, of.name, &format!("{fault}; it is left out"));
                return ProducedFamily { store, place: *place, of: None };
            }
        };
        let known = said.iter().position(|points| points.definition().id == definition.id);
        let at = known.unwrap_or_else(|| {
            said.push(Points::new(definition));
            said.len() - 1
        });
        let before = before.iter().find(|points| points.definition().id == definition.id);
        ProducedFamily { store, place: *place, of: Some((&mut said[at], before.map(|before| &**before))) }
    }
}

impl Producer<'_> {
    /// Says once that something is wrong with a metric, for [`Store::problems`]: what, and how to mend it.
    pub fn problem(&self, metric: &str, text: &str) {
        problem(self.store, self.place, metric, text);
    }
}

fn problem(store: &Store, place: Place, metric: &str, text: &str) {
    store.inner().problems.report(metric, format!("of the producer at {place} {text}"));
}

impl fmt::Debug for Producer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").field("place", &self.place).finish_non_exhaustive()
    }
}

/// Takes the series of a metric; see [`Producer::family`].
pub struct ProducedFamily<'a> {
    store: &'a Store,
    place: Place,
    /// Nothing of a metric that is left out.
    of: Option<(&'a mut Points, Option<&'a Points>)>,
}

impl ProducedFamily<'_> {
    /// The series with these labels, whose value is to be said. Of two with equal labels the first stays, and that is listed by
    /// [`Store::problems`].
    pub fn series<'s>(&'s mut self, labels: &[LabelRef<'_>]) -> ProducedSeries<'s> {
        let labels = match &self.of {
            None => Arc::default(),
            Some((points, before)) => points.next_labels(*before, labels).unwrap_or_else(|| {
                let (labels, faults) = LabelSet::of(labels);
                if faults.any() {
                    self.store.inner().report_faults(points.definition(), &faults);
                }
                Arc::new(labels)
            }),
        };
        let of = self.of.as_mut().map(|(points, before)| (&mut **points, *before));
        ProducedSeries {
            store: self.store,
            place: self.place,
            of,
            labels,
            started_unix_nanos: 0,
            exemplars: Vec::new(),
        }
    }
}

impl ProducedFamily<'_> {
    /// Says once that something is wrong with it, for [`Store::problems`]: what, and how to mend it.
    pub fn problem(&self, text: &str) {
        if let Some((points, _)) = &self.of {
            problem(self.store, self.place, points.definition().name, text);
        }
    }
}

impl fmt::Debug for ProducedFamily<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.of.as_ref().map(|(points, _)| points.definition().name);
        f.debug_struct("ProducedFamily").field("name", &name).finish_non_exhaustive()
    }
}

/// Takes the value of a series; see [`ProducedFamily::series`].
#[must_use = "a series has no value before it is said"]
pub struct ProducedSeries<'a> {
    store: &'a Store,
    place: Place,
    of: Option<(&'a mut Points, Option<&'a Points>)>,
    labels: Arc<LabelSet>,
    /// 0 if that is not known.
    started_unix_nanos: u64,
    exemplars: Vec<Exemplar>,
}

/// The most exemplars of a series.
const MOST_EXEMPLARS: usize = 64;

/// The most exponential buckets of either sign.
const MOST_BUCKETS: u32 = 1_024;

impl ProducedSeries<'_> {
    /// When it began to count, where whoever keeps it knows that. Otherwise it is when the producer was registered, or when the
    /// series was not there yet, or was last less than before.
    pub fn started(mut self, started: SystemTime) -> Self {
        let since = started.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.started_unix_nanos = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        self
    }

    /// Measurements that stand for many: of a counter the newest, of a distribution one for each bucket. Of more than 64 the
    /// rest is left out.
    pub fn exemplars(mut self, exemplars: &[Exemplar]) -> Self {
        self.exemplars.extend(exemplars.iter().take(MOST_EXEMPLARS).cloned());
        self.exemplars.sort_by(|a, b| a.value.total_cmp(&b.value));
        self
    }

    /// Says the value of a counter, up-down counter or gauge, of the metric's type of numbers or to be one of its doubles. A
    /// gauge may be NaN or infinite; what else is not a number, and a negative counter, is dropped and counted in
    /// `metercast.recordings.dropped`.
    pub fn set<N: Number>(self, value: N) {
        let Some((points, _)) = &self.of else { return };
        let definition = points.definition();
        let bits = match (definition.kind, definition.number) {
            (Kind::Histogram | Kind::Summary, _) => return self.refuse("a number"),
            (_, number) if number == N::TYPE => value.bits(),
            (_, NumberType::F64) => value.to_f64().to_bits(),
            _ => return self.refuse("a number of another type"),
        };
        if definition.kind != Kind::Gauge && !value.is_sound() {
            return own::dropped_by(definition.name, Reason::NotFinite);
        }
        if definition.kind == Kind::Counter && value.is_negative() {
            return own::dropped_by(definition.name, Reason::Negative);
        }
        self.say(bits, None);
    }

    /// Says a histogram: upper bounds, finite and increasing; how many values fell into each bucket, the last being above all
    /// bounds; and the sum of all values.
    pub fn histogram(self, bounds: &[f64], counts: &[u64], sum: f64) {
        if !self.is_of(Kind::Histogram) {
            return self.refuse("a histogram");
        }
        if counts.len() != bounds.len() + 1 {
            let (counts, bounds) = (counts.len(), bounds.len());
            return self.fault(&format!("has {counts} counts for {bounds} bounds, not one more than these"));
        }
        if !exponential::are_countable(counts) {
            return self.fault("has more values than can be counted");
        }
        match produced::bounds(bounds) {
            Ok(bounds) => self.say(0, Some(Distribution::Histogram(bounds, counts.to_vec(), sum))),
            Err(fault) => self.fault(&fault),
        }
    }

    /// Says a histogram by how many values are up to each of the bounds, and then how many there are, as Prometheus has it.
    pub fn cumulative_histogram(self, bounds: &[f64], up_to: &[u64], sum: f64) {
        let mut before = 0;
        let counts = up_to.iter().map(|up_to| {
            let count = up_to.checked_sub(std::mem::replace(&mut before, *up_to));
            count.ok_or(())
        });
        match counts.collect::<Result<Vec<u64>, ()>>() {
            Ok(counts) => self.histogram(bounds, &counts, sum),
            Err(()) => self.problem("has buckets that count down; such series are left out"),
        }
    }

    /// Says a histogram over exponential buckets, of a scale from -11 to 20. Above 1,024 of either sign they are brought together.
    pub fn exponential(self, value: &Exponential) {
        if !self.is_of(Kind::Histogram) {
            return self.refuse("a histogram");
        }
        if let Some(fault) = value.fault() {
            return self.fault(&fault);
        }
        let mut value = value.clone();
        value.fit(MOST_BUCKETS);
        self.say(0, Some(Distribution::Exponential(value)));
    }

    /// Says a summary: how many values there were, their sum, and quantiles, from 0 to 1, each with its value.
    pub fn summary(self, count: u64, sum: f64, quantiles: &[(f64, f64)]) {
        if !self.is_of(Kind::Summary) {
            return self.refuse("a summary");
        }
        let is_sound = |pair: &[(f64, f64)]| pair[0].0 < pair[1].0;
        let are_sound = quantiles.iter().all(|(quantile, _)| (0.0..=1.0).contains(quantile));
        if !are_sound || !quantiles.windows(2).all(is_sound) {
            return self.fault("has quantiles that are not from 0 to 1, or do not increase");
        }
        self.say(0, Some(Distribution::Summary(count, sum, quantiles.to_vec())));
    }

    fn is_of(&self, kind: Kind) -> bool {
        self.of.as_ref().is_none_or(|(points, _)| points.definition().kind == kind)
    }

    fn refuse(self, what: &str) {
        if let Some((points, _)) = &self.of {
            let kind = points.definition().kind;
            self.fault(&format!("is a {kind}, but is given {what}"));
        }
    }

    /// Says once that something is wrong with the metric, instead of a value: what, and how to mend it.
    pub fn problem(self, text: &str) {
        if let Some((points, _)) = &self.of {
            problem(self.store, self.place, points.definition().name, text);
        }
    }

    fn fault(self, fault: &str) {
        self.problem(&format!("{fault}; such series are left out"));
    }

    fn say(self, bits: u64, distribution: Option<Distribution>) {
        let Some((points, before)) = self.of else { return };
        let has_more = distribution.is_some() || !self.exemplars.is_empty();
        let more = has_more.then(|| Arc::new(More { distribution, exemplars: self.exemplars }));
        points.say(Seen { more, ..Seen::of(self.labels, self.started_unix_nanos, bits) }, before);
    }
}

impl fmt::Debug for ProducedSeries<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProducedSeries").field("labels", &self.labels).finish_non_exhaustive()
    }
}
