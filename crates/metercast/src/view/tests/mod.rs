//! What exporters with views let out, as lines of their pages.

mod each;
mod limits;
mod random;
mod reload;
mod said;
mod seeds;
mod sums;
mod tenants;

use std::sync::{Arc, Mutex};

use metercast_core::{KeyValue, Kind, Store, metrics, u64_counter, u64_counter_with_unit};

use super::*;
use crate::{Log, PageOptions, PrometheusPage};

metrics! {
    /// Orders taken.
    static ORDERS: Counter<u64> = "views.orders" { unit: "{order}", labels: { side: &str, region: &str } };
    /// Orders not settled.
    static OPEN: UpDownCounter<i64> = "views.open" { labels: { side: &str, region: &str } };
    /// The last price.
    static PRICE: Gauge<f64> = "views.price" { labels: { side: &str, region: &str } };
    /// Time to settle.
    static SETTLE: Histogram<f64> = "views.settle" { unit: "s", buckets: [0.005, 0.07, 1.0], labels: { side: &str } };
    /// Bytes in.
    static BYTES: Counter<u64> = "views.bytes" { unit: "By" };
    /// Size of messages.
    static SIZES: Histogram<f64> = "views.sizes" { unit: "By", exponential: true, labels: { side: &str } };
    /// Age of orders.
    static AGE: Summary<f64> = "views.age" { unit: "s", quantiles: [0.5], labels: { side: &str } };
}

/// Pages of one exporter, and what it said.
struct Pages {
    page: PrometheusPage,
    said: Arc<Mutex<Vec<String>>>,
}

impl Pages {
    fn of(projection: Projection) -> Pages {
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Log::to({
            let said = Arc::clone(&said);
            move |_, line| said.lock().unwrap().push(line.to_owned())
        });
        let options = PageOptions::new().unit_suffix(false).total_suffix(false);
        Pages { page: PrometheusPage::with("own", options, &[], log).projection(projection), said }
    }

    /// The samples of a page.
    fn lines(&self, store: &Store) -> Vec<String> {
        let page = self.page.render(store);
        page.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    }

    fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }
}

fn lines(store: &Store, views: impl IntoIterator<Item = View>) -> Vec<String> {
    Pages::of(views.into_iter().fold(Projection::new(), Projection::view)).lines(store)
}

/// A store with four series of each of these.
fn orders() -> Store {
    let store = Store::new();
    store.scope(|| {
        for (side, region, amount) in
            [("buy", "eu", 1), ("sell", "eu", 2), ("buy", "us", 4), ("sell", "us", 8)]
        {
            ORDERS.add(amount, (side, region));
            OPEN.add(-(amount as i64), (side, region));
            PRICE.set(amount as f64, (side, region));
        }
    });
    store
}

#[test]
fn a_projection_without_views_is_the_page_as_it_was() {
    let store = orders();
    let plain = PrometheusPage::with("own", PageOptions::new(), &[], Log::default());
    let views = PrometheusPage::with("own", PageOptions::new(), &[], Log::default());
    let views = views.projection(Projection::new().view(View::of("views.*")));
    assert_eq!(plain.render(&store), views.render(&store));
}

#[test]
fn labels_that_are_dropped_make_series_one_in_the_order_of_first_use() {
    let store = orders();
    let views = [View::of("views.*").drop_labels(["region"])];
    assert_eq!(
        lines(&store, views),
        [
            r#"views_open{side="buy"} -5"#,
            r#"views_open{side="sell"} -10"#,
            r#"views_orders{side="buy"} 5"#,
            r#"views_orders{side="sell"} 10"#,
            r#"views_price{side="buy"} 1"#,
            r#"views_price{side="sell"} 2"#,
        ]
    );
}

