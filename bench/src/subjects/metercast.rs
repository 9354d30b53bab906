//! metercast itself: everything in the bench that touches its API.

use std::sync::{Mutex, OnceLock};

use ::metercast::config::{Config, Prometheus};
use ::metercast::instrument::{BoundCounter, BoundHistogram};
use ::metercast::snapshot::Point;
use ::metercast::{InMemoryReader, Log, OtlpMessage, PrometheusPage, Store, Telemetry, labels, metrics};
use ::metercast_periods::{Periods, Window};

use super::{
    AMOUNT, Expect, Kind, Offer, Purpose, Recording, Registry, Subject, Unused, What, bound, picked, plain,
};
use crate::inputs::{BOUNDS, COMBINATIONS, Combination, Labels, combinations};

pub(crate) struct Metercast;

labels! {
    enum Method { Get = "GET", Post = "POST", Put = "PUT", Delete = "DELETE", Patch = "PATCH" }
    enum Route {
        Health = "/health", Orders = "/orders", Order = "/orders/{id}", User = "/users/{id}",
        Items = "/orders/{id}/items",
    }
    enum Outcome { Ok, Unavailable }
}

metrics! {
    /// Requests.
    static COUNTER: Counter<u64> = "requests";
    /// Requests by labels that are known at run time.
    static DYNAMIC: Counter<u64> = "requests.dynamic" { labels: { method: &str, route: &str, status: u16 } };
    /// Requests by labels that the program text lists.
    static TYPED: Counter<u64> = "requests.typed" { labels: { method: Method, route: Route, outcome: Outcome } };
    /// Duration of requests.
    static DURATION: Histogram<f64> = "requests.duration" {
        unit: "s", buckets: BOUNDS, labels: { method: &str, route: &str, status: u16 }
    };
    /// Requests.
    static SERIES: Counter<u64> = "bench.series" { labels: { method: &str, route: &str, status: u16 } };
    /// Duration of requests.
    static SERIES_DURATION: Histogram<f64> = "bench.series.duration" {
        unit: "s", buckets: BOUNDS, labels: { method: &str, route: &str, status: u16 }
    };
    /// Depth of a queue.
    static DEPTH: Gauge<u64> = "depth";
    /// Requests that nobody wants counted.
    static OFF: Counter<u64> = "requests.off";
    /// Requests that are never made.
    static UNUSED: Counter<u64> = "unused" { labels: { method: &str, route: &str, status: u16 } };
}

impl Subject for Metercast {
    fn name(&self) -> &'static str {
        super::OWN
    }

    fn recording(&self, what: What, exporters: usize) -> Offer<Box<dyn Recording>> {
        if exporters > 1 {
            return exported(exporters);
        }
        export_global();
        let of = |name| move || total(&Store::global(), name);
        Offer::Yes(match what {
            What::Counter => plain(|| COUNTER.add(1), of("requests")).boxed(),
            What::CounterDynamic => picked(count, of("requests.dynamic")).boxed(),
            What::CounterTyped => {
                let op = |&(method, route, outcome): &(Method, Route, Outcome), _| {
                    TYPED.add(1, (method, route, outcome));
                };
                bound(typed(), op, of("requests.typed")).boxed()
            }
            What::HistogramDynamic => {
                let op = |labels: &Labels, amount| {
                    DURATION.record(amount, (&labels.method, &labels.route, labels.status));
                };
                picked(op, of("requests.duration")).boxed()
            }
            What::Gauge => plain(|| DEPTH.set(7), of("depth")).expect(Expect::Exactly(7)).boxed(),
            What::CounterOff => {
                let store = Store::new();
                store.set_enabled(false);
                let read = store.clone();
                plain(|| OFF.add(1), move || total(&read, "requests.off"))
                    .expect(Expect::Exactly(0))
                    .around(move |batch| store.scope(batch))
                    .boxed()
            }
            What::CounterBound => {
                let bind = |labels: &Labels| DYNAMIC.bind((&labels.method, &labels.route, labels.status));
                let handles = combinations().iter().map(bind).collect();
                bound(handles, |handle: &BoundCounter<u64>, _| handle.add(1), of("requests.dynamic")).boxed()
            }
            What::UniqueExact => unique(0),
            What::UniqueEstimated => unique(MANY),
            What::HistogramBound => {
                let bind = |labels: &Labels| DURATION.bind((&labels.method, &labels.route, labels.status));
                let handles = combinations().iter().map(bind).collect();
                let op = |handle: &BoundHistogram<f64>, amount| handle.record(amount);
                bound(handles, op, of("requests.duration")).boxed()
            }
        })
    }

    fn registry(&self, kind: Kind, series: usize, _: Purpose) -> Offer<Box<dyn Registry>> {
        let store = Store::new();
        // Without a limit, as the peers are.
        store.set_limits(2 * series as u32, 4 * series as u32);
        let page = PrometheusPage::new("bench", Log::to(|_, _| {}));
        let message = Mutex::new((OtlpMessage::new(&[]), Vec::new()));
        Offer::Yes(Box::new(Filled { store, kind, page, message }))
    }

    fn unused(&self, _instruments: usize) -> Offer<Unused> {
        Offer::Yes(Unused { kept: Box::new(()), static_bytes: size_of_val(&UNUSED) as u64 })
    }
}

