//! Bugs that other systems have had with views, filters, configuration, reloads and exporters that disturb each other: each as
//! what is right here, from a configuration to what leaves the process. Numbers are those of their trackers.
//!
//! Others stand where the thing itself is tested:
//!
//! | bug | test |
//! | --- | --- |
//! | 2238, 8328: all begins anew, or ends, with a reload | `soak`, `reload::twenty_five_reloads_...` |
//! | 3140, 3242: what there was is not sent before a reload | `reload::exporters_come_and_go_...` |
//! | 2704: each reload leaves memory, threads and tasks behind | `soak` |
//! | 4287: a reload fills the log with errors | `reload::twenty_five_reloads_...` |
//! | 7664: instruments that are made before the start are dead | `unstarted` |
//! | 8174: up-down counters as deltas | `export/otlp/message/tests/reshape.rs::up_down_counters_are_totals_...` |
//! | 9212, 9809, 9633, 8415, 2333: kinds, patterns, aliases, units and buckets of views | `view/tests/seeds.rs` |
//! | two exporters want other buckets, or other labels of one metric | `aggregated`, `view/tests/random.rs` |
//! | 8589, 8729, 8915, 8682, 7157: the user's variables and the log of a private exporter | `reload::a_private_exporter_...`, `config/tests/projection.rs` |
//! | 8363: an error that does not say of which exporter | `exporters::a_collector_that_is_down_...` |
//! | 4011, 7394: which attributes of the resource are labels | `config/tests/views.rs`, `export/prometheus` |
//! | a reload that fails halfway | `reload::a_reload_that_fails_...` |
//! | a scrape waits for callbacks of others | `metercast-core/tests/observables.rs` |

mod support;

