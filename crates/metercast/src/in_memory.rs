//! A reader and an exporter whose readings stay in the process: for tests, and for programs that look at their own metrics.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use metercast_core::reading::Point;
use metercast_core::{Kind, LabelSet, Store};

use crate::collection::{Collection, Temporality};
use crate::snapshot::Snapshot;
use crate::view::{Plan, Projection};

/// Reads a store on demand. It needs no start, and disturbs no other reader.
///
/// ```
/// use metercast::{InMemoryReader, Store, snapshot::Point, u64_counter};
///
/// let store = Store::new();
/// store.scope(|| u64_counter!("orders", "Orders placed", 2, "side" => "buy"));
///
/// let snapshot = InMemoryReader::new(store).collect();
/// let orders = snapshot.family("orders").unwrap();
/// assert_eq!(orders.series[0].labels.to_string(), "{side=\"buy\"}");
/// assert_eq!(orders.series[0].point, Point::U64(2));
/// ```
#[derive(Clone, Debug)]
pub struct InMemoryReader {
    store: Store,
}

impl InMemoryReader {
    /// A reader of `store`.
    pub fn new(store: Store) -> InMemoryReader {
        InMemoryReader { store }
    }

    /// Everything that was recorded until now, cumulatively.
    pub fn collect(&self) -> Snapshot {
        Snapshot::of(&self.store)
    }
}

/// An exporter that keeps what it collects: what another exporter would let out, through filters and views, cumulatively or as deltas,
/// without a wire. Clones are the same exporter.
///
/// ```
/// use metercast::snapshot::Point;
/// use metercast::view::{Projection, View};
/// use metercast::{InMemoryExporter, Kind, Store, Temporality, u64_counter};
///
/// let store = Store::new();
/// let exporter = InMemoryExporter::new(store.clone())
///     .projection(Projection::new().view(View::of("orders").rename("shop.orders").drop_labels(["user"])))
///     .temporality(Kind::Counter, Temporality::Delta);
/// for user in ["ada", "bob"] {
///     store.scope(|| u64_counter!("orders", "Orders placed", 2, "user" => user));
///     exporter.collect();
/// }
///
/// let history = exporter.collections();
/// assert_eq!(history.len(), 2);
/// assert_eq!(history[1].metric("shop.orders").unwrap().series[0].point, Point::U64(2));
/// ```
#[derive(Clone)]
#[must_use]
pub struct InMemoryExporter {
    store: Store,
    state: Arc<Mutex<State>>,
}

struct State {
    plan: Plan,
    deltas: Vec<Kind>,
    keep: usize,
    history: VecDeque<Arc<Collection>>,
    /// Collections that had to make room.
    forgotten: u64,
    /// What each series that is told in deltas was at, by the stream's number: scopes may have metrics of one name.
    before: HashMap<(u32, Arc<LabelSet>), Before>,
    /// Counts the collections.
    collected: u64,
    /// When the last collection was.
    last: Option<SystemTime>,
}

/// What a series was at when it was collected last.
struct Before {
    started: SystemTime,
    point: Point,
    /// Whether it is asked for: what is not said once may be said again, and goes on then.
    is_observed: bool,
    /// In which collection that was.
    seen: u64,
}

/// How many collections are kept unless it is said.
const KEEP: usize = 1_000;

/// How many series that are not said any more are remembered, should they be said again: as many as a metric has unless it is said.
const ABSENT: usize = 2_000;

impl InMemoryExporter {
    /// An exporter of `store` that lets everything public out, cumulatively, and keeps the last 1,000 collections.
    pub fn new(store: Store) -> InMemoryExporter {
        let mut plan = Plan::new(Arc::new(Projection::new()), "in_memory");
        plan.commit(&store);
        let state = State {
            plan,
            deltas: Vec::new(),
            keep: KEEP,
            history: VecDeque::new(),
            forgotten: 0,
            before: HashMap::new(),
            collected: 0,
            last: None,
        };
        InMemoryExporter { store, state: Arc::new(Mutex::new(state)) }
    }

    /// What it makes of the store. To be said before the first collection: deltas begin anew.
    pub fn projection(self, projection: Projection) -> InMemoryExporter {
        let mut plan = Plan::new(Arc::new(projection), "in_memory");
        plan.commit(&self.store);
        let mut state = self.state();
        state.plan = plan;
        state.before.clear();
        drop(state);
        self
    }

