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
    pages.lines(&store);
    pages.lines(&store);
    let expected = "exporter \"own\": view 1 (of \"cost.*\") matches no metric so far; check the pattern, unless such metrics \
                    come later";
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
