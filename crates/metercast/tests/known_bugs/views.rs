//! Views and filters.

use metercast::view::{Audit, Filter, Projection, View};
use metercast::{ExemplarFilter, Format, Log, OtlpMessage, OtlpOptions, PageFormat, PrometheusPage, Store};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::exemplar::Value;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use prost::Message;

use super::{
    CACHE, MINUTE, READ, REQUESTS, SECRET, SESSIONS, SIZES, TOOK, builder, page, page_of, record, reload,
    start,
};
use crate::support::{Receiver, value};

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
    let telemetry = start(builder().text("a.toml", &text), &store);
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

/// What says that a metric has too many series is a metric itself, and says nothing of itself: else it would grow with each page.
#[test]
fn the_metric_that_names_those_with_too_many_series_does_not_name_itself() {
    let store = Store::new();
    for metric in ["cost.requests", "cost.sessions", "metercast.series_limits_reached"] {
        store.set_limit(metric, 1);
    }
    let telemetry = start(builder().exporter("page", page()), &store);
    store.scope(|| {
        for label in ["a", "b", "c"] {
            REQUESTS.add(1, (label,));
            SESSIONS.add(1, (label,));
        }
    });
    let named = |page: &str| -> Vec<String> {
        let lines = page.lines().filter(|line| line.starts_with("metercast_series_limits_reached_total"));
        lines.map(str::to_owned).collect()
    };
    page_of(&telemetry);
    let first = named(&page_of(&telemetry));
    assert!(
        !first.is_empty() && first.iter().all(|line| !line.contains("series_limits_reached\"")),
        "{first:?}"
    );
    for _ in 0..5 {
        assert_eq!(named(&page_of(&telemetry)), first);
    }
}

/// Scopes were hardly told apart: one exporter takes a library out, and another one shows it.
#[test]
fn a_library_is_taken_out_by_its_scope_of_one_exporter_alone() {
    let store = Store::new();
    let without = page().filter(Filter::new().exclude_scope("metercast-c?re"));
    let telemetry = start(builder().exporter("page", without), &store);
    record(&store);
    // Counted by the library itself, under its own name.
    store.scope(|| TOOK.record(f64::NAN));
    let dropped = "metercast_recordings_dropped_total";
    let shown = page_of(&telemetry);
    assert!(!shown.contains(dropped) && shown.contains("cost_requests_total"), "{shown}");
    reload(&telemetry, builder().exporter("page", page()));
    let shown = page_of(&telemetry);
    assert!(shown.contains(dropped), "{shown}");
}

/// What a view takes away must not leave the process another way: exemplars bring no label along unless the view says so, and of
/// each bucket there is one at most, whatever series it is made of.
#[test]
fn exemplars_of_series_that_a_view_puts_together_tell_nothing_of_the_labels_that_it_takes() {
    let store = Store::new();
    store.set_exemplars(ExemplarFilter::AlwaysOn);
    let projection = || Projection::new().view(View::of("cost.secret").drop_labels(["user"]));
    store.scope(|| {
        for (took, user) in [(0.25, "alice"), (0.75, "alice"), (0.3, "bob"), (0.8, "bob"), (7.0, "carol")] {
            SECRET.record(took, (user,));
        }
    });
    let mut message = OtlpMessage::with_projection(&[], OtlpOptions::default(), projection());
    let mut body = Vec::new();
    assert_eq!(message.encode(&store, &mut body), 1);
    let page = PrometheusPage::new("page", Log::to(|_, _| {})).projection(projection());
    let format = PageFormat { format: Format::OpenMetrics1, ..PageFormat::default() };
    let page = page.render_as(&store, format);
    for user in ["alice", "bob", "carol"] {
        assert!(
            !page.contains(user) && !body.windows(user.len()).any(|bytes| bytes == user.as_bytes()),
            "{page}"
        );
    }
    let message = ExportMetricsServiceRequest::decode(&body[..]).unwrap();
    let metric = &message.resource_metrics[0].scope_metrics[0].metrics[0];
    let Some(Data::Histogram(histogram)) = &metric.data else { panic!("{metric:?}") };
    let point = &histogram.data_points[0];
    assert_eq!(point.bucket_counts, [2, 2, 1]);
    let mut buckets: Vec<usize> = point
        .exemplars
        .iter()
        .map(|exemplar| match exemplar.value {
            Some(Value::AsDouble(value)) => {
                point.explicit_bounds.iter().take_while(|bound| value > **bound).count()
            }
            _ => panic!("{exemplar:?}"),
        })
        .collect();
    buckets.sort_unstable();
    assert_eq!(buckets, [0, 1, 2], "{point:?}");
}