    /// Whether values of this kind are cumulative or deltas. Gauges and summaries stay cumulative.
    pub fn temporality(self, kind: Kind, temporality: Temporality) -> InMemoryExporter {
        let mut state = self.state();
        state.deltas.retain(|known| *known != kind);
        if temporality == Temporality::Delta && !matches!(kind, Kind::Gauge | Kind::Summary) {
            state.deltas.push(kind);
        }
        drop(state);
        self
    }

    /// How many collections are kept, at least one; older ones make room.
    pub fn keep(self, collections: usize) -> InMemoryExporter {
        self.state().keep = collections.max(1);
        self
    }

    /// Reads the store now, and keeps what there is.
    pub fn collect(&self) -> Arc<Collection> {
        let mut state = self.state();
        let state = &mut *state;
        let time = self.store.time();
        let since = state.last.replace(time);
        state.collected += 1;
        let State { plan, deltas, before, collected, .. } = state;
        let collection = Collection::with(plan, &self.store, time, |view, series| {
            if !deltas.contains(&view.stream().kind()) {
                return Temporality::Cumulative;
            }
            series.retain_mut(|series| {
                let now = Before {
                    started: series.started,
                    point: series.point.clone(),
                    is_observed: view.is_observed(),
                    seen: *collected,
                };
                let known = before.insert((view.stream().id(), Arc::clone(&series.labels)), now);
                let known = known.filter(|known| known.started == series.started);
                let Some(known) = known else { return true };
                series.started = since.unwrap_or(known.started);
                subtract(&mut series.point, &known.point)
            });
            Temporality::Delta
        });
        forget_ended(before, *collected);
        let collection = Arc::new(collection);
        state.history.push_back(Arc::clone(&collection));
        while state.history.len() > state.keep {
            state.history.pop_front();
            state.forgotten += 1;
        }
        collection
    }

    /// Everything that was collected and is kept, oldest first.
    pub fn collections(&self) -> Vec<Arc<Collection>> {
        self.state().history.iter().cloned().collect()
    }

    /// How many collections had to make room.
    pub fn forgotten(&self) -> u64 {
        self.state().forgotten
    }

    /// Forgets what was collected. Deltas go on where they were.
    pub fn clear(&self) {
        self.state().history.clear();
    }

    /// What is wrong with its views, as far as it was found since this was asked last.
    pub fn warnings(&self) -> Vec<String> {
        self.state().plan.warnings()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for InMemoryExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemoryExporter")
            .field("collections", &self.state().history.len())
            .finish_non_exhaustive()
    }
}

/// Forgets the series that were not there now: a recorded one has ended, and begins anew if it comes again. Of those that are asked for
/// the ones that were there last stay, so that memory is bounded however many come and go.
fn forget_ended(before: &mut HashMap<(u32, Arc<LabelSet>), Before>, now: u64) {
    before.retain(|_, known| known.seen == now || known.is_observed);
    let mut absent: Vec<u64> = before.values().map(|known| known.seen).filter(|seen| *seen != now).collect();
    if absent.len() > ABSENT {
        let at = absent.len() - ABSENT;
        let (_, &mut last_to_go, _) = absent.select_nth_unstable(at - 1);
        before.retain(|_, known| known.seen > last_to_go);
    }
}