use std::io::{self, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use metercast::config::{ConfigBuilder, Otlp, Prometheus, Stdout, TemporalityPreference};
use metercast::view::{Filter, View};
use metercast::{Config, ExporterChange, OtlpMessage, OtlpOptions, Store, Telemetry, metrics, u64_counter};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use prost::Message;
use support::{Receiver, points, scrape, value};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

metrics! {
    /// Requests.
    static REQUESTS: Counter<u64> = "cost.requests" { labels: { route: &str } };
    /// Sessions.
    static SESSIONS: UpDownCounter<i64> = "cost.sessions" { labels: { state: &str } };
    /// Temperature.
    static HEAT: Gauge<f64> = "cost.heat";
    /// Time.
    static TOOK: Histogram<f64> = "cost.took" { unit: "s", buckets: [0.5, 1.0] };
    /// The size of a cache.
    static CACHE: ObservableGauge<u64> = "cost.cache" { labels: { kind: &str } };
    /// All that was read.
    static READ: ObservableCounter<u64> = "cost.read" { unit: "By" };
    /// Nothing of this.
    static OTHER: Counter<u64> = "noise.other";
    /// Sizes, in buckets that follow them.
    static SIZES: Histogram<f64> = "cost.sizes" { exponential: true, labels: { route: &str } };
}

fn builder() -> ConfigBuilder {
    Config::builder().environment(false).self_metrics(false)
}

fn page() -> Prometheus {
    Prometheus::listen("127.0.0.1:0")
}

fn start(builder: ConfigBuilder, store: &Store) -> Telemetry {
    Telemetry::builder(builder.build().unwrap()).store(store.clone()).log(support::log().0).start().unwrap()
}

fn reload(telemetry: &Telemetry, builder: ConfigBuilder) {
    telemetry.reload(builder.build().unwrap()).unwrap();
}

fn page_of(telemetry: &Telemetry) -> String {
    scrape(telemetry.scrape_address().unwrap())
}

/// One of each.
fn record(store: &Store) {
    store.scope(|| {
        REQUESTS.add(2, ("/a",));
        SESSIONS.add(3, ("active",));
        HEAT.set(21.5);
        TOOK.record(0.75);
        OTHER.add(1);
    });
}

fn types(page: &str) -> Vec<&str> {
    page.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect()
}

/// 9212: since 2.13 any view without an aggregation made histograms of counters and gauges.
/// 9809: `cost.*` and `*` silently stopped matching, and what was to be kept back went out.
#[test]
fn views_keep_the_kind_of_what_they_match_and_a_star_matches_all() {
    let receiver = Receiver::start();
    let views = "views = [{ aggregation = 'drop' }, { name = 'cost.*', aggregation = 'default', drop_labels = ['route'] }]\n";
    let text = format!(
        "[telemetry.exporters.page]\ntype = 'prometheus'\nlisten = '127.0.0.1:0'\n{views}\
         [telemetry.exporters.push]\ntype = 'otlp'\nendpoint = '{}'\ninterval = '1h'\n{views}",
        receiver.endpoint
    );
    let store = Store::new();
    let telemetry = start(builder().toml("a.toml", &text), &store);
    record(&store);
    let page = page_of(&telemetry);
    let expected = [
        "cost_heat gauge",
        "cost_requests_total counter",
        "cost_sessions gauge",
        "cost_took_seconds histogram",
    ];
    assert_eq!(types(&page), expected, "{page}");
    assert_eq!(value(&page, "cost_requests_total"), Some(2.0));
    telemetry.flush(MINUTE).unwrap();
    let message = receiver.messages.recv_timeout(MINUTE).unwrap();
    let metrics = &message.resource_metrics[0].scope_metrics[0].metrics;
    let kinds: Vec<_> = metrics
        .iter()
        .map(|metric| match metric.data.as_ref().unwrap() {
            Data::Gauge(_) => (metric.name.as_str(), "gauge"),
            Data::Sum(sum) if sum.is_monotonic => (metric.name.as_str(), "counter"),
            Data::Sum(_) => (metric.name.as_str(), "up-down counter"),
            Data::Histogram(_) => (metric.name.as_str(), "histogram"),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        ("cost.heat", "gauge"),
        ("cost.requests", "counter"),
        ("cost.sessions", "up-down counter"),
        ("cost.took", "histogram"),
    ];
    assert_eq!(kinds, expected);
}

/// 6859 and 6865: the filter forgot gauges, which silently measured nothing.
#[test]
fn a_filter_that_takes_a_name_takes_it_of_every_kind() {
    let store = Store::new();
    let _handles =
        store.scope(|| (CACHE.observe(|cache| cache.set(5, ("entity",))), READ.observe(|read| read.set(7))));
    let taken = || builder().exporter("page", page().filter(Filter::new().include("cost.*")));
    let telemetry = start(taken(), &store);
    record(&store);
    store.scope(|| SIZES.record(1.0, ("/a",)));
    let page = page_of(&telemetry);
    assert_eq!(types(&page).len(), 7, "{page}");
    assert!(!page.contains("noise"), "{page}");
}

/// 5996, 5999 and 6539: gauges were gone after a reload. And one whose owner went with the reload was reported for ever, as
/// callbacks were forgotten only when others were registered.
#[test]
fn a_callback_is_heard_after_a_reload_and_one_without_an_owner_is_not() {
    let store = Store::new();
    let telemetry = start(builder().exporter("page", page()), &store);
    let kept = store.scope(|| CACHE.observe(|cache| cache.set(1, ("query",))));
    let owned = store.scope(|| CACHE.observe(|cache| cache.set(2, ("entity",))));
    let (query, entity) = ("cost_cache{kind=\"query\"}", "cost_cache{kind=\"entity\"}");
    let shown = page_of(&telemetry);
    assert_eq!((value(&shown, query), value(&shown, entity)), (Some(1.0), Some(2.0)));
    // Nothing of the configuration differs, as where only the owners were made anew.
    drop(owned);
    reload(&telemetry, builder().exporter("page", page()));
    let shown = page_of(&telemetry);
    assert_eq!((value(&shown, query), value(&shown, entity)), (Some(1.0), None));
    // The new owner is there before the old one goes, and nothing is there twice.
    let newer = store.scope(|| CACHE.observe(|cache| cache.set(3, ("query",))));
    reload(&telemetry, builder().exporter("page", page().view(View::of("cost.cache").description("Other"))));
    let shown = page_of(&telemetry);
    assert_eq!(value(&shown, query), Some(3.0));
    assert_eq!(shown.matches(query).count(), 1, "{shown}");
    drop(kept);
    assert_eq!(value(&page_of(&telemetry), query), Some(3.0));
    drop(newer);
}

/// 3485, 4332, 6495 and 8161: counts of sessions below zero, or gone at zero. A guard comes down where it went up, whatever
/// was reloaded meanwhile, and also when everything was shut down.
#[test]
fn a_guard_comes_down_where_it_went_up_though_views_have_changed_and_all_is_shut_down() {
    let receiver = Receiver::start();
    let store = Store::new();
    let push = || Otlp::to(&receiver.endpoint).temporality(TemporalityPreference::Delta).interval(HOUR);
    let telemetry = start(builder().exporter("page", page()).exporter("push", push()), &store);
    let (guard, late) = store.scope(|| (SESSIONS.guard(("active",)), SESSIONS.guard(("active",))));
    let bound = store.scope(|| SESSIONS.bind(("active",)));
    bound.add(1);
    telemetry.flush(MINUTE).unwrap();
    let view = || View::of("cost.sessions").rename("sessions.now").rename_label("state", "phase");
    reload(&telemetry, builder().exporter("page", page().view(view())).exporter("push", push().view(view())));
    telemetry.flush(MINUTE).unwrap();
    drop(guard);
    bound.add(-1);
    assert_eq!(value(&page_of(&telemetry), "sessions_now{phase=\"active\"}"), Some(1.0));
    telemetry.flush(MINUTE).unwrap();
    let last = receiver.messages.try_iter().last().unwrap();
    assert_eq!(points(&last, "sessions.now").iter().map(|(_, value)| *value).collect::<Vec<_>>(), [1]);
    telemetry.shutdown().unwrap();
    drop(late);
    // Who starts again finds it, at zero.
    let telemetry = start(builder().exporter("page", page()), &store);
    assert_eq!(value(&page_of(&telemetry), "cost_sessions{state=\"active\"}"), Some(0.0));
}

/// A writer that measures what it writes.
struct Measuring(Store, Arc<Mutex<u64>>);

impl Write for Measuring {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        *self.1.lock().unwrap() += 1;
        self.0.scope(|| {
            u64_counter!("printed.bytes", "Bytes printed", bytes.len() as u64);
            // A series that was not there before, so that somebody has to make it.
            u64_counter!("printed.lengths", "Prints by their length", 1, "length" => bytes.len() as u64);
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// 6800: an exporter that recorded while it was shut down waited for itself for ever.
#[test]
fn an_exporter_that_records_while_it_exports_waits_for_nobody_and_exports_no_more_for_it() {
    let store = Store::new();
    let prints = Arc::new(Mutex::new(0));
    let print = |interval| {
        let writer = Measuring(store.clone(), Arc::clone(&prints));
        builder().exporter("stdout", Stdout::default().interval(interval).writer(writer))
    };
    let telemetry = start(print(HOUR), &store);
    record(&store);
    telemetry.flush(MINUTE).unwrap();
    assert_eq!(*prints.lock().unwrap(), 1);
    // Prints once more with the writer that goes.
    reload(&telemetry, print(HOUR * 2));
    telemetry.flush(MINUTE).unwrap();
    reload(&telemetry, builder().exporter("page", page()));
    telemetry.shutdown().unwrap();
    assert!((3..=4).contains(&*prints.lock().unwrap()), "{prints:?}");
}

/// 3443: `_total_total`. 5933: `_total` on a gauge. 7034: the unit in metadata and in the name.
#[test]
fn a_name_that_a_view_gives_has_each_suffix_once() {
    let store = Store::new();
    record(&store);
    let views = page()
        .view(View::of("cost.requests").rename("requests_total").drop_labels(["route"]))
        .view(View::of("cost.took").rename("took_seconds"))
        .view(View::of("cost.took").alias("took.milliseconds").unit("ms"))
        .view(View::of("cost.sessions").rename("sessions.now").drop_labels(["*"]));
    let telemetry = start(builder().exporter("page", views), &store);
    let page = page_of(&telemetry);
    let expected = [
        "cost_heat gauge",
        "noise_other_total counter",
        "requests_total counter",
        "sessions_now gauge",
        "took_milliseconds histogram",
        "took_seconds histogram",
    ];
    assert_eq!(types(&page), expected, "{page}");
    assert_eq!(value(&page, "took_milliseconds_sum"), Some(750.0));
}

/// 4187 and 6445, and an overflow that a wrapper was to find which no scrape ever went through: the page says which metric has
/// too many series, and each exporter has a limit of its own.
#[test]
fn a_metric_with_too_many_series_is_named_on_the_page_and_a_limit_is_that_of_its_exporter() {
    let store = Store::new();
    store.set_limit("cost.requests", 3);
    let limited = page().view(View::of("cost.requests").limit(2));
    let telemetry = start(builder().exporter("a", page()).exporter("b", limited), &store);
    store.scope(|| ["/a", "/b", "/c", "/d", "/e"].map(|route| REQUESTS.add(1, (route,))));
    let shown = page_of(&telemetry);
    let overflow = "cost_requests_total{otel_metric_overflow=\"true\"}";
    assert_eq!(value(&shown, overflow), Some(2.0), "{shown}");
    let named = "metercast_series_limits_reached_total{metric=\"cost.requests\"}";
    assert_eq!(value(&page_of(&telemetry), named), Some(1.0));
    reload(&telemetry, builder().exporter("b", page().view(View::of("cost.requests").limit(2))));
    let shown = page_of(&telemetry);
    assert_eq!(shown.matches("\ncost_requests_total{").count(), 2 + 1, "{shown}");
    let total: f64 = shown
        .lines()
        .filter(|line| line.starts_with("cost_requests_total"))
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap())
        .sum();
    assert_eq!(total, 5.0, "{shown}");
}

/// A shutdown gathered all errors with care, and then said that all was well.
#[test]
fn a_shutdown_says_which_exporter_could_not_hand_over() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let store = Store::new();
    let push = Otlp::to(&format!("http://{nobody}")).interval(HOUR);
    let builder = builder().shutdown_timeout(Duration::from_millis(300)).exporter("push", push);
    let telemetry = start(builder.exporter("page", page()), &store);
    record(&store);
    let error = telemetry.shutdown().unwrap_err();
    assert_eq!(error.failures().map(|(name, _)| name).collect::<Vec<_>>(), ["push"], "{error}");
}

/// A macro panicked once everything was shut down. Here it records, and whoever starts next shows it.
#[test]
fn what_is_recorded_after_the_shutdown_is_kept_for_who_starts_next() {
    let store = Store::new();
    let telemetry = start(builder().exporter("page", page()), &store);
    record(&store);
    page_of(&telemetry);
    telemetry.shutdown().unwrap();
    record(&store);
    let telemetry = start(builder().exporter("page", page()), &store);
    assert_eq!(value(&page_of(&telemetry), "cost_requests_total{route=\"/a\"}"), Some(4.0));
}

/// A file with the text, which goes when this does.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> File {
        let path = std::env::temp_dir().join(format!("metercast-{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        File(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Configurations were compared with what means nothing in them, so that everything began anew for a comment.
#[test]
fn a_file_that_says_the_same_in_other_words_changes_nothing() {
    let file = File::new(
        "same.toml",
        "[telemetry.exporters.page]\ntype = 'prometheus'\nlisten = '127.0.0.1:0'\n\
         views = [{ name = 'cost.*', drop_labels = ['route'] }]\n\
         [telemetry.exporters.other]\ntype = 'prometheus'\nlisten = 'localhost:0'\ntimeout = '10s'\n",
    );
    let store = Store::new();
    let telemetry = start(builder().file(&file.0), &store);
    let address = telemetry.scrape_address();
    std::fs::write(
        &file.0,
        "# Moved, and with defaults spelled out.\n\
         [telemetry.exporters.other]\ntimeout = '10000ms'\nlisten = \"localhost:0\"\ntype = 'prometheus'\npath = '/metrics'\n\n\
         [[telemetry.exporters.page.views]]\ndrop_labels = ['route']\nname = 'cost.*'\n\
         [telemetry.exporters.page]\nlisten = '127.0.0.1:0'\ntype = 'prometheus'\n",
    )
    .unwrap();
    let reloaded = telemetry.reread().unwrap();
    assert_eq!(reloaded.to_string(), "nothing changed");
    assert_eq!(reloaded.exporter("page"), Some(&ExporterChange::Unchanged));
    assert_eq!(telemetry.scrape_address(), address);
}

/// Series that are put together have the least and the greatest value of all of them, not those of the last.
#[test]
fn least_and_greatest_values_are_those_of_all_series_that_a_view_puts_together() {
    let store = Store::new();
    let projection = metercast::view::Projection::new().view(View::of("cost.sizes").drop_labels(["route"]));
    let mut message = OtlpMessage::with_projection(&[], OtlpOptions::default(), projection);
    store.scope(|| {
        for (size, route) in [(4.0, "/a"), (9.5, "/b"), (0.5, "/c"), (2.0, "/d")] {
            SIZES.record(size, (route,));
        }
    });
    let mut body = Vec::new();
    assert_eq!(message.encode(&store, &mut body), 1);
    let message = ExportMetricsServiceRequest::decode(&body[..]).unwrap();
    let metric = &message.resource_metrics[0].scope_metrics[0].metrics[0];
    let Some(Data::ExponentialHistogram(histogram)) = &metric.data else { panic!("{metric:?}") };
    let point = &histogram.data_points[0];
    assert_eq!((point.count, point.sum, point.min, point.max), (4, Some(16.0), Some(0.5), Some(9.5)));
}