/// What a message and an OpenMetrics page tell of `cost.secret` under a projection, and what is said to leave.
fn told(store: &Store, projection: &Projection) -> (Vec<Vec<String>>, String, Vec<String>) {
    let mut message = OtlpMessage::with_projection(&[], OtlpOptions::default(), projection.clone());
    let mut body = Vec::new();
    assert_eq!(message.encode(store, &mut body), 1);
    let message = ExportMetricsServiceRequest::decode(&body[..]).unwrap();
    let Some(Data::Histogram(histogram)) = &message.resource_metrics[0].scope_metrics[0].metrics[0].data
    else {
        panic!("{message:?}")
    };
    let mut filtered: Vec<Vec<String>> = Vec::new();
    for exemplar in histogram.data_points.iter().flat_map(|point| &point.exemplars) {
        filtered
            .push(exemplar.filtered_attributes.iter().map(|attribute| format!("{attribute:?}")).collect());
    }
    let page = PrometheusPage::new("page", Log::to(|_, _| {})).projection(projection.clone());
    let page = page.render_as(store, PageFormat { format: Format::OpenMetrics1, ..PageFormat::default() });
    let audit = Audit::of(projection, store);
    (filtered, page, audit.metrics.into_iter().flat_map(|metric| metric.exemplar_attributes).collect())
}

/// A view may leave the labels that it takes to exemplars, as OpenTelemetry's filtered attributes are; the audit states it. Where another
/// view takes labels of the same metric and does not say so, none stay.
#[test]
fn exemplars_keep_the_labels_that_a_view_leaves_to_them_unless_another_one_does_not() {
    let store = Store::new();
    store.set_exemplars(ExemplarFilter::AlwaysOn);
    let long = "x".repeat(200);
    store.scope(|| {
        SECRET.record(0.25, ("alice",));
        SECRET.record(0.75, (&long,));
    });
    let leaves = || View::of("cost.secret").drop_labels(["user"]).exemplar_labels(true);
    let (filtered, page, audited) = told(&store, &Projection::new().view(leaves()));
    assert_eq!(filtered.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1]);
    assert!(filtered[0][0].contains("\"user\"") && filtered[0][0].contains("\"alice\""), "{filtered:?}");
    assert!(filtered[1][0].contains(&long), "{filtered:?}");
    // OpenMetrics has no room for the other.
    assert!(page.contains("le=\"0.5\"} 1 # {user=\"alice\"} 0.25 "), "{page}");
    assert!(page.contains("le=\"1.0\"} 2 # {} 0.75 ") && !page.contains(&long), "{page}");
    assert_eq!(audited, ["user"]);

    let wide = Projection::new().view(View::of("cost.*").keep_labels(["route"])).view(leaves());
    let (filtered, page, audited) = told(&store, &wide);
    assert_eq!(filtered.iter().map(Vec::len).collect::<Vec<_>>(), [0, 0]);
    assert!(!page.contains("alice") && audited.is_empty(), "{page}");
}

/// Series that are put together have the least and the greatest value of all of them, not those of the last.
#[test]
fn least_and_greatest_values_are_those_of_all_series_that_a_view_puts_together() {
    let store = Store::new();
    let projection = Projection::new().view(View::of("cost.sizes").drop_labels(["route"]));
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