#[test]
fn of_gauges_that_become_one_the_newest_stands_unless_the_view_says_otherwise() {
    let store = orders();
    let page = |merge| lines(&store, [View::of("views.price").keep_labels(["side"]).gauges(merge)]);
    let price = |merge| page(merge).into_iter().filter(|line| line.contains("price")).collect::<Vec<_>>();
    assert_eq!(price(GaugeMerge::Sum), [r#"views_price{side="buy"} 5"#, r#"views_price{side="sell"} 10"#]);
    assert_eq!(price(GaugeMerge::Min), [r#"views_price{side="buy"} 1"#, r#"views_price{side="sell"} 2"#]);
    assert_eq!(price(GaugeMerge::Max), [r#"views_price{side="buy"} 4"#, r#"views_price{side="sell"} 8"#]);
    store.scope(|| PRICE.set(7.0, ("buy", "eu")));
    assert_eq!(price(GaugeMerge::Newest), [r#"views_price{side="buy"} 7"#, r#"views_price{side="sell"} 2"#]);
}

#[test]
fn views_apply_in_their_order_and_what_is_dropped_stays_dropped() {
    let store = orders();
    let of = |views: Vec<View>| {
        let lines = lines(&store, views).into_iter();
        lines.filter(|line| line.contains("orders")).collect::<Vec<_>>()
    };
    let views = vec![
        View::of("views.orders").rename("first").keep_labels(["region"]),
        View::of("*").rename("orders.second").keep_labels(["side", "region"]).drop_labels(["region"]),
        View::of("views.o*").rename_label("side", "direction"),
    ];
    let others = [View::of("views.open").drop(), View::of("views.price").drop()];
    assert_eq!(
        of(views.into_iter().chain(others).collect()),
        [r#"orders_second{direction="buy"} 5"#, r#"orders_second{direction="sell"} 10"#]
    );
}

#[test]
fn an_alias_is_what_the_metric_was_and_what_its_view_says_and_later_views_change_it_but_for_the_name() {
    let store = Store::new();
    store.scope(|| u64_counter_with_unit!("views.busy", "Time at work", "s", 3, "worker" => "a"));
    let views = [
        View::of("views.busy").alias("busy.ms").unit("ms"),
        View::of("views.busy").drop_labels(["worker"]),
        View::of("views.busy").rename("busy.s"),
    ];
    assert_eq!(lines(&store, views), ["busy_ms 3000", "busy_s 3"]);
}

#[test]
fn with_a_stream_for_each_view_views_know_nothing_of_each_other() {
    let store = orders();
    let projection = Projection::new()
        .rule(Rule::Each)
        .filter(Filter::new().include("views.orders"))
        .view(View::of("views.orders").rename("by.side").keep_labels(["side"]))
        .view(View::of("views.*").rename("all").keep_labels([""; 0]))
        .view(View::of("*").drop());
    let pages = Pages::of(projection);
    let expected = ["all 15", r#"by_side{side="buy"} 5"#, r#"by_side{side="sell"} 10"#];
    assert_eq!(pages.lines(&store), expected);
    let none = Projection::new().rule(Rule::Each).filter(Filter::new().include("views.orders"));
    assert_eq!(Pages::of(none.view(View::of("other").drop())).lines(&store).len(), 4);
}

#[test]
fn units_are_converted_with_all_that_is_in_them() {
    let store = Store::new();
    store.scope(|| {
        SETTLE.record(0.07, ("buy",));
        SETTLE.record(0.25, ("buy",));
        AGE.record(0.5, ("buy",));
        BYTES.add(3072);
        SIZES.record(3000.0, ("buy",));
    });
    let views = [View::of("views.*").unit("ms"), View::of("views.bytes").unit("KiBy")];
    let pages = Pages::of(views.into_iter().fold(Projection::new(), Projection::view));
    let page = pages.lines(&store);
    assert_eq!(
        page,
        [
            r#"views_age{side="buy",quantile="0.5"} 500"#,
            r#"views_age_sum{side="buy"} 500"#,
            r#"views_age_count{side="buy"} 1"#,
            "views_bytes 3",
            r#"views_settle_bucket{side="buy",le="5"} 0"#,
            r#"views_settle_bucket{side="buy",le="70"} 1"#,
            r#"views_settle_bucket{side="buy",le="1000"} 2"#,
            r#"views_settle_bucket{side="buy",le="+Inf"} 2"#,
            r#"views_settle_sum{side="buy"} 320"#,
            r#"views_settle_count{side="buy"} 2"#,
            r#"views_sizes_bucket{side="buy",le="2048"} 0"#,
            r#"views_sizes_bucket{side="buy",le="4096"} 1"#,
            r#"views_sizes_bucket{side="buy",le="+Inf"} 1"#,
            r#"views_sizes_sum{side="buy"} 3000"#,
            r#"views_sizes_count{side="buy"} 1"#,
        ]
    );
    let said = pages.said();
    assert!(
        said.iter().any(|line| line.contains("view 1 of the exporter in code (of \"views.*\") asks for unit \"ms\"")),
        "{said:?}"
    );
}

#[test]
fn exponential_buckets_move_with_the_unit() {
    let store = Store::new();
    store.scope(|| SIZES.record(3000.0, ("buy",)));
    let page = lines(&store, [View::of("views.sizes").unit("KiBy")]);
    assert_eq!(
        page[..2],
        [r#"views_sizes_bucket{side="buy",le="2"} 0"#, r#"views_sizes_bucket{side="buy",le="4"} 1"#]
    );
    assert_eq!(page[3], r#"views_sizes_sum{side="buy"} 2.9296875"#);
}

#[test]
fn series_beyond_a_limit_are_one_and_who_had_a_place_keeps_it() {
    let store = Store::new();
    let add = |tenant: usize| {
        store.scope(|| u64_counter!("views.tenants", "By tenant", 1, "tenant" => tenant.to_string()));
    };
    (0..3).for_each(add);
    let pages = Pages::of(Projection::new().limit(5).view(View::of("views.tenants").limit(3)));
    let of = |tenant: usize| format!("views_tenants{{tenant=\"{tenant}\"}} 1");
    let three: Vec<String> = (0..3).map(of).collect();
    assert_eq!(pages.lines(&store), three);
    (3..8).for_each(add);
    let overflow = r#"views_tenants{otel_metric_overflow="true"} 5"#.to_owned();
    assert_eq!(pages.lines(&store), [&three[..], std::slice::from_ref(&overflow)].concat());
    assert!(store.remove("views.tenants", [KeyValue::new("tenant", "1")]));
    // What stood with the others stays there: its counter would begin with what it counted before.
    assert_eq!(pages.lines(&store), [of(0), of(2), overflow.clone()]);
    add(8);
    assert_eq!(pages.lines(&store), [of(0), of(2), overflow, of(8)]);
}

#[test]
fn a_sum_does_not_go_down_when_a_series_ends_and_begins_anew_when_all_have_ended() {
    let store = Store::new();
    let add = |tenant: &str, amount: u64| {
        store.scope(|| {
            u64_counter!("views.ended", "By tenant", amount, "tenant" => tenant.to_owned(), "kind" => 1);
        });
    };
    let remove = |tenant: &'static str| {
        let labels = [KeyValue::new("tenant", tenant), KeyValue::new("kind", 1)];
        assert!(store.remove("views.ended", labels));
    };
    let pages = Pages::of(Projection::new().view(View::of("views.*").drop_labels(["tenant"])));
    let line = |total: u32| [format!("views_ended{{kind=\"1\"}} {total}")];
    add("a", 4);
    add("b", 2);
    assert_eq!(pages.lines(&store), line(6));
    remove("a");
    assert_eq!(pages.lines(&store), line(6));
    add("a", 1);
    add("b", 1);
    assert_eq!(pages.lines(&store), line(8));
    remove("b");
    assert_eq!(pages.lines(&store), line(8));
    // Of another store nothing is remembered.
    assert!(pages.lines(&Store::new()).is_empty());
    assert_eq!(pages.lines(&store), line(1));
    remove("a");
    assert!(pages.lines(&store).is_empty());
    add("c", 7);
    assert_eq!(pages.lines(&store), line(7));
}

#[test]
fn what_is_wrong_is_said_once_and_names_view_and_mend() {
    let store = orders();
    store.scope(|| SETTLE.record(0.5, ("buy",)));
    let pages = Pages::of(
        Projection::new()
            .view(View::of("view.orders").rename("x"))
            .view(View::of("views.orders").buckets([1.0]))
            .view(View::of("views.settle").buckets([2.0, 1.0]))
            .view(View::of("views.settle").kind(Kind::Counter).unit("ms"))
            .view(View::of("views.open").rename("views.price")),
    );
    assert!(pages.lines(&Store::new()).is_empty());
    assert!(pages.said().is_empty());
    (0..4).for_each(|_| drop(pages.lines(&store)));
    let said = pages.said();
    let expected = [
        "view 2 of the exporter in code (of \"views.orders\") asks for buckets of metric \"views.orders\" (",
        "which cannot have them, and keeps its own: it has the bounds 2 and 1, which do not increase",
        "view 1 of the exporter in code (of \"view.orders\") matches no metric so far",
        "view 4 of the exporter in code (of \"views.settle\", kind counter) matches no metric so far",
        "are both views_price on the page; the second is left out",
    ];
    for expected in expected {
        assert_eq!(said.iter().filter(|line| line.contains(expected)).count(), 1, "{expected}: {said:#?}");
    }
    assert!(said.iter().all(|line| line.starts_with("exporter \"own\": ")), "{said:#?}");
    assert_eq!(said.len(), expected.len(), "{said:#?}");
}

#[test]
fn of_two_metrics_with_one_name_the_first_keeps_it_where_names_are_not_shared() {
    let store = orders();
    let projection = Projection::new()
        .filter(Filter::new().include("views.o*"))
        .view(View::of("views.open").alias("b.other"))
        .view(View::of("views.orders").rename("b.other"));
    let mut plan = Plan::new(Arc::new(projection), "own");
    for _ in 0..2 {
        store.read(|reading| {
            let streams = plan.streams(reading);
            let names: Vec<_> = streams
                .iter()
                .map(|view| (view.stream().name(), view.stream().kind(), view.stream().ordinal()))
                .collect();
            assert_eq!(names, [("b.other", Kind::UpDownCounter, 1), ("views.open", Kind::UpDownCounter, 0)]);
        });
    }
    let warnings = plan.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("have one name; the second is left out: rename one"), "{warnings:?}");
}

#[test]
fn a_metric_that_becomes_private_stays_what_it_was_where_it_is_let_out_and_leaves_where_it_is_not() {
    metrics! {
        /// Declared private, and used before that is known.
        static LATE: Counter<u64> = "views.late" { visibility: private };
    }
    let store = Store::new();
    let count =
        || store.scope(|| u64_counter!("views.late", "Declared private, and used before that is known.", 1));
    let both = Pages::of(Projection::new().filter(Filter::new().visibility(Visibilities::Both)).limit(10));
    let public = Pages::of(Projection::new());
    count();
    assert_eq!([both.lines(&store), public.lines(&store)], [["views_late 1"], ["views_late 1"]]);
    store.scope(|| LATE.add(1));
    count();
    assert_eq!(both.lines(&store), ["views_late 3"]);
    assert!(public.lines(&store).is_empty());
    assert!(both.said().is_empty(), "{:?}", both.said());
}

#[test]
fn the_audit_of_an_exporter_that_prints_has_the_attributes_that_it_prints() {
    use crate::config::{Config, ResourceAttributes, Stdout};
    let audit = |stdout: Stdout| {
        let config = Config::builder().environment(false).service("shop", "1.0").exporter("out", stdout);
        crate::view::Audit::of_exporter(&config.build().unwrap(), "out", &Store::new()).unwrap().resource
    };
    assert_eq!(audit(Stdout::default()), []);
    let named = Stdout::default().resource(ResourceAttributes::only(["service.name"]));
    assert_eq!(audit(named), [("service.name".to_owned(), "shop".to_owned())]);
}