fn count(labels: &Labels, _: f64) {
    DYNAMIC.add(1, (&labels.method, &labels.route, labels.status));
}

fn typed() -> Vec<(Method, Route, Outcome)> {
    let all = Combination::all();
    all.map(|at| (Method::ALL[at.method], Route::ALL[at.route], Outcome::ALL[at.status])).collect()
}

/// Ids that came before, where there are too many to count them exactly.
const MANY: usize = 100_000;

/// Different ids, of which so many came before.
fn unique(before: usize) -> Box<dyn Recording> {
    let periods = Periods::builder().open().expect("a thread");
    let ids = periods.unique("ids");
    let id = |number: usize| format!("user-{number:08}");
    (0..before).for_each(|number| ids.record(id(number)));
    let there = before.max(COMBINATIONS) as u64;
    let counted = ids.clone();
    let total = move || {
        let _open = &periods;
        let total = counted.count(Window::Hour);
        // Six standard errors are 4.9 %. The hour may end while the bench runs, and then these few are all.
        let is_right = if before == 0 { total == there } else { total.abs_diff(there) * 20 < there };
        if is_right || total == COMBINATIONS as u64 { there } else { total }
    };
    let items = (0..COMBINATIONS).map(id).collect();
    bound(items, move |id: &String, _| ids.record(id), total).expect(Expect::Exactly(there)).boxed()
}

/// The dynamic counter in a store that so many exporters read.
fn exported(exporters: usize) -> Offer<Box<dyn Recording>> {
    let store = Store::new();
    let telemetry = start(store.clone(), exporters);
    let read = store.clone();
    let around = move |batch: &mut dyn FnMut()| {
        let _running = &telemetry;
        store.scope(batch);
    };
    Offer::Yes(picked(count, move || total(&read, "requests.dynamic")).around(around).boxed())
}

/// Exporters that nobody asks for anything.
pub(super) fn start(store: Store, exporters: usize) -> Telemetry {
    let mut config = Config::builder().environment(false);
    for index in 0..exporters {
        config = config.exporter(&format!("scrape-{index}"), Prometheus::listen("127.0.0.1:0"));
    }
    let config = config.build().expect("a valid configuration");
    let telemetry = Telemetry::builder(config).store(store).log(Log::to(|_, _| {})).start();
    telemetry.expect("ports are free")
}

/// Attaches one exporter to the global store.
pub(super) fn export_global() {
    static ONE_EXPORTER: OnceLock<Telemetry> = OnceLock::new();
    ONE_EXPORTER.get_or_init(|| start(Store::global(), 1));
}

/// What all series of a metric add up to.
pub(super) fn total(store: &Store, name: &str) -> u64 {
    let snapshot = InMemoryReader::new(store.clone()).collect();
    let series = snapshot.family(name).into_iter().flat_map(|family| &family.series);
    series
        .map(|series| match &series.point {
            Point::U64(value) => *value,
            Point::F64(value) => *value as u64,
            Point::Histogram(buckets) => buckets.count(),
            other => panic!("{other:?}"),
        })
        .sum()
}

/// Series of one metric.
struct Filled {
    store: Store,
    kind: Kind,
    page: PrometheusPage,
    /// The encoder, and what it writes to.
    message: Mutex<(OtlpMessage, Vec<u8>)>,
}

impl Registry for Filled {
    fn record(&self, labels: &Labels) {
        let values = (&*labels.method, &*labels.route, labels.status);
        self.store.scope(|| match self.kind {
            Kind::Counter => SERIES.add(1, values),
            Kind::Histogram => SERIES_DURATION.record(AMOUNT, values),
        });
    }

    fn page(&self, read: &mut dyn FnMut(&[u8])) {
        self.page.write(&self.store, read);
    }

    fn message(&self, read: &mut dyn FnMut(&[u8])) {
        let (encoder, message) = &mut *self.message.lock().expect("one reader");
        message.clear();
        encoder.encode(&self.store, message);
        read(message);
    }
}