/// Takes away what was there before. Whether anything is left; a distribution over other buckets than before stays whole.
fn subtract(point: &mut Point, before: &Point) -> bool {
    match (point, before) {
        (Point::U64(value), Point::U64(before)) => {
            *value = value.wrapping_sub(*before);
            *value != 0
        }
        (Point::I64(value), Point::I64(before)) => {
            *value = value.wrapping_sub(*before);
            *value != 0
        }
        (Point::F64(value), Point::F64(before)) => {
            *value -= before;
            *value != 0.0
        }
        (Point::Histogram(value), Point::Histogram(before)) if value.bounds == before.bounds => {
            for (count, before) in value.counts.iter_mut().zip(&before.counts) {
                *count = count.wrapping_sub(*before);
            }
            value.sum -= before.sum;
            value.count() != 0
        }
        (Point::Exponential(value), Point::Exponential(before)) => {
            let is_other = value.count() != before.count();
            *value = value.since(before);
            is_other
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use metercast_core::reading::Series;
    use metercast_core::{Instrument, KeyValue, NumberType, ValueRef};

    use super::*;
    use crate::view::View;

    fn counter(name: &'static str, scope: &'static str) -> Instrument {
        let builder = Instrument::builder(Kind::Counter, NumberType::U64, name);
        builder.scope(scope, "1").build().unwrap()
    }

    fn deltas(store: &Store) -> InMemoryExporter {
        InMemoryExporter::new(store.clone()).temporality(Kind::Counter, Temporality::Delta)
    }

    /// The values of all series of this name, in all scopes.
    fn values(collection: &Collection, name: &str) -> Vec<u64> {
        let metrics = collection.metrics.iter().filter(|metric| metric.name == name);
        let value = |series: &Series| match series.point {
            Point::U64(value) => value,
            ref other => panic!("{other:?}"),
        };
        metrics.flat_map(|metric| metric.series.iter().map(value)).collect()
    }

    #[test]
    fn deltas_of_one_name_in_two_scopes_are_kept_apart() {
        let store = Store::new();
        let exporter = deltas(&store);
        let (one, other) = (counter("scoped", "one"), counter("scoped", "two"));
        for round in 1..=3 {
            store.scope(|| {
                one.add(10 * round, []);
                other.add(round, []);
            });
            let mut came = values(&exporter.collect(), "scoped");
            came.sort_unstable();
            assert_eq!(came, [round, 10 * round]);
        }
    }

    #[test]
    fn nothing_is_remembered_of_series_that_have_ended() {
        let store = Store::new();
        let exporter = deltas(&store);
        let orders = counter("ending", "one");
        for round in 0..50 {
            let user = format!("user-{round}");
            store.scope(|| orders.add(7_u64, [("user", ValueRef::from(user.as_str()))]));
            assert_eq!(values(&exporter.collect(), "ending"), [7]);
            assert!(store.remove("ending", [KeyValue::new("user", user)]));
        }
        exporter.collect();
        assert_eq!(exporter.state().before.len(), 0);
    }

    #[test]
    fn what_is_put_together_of_series_goes_on_when_one_of_them_ends() {
        let store = Store::new();
        let view = View::of("together").drop_labels(["user"]);
        let exporter = deltas(&store).projection(Projection::new().view(view));
        let orders = counter("together", "one");
        let add =
            |user: &str, count: u64| store.scope(|| orders.add(count, [("user", ValueRef::from(user))]));
        add("ada", 5);
        add("bob", 2);
        assert_eq!(values(&exporter.collect(), "together"), [7]);
        assert!(store.remove("together", [KeyValue::new("user", "ada")]));
        add("bob", 1);
        assert_eq!(values(&exporter.collect(), "together"), [1]);
        add("ada", 4);
        assert_eq!(values(&exporter.collect(), "together"), [4]);
    }

    #[test]
    fn what_is_not_said_for_a_time_goes_on_where_it_was_and_memory_is_bounded() {
        let store = Store::new();
        let exporter = deltas(&store);
        let builder = Instrument::builder(Kind::Counter, NumberType::U64, "said").observable();
        let (round, observed) = (Arc::new(AtomicU64::new(0)), builder.build().unwrap());
        let _observation = store.scope(|| {
            let round = Arc::clone(&round);
            observed.observe(move |observer| {
                let round = round.load(Ordering::Relaxed);
                if round % 2 == 0 {
                    observer.set(100 + round, []);
                }
                let user = format!("user-{round}");
                observer.set(1_u64, [("user", ValueRef::from(user.as_str()))]);
            })
        });
        for at in 0..5 {
            round.store(at, Ordering::Relaxed);
            let mut came = values(&exporter.collect(), "said");
            came.sort_unstable();
            let expected: &[u64] = [&[1, 100], &[1][..], &[1, 2], &[1], &[1, 2]][at as usize];
            assert_eq!(came, expected, "{at}");
        }
        let mut before = HashMap::new();
        for seen in 0..10_000 {
            let labels = Arc::clone(&exporter.collections()[0].metrics[0].series[0].labels);
            let known =
                Before { started: SystemTime::UNIX_EPOCH, point: Point::U64(1), is_observed: true, seen };
            before.insert((seen as u32, labels), known);
        }
        forget_ended(&mut before, 9_999);
        assert_eq!(before.len(), ABSENT + 1);
        assert!(before.values().all(|known| known.seen >= 9_999 - ABSENT as u64));
    }
}
