//! Bugs of other systems that concern views, each as what is right here. Numbers are those of their trackers.

use metercast_core::f64_histogram_with_unit;

use super::*;

/// 9212: since 2.13 any view without an aggregation made a histogram of counters and gauges.
#[test]
fn a_view_without_an_aggregation_keeps_the_kind() {
    let store = orders();
    let view = View::of("views.*").description("Of this shop").drop_labels(["region", "side"]);
    let page = PrometheusPage::new("own", Log::default()).projection(Projection::new().view(view));
    let page = page.render(&store);
    let types: Vec<_> = page.lines().filter(|line| line.starts_with("# TYPE")).collect();
    let expected =
        ["# TYPE views_open gauge", "# TYPE views_orders_total counter", "# TYPE views_price gauge"];
    assert_eq!(types, expected);
}

/// 9809: `*` to drop everything stopped matching, and what was to be kept back went out.
#[test]
fn a_star_drops_everything_and_a_later_view_takes_some_in_again() {
    let store = orders();
    let drop = || View::of("*").drop();
    assert!(lines(&store, [drop()]).is_empty());
    let some = [drop(), View::of("views.p*").keep().drop_labels(["region"]).gauges(GaugeMerge::Max)];
    assert_eq!(lines(&store, some), [r#"views_price{side="buy"} 4"#, r#"views_price{side="sell"} 8"#]);
    // With views that know nothing of each other as well.
    let each = Projection::new().rule(Rule::Each).view(drop()).view(View::of("views.open"));
    assert_eq!(Pages::of(each).lines(&store).len(), 4);
}

/// 9809: a pattern that matches nothing was silent.
#[test]
fn a_view_that_matches_nothing_is_said_once_there_are_metrics() {
    let store = Store::new();
    let pages = Pages::of(Projection::new().view(View::of("cost.*").drop()));
    pages.lines(&store);
    assert!(pages.said().is_empty());
    store.scope(|| BYTES.add(1));
    (0..4).for_each(|_| drop(pages.lines(&store)));
    let expected = "exporter \"own\": view 1 of the exporter in code (of \"cost.*\") matches no metric so far; check the \
                    pattern, unless such metrics come later";
    assert_eq!(pages.said(), [expected]);
}

/// 9633 and 8415: thousands of dashboards cannot change to another name and unit in one night.
#[test]
fn an_alias_in_milliseconds_counts_the_same_and_its_sum_is_a_thousand_times_as_much() {
    let store = Store::new();
    store.scope(|| {
        for wait in [0.25, 0.5, 4.0] {
            f64_histogram_with_unit!("seed.wait", "Time to wait", "s", wait, "queue" => "a");
        }
    });
    let page = lines(&store, [View::of("seed.wait").alias("seed.wait.ms").unit("ms")]);
    let values = |end: &str| {
        let of_end =
            page.iter().filter(|line| line.contains(end)).map(|line| line.rsplit_once(' ').unwrap().1);
        of_end.map(|value| value.parse().unwrap()).collect::<Vec<f64>>()
    };
    assert_eq!(values("_count"), [3.0, 3.0]);
    assert_eq!(values("_sum"), [4.75, 4_750.0]);
    let counts = values("_bucket");
    let (of_s, of_ms) = counts.split_at(counts.len() / 2);
    assert_eq!(of_ms, of_s);
}

/// The private exporter of the gateway was changed by the views of its users.
#[test]
fn the_page_of_another_exporter_stays_as_it_was() {
    let store = orders();
    let vendor = Pages::of(Projection::new().filter(Filter::new().visibility(Visibilities::Both)));
    let before = vendor.lines(&store);
    let user =
        Pages::of(Projection::new().view(View::of("*").unit("ms").limit(1).drop_labels(["*"]).rename("x")));
    user.lines(&store);
    assert_eq!(vendor.lines(&store), before);
    assert_eq!(before.len(), 12);
}

/// 2333 and 4543: buckets per metric; and buckets of one exporter that another one does not have.
#[test]
fn a_view_has_buckets_of_its_own_and_all_that_was_recorded_is_in_them() {
    let store = Store::new();
    let wait = |wait| {
        store.scope(|| f64_histogram_with_unit!("seed.buckets", "Time to wait", "s", wait, "queue" => "a"));
    };
    wait(0.3);
    let user = Pages::of(
        Projection::new().view(View::of("seed.b*").buckets([250.0, 500.0]).unit("ms").drop_labels(["*"])),
    );
    let expected = |counts: [u32; 3]| {
        let [low, mid, all] = counts;
        [
            format!("seed_buckets_bucket{{le=\"250\"}} {low}"),
            format!("seed_buckets_bucket{{le=\"500\"}} {mid}"),
            format!("seed_buckets_bucket{{le=\"+Inf\"}} {all}"),
        ]
    };
    assert_eq!(user.lines(&store)[..3], expected([0, 1, 1]));
    let vendor = Pages::of(Projection::new());
    let before = vendor.lines(&store);
    assert!(before.len() > 10, "{before:?}");
    wait(0.25);
    wait(7.0);
    assert_eq!(user.lines(&store)[..3], expected([1, 2, 3]));
    assert_eq!(vendor.lines(&store).len(), before.len());
}

/// The gateway's default buckets replaced those that the program declares.
#[test]
fn default_buckets_are_for_histograms_of_which_nobody_says_any() {
    let store = Store::new();
    let projection = Projection::new().default_buckets([1.0, 2.0]).view(View::of("*.seen").buckets([5.0]));
    let pages = Pages::of(projection);
    pages.page.commit(&store);
    store.scope(|| {
        SETTLE.record(0.5, ("buy",));
        f64_histogram_with_unit!("seed.free", "Nothing said", "s", 1.5);
        f64_histogram_with_unit!("seed.seen", "By a view", "s", 1.5);
    });
    let page = pages.lines(&store);
    let bounds = |metric: &str| {
        let of = page.iter().filter(|line| line.starts_with(&format!("{metric}_bucket")));
        of.map(|line| line.split("le=\"").nth(1).unwrap().split('"').next().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(bounds("seed_free"), ["1", "2", "+Inf"]);
    assert_eq!(bounds("seed_seen"), ["5", "+Inf"]);
    assert_eq!(bounds("views_settle"), ["0.005", "0.07", "1", "+Inf"]);
}

/// 8328: each reload let all counters begin anew.
#[test]
fn a_metric_that_gets_another_name_unit_or_labels_keeps_what_was_counted() {
    let store = orders();
    let settle = || store.scope(|| SETTLE.record(0.5, ("buy",)));
    settle();
    let before = Pages::of(Projection::new().filter(Filter::new().include("views.settle")));
    assert!(before.lines(&store).contains(&r#"views_settle_count{side="buy"} 1"#.to_owned()));
    let view = View::of("views.settle").rename("settled").unit("ms").drop_labels(["side"]);
    let after = Pages::of(Projection::new().filter(Filter::new().include("views.settle")).view(view));
    settle();
    let page = after.lines(&store);
    assert_eq!(page[4..], ["settled_sum 1000", "settled_count 2"]);
    assert!(after.said().is_empty(), "{:?}", after.said());
}
