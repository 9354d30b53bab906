//! What each option does to a page.

use metercast_core::{KeyValue, Store};
use metercast_core::{f64_counter_with_unit, f64_gauge, u64_counter, u64_gauge_with_unit};

use crate::export::prometheus::{PageOptions, Profile, PrometheusPage, ResourceLabels, Strategy};
use crate::log::Log;

fn lines(options: PageOptions, store: &Store) -> Vec<String> {
    let resource = [
        ("service.name".to_owned(), "orders".into()),
        ("host.cpus".to_owned(), 4.into()),
        ("empty".to_owned(), "".into()),
    ];
    let page = PrometheusPage::with("test", options, &resource, Log::to(|_, _| {}));
    let page = page.render(store);
    page.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn the_strategy_decides_how_names_are_translated() {
    let store = Store::new();
    store.scope(|| {
        f64_counter_with_unit!("option.busy", "", "s", 1.5, "w.n" => "a");
        f64_counter_with_unit!("option.seconds.total", "", "s", 1.5);
        u64_gauge_with_unit!("option.size", "", "By/s", 1);
    });
    for (strategy, names) in [
        (
            Strategy::UnderscoreEscapingWithSuffixes,
            ["option_busy_seconds_total{w_n=\"a\"}", "option_seconds_total", "option_size_bytes_per_second"],
        ),
        (
            Strategy::UnderscoreEscapingWithoutSuffixes,
            ["option_busy{w_n=\"a\"}", "option_seconds_total", "option_size"],
        ),
    ] {
        let lines = lines(PageOptions::new().strategy(strategy), &store);
        let expected = names.iter().zip(["1.5", "1.5", "1"]).map(|(name, value)| format!("{name} {value}"));
        assert_eq!(lines, expected.collect::<Vec<_>>());
    }
    let strategy = PageOptions::new().strategy(Strategy::NoTranslation);
    let suffixed = lines(strategy.clone().unit_suffix(true), &store);
    assert_eq!(suffixed[0], "option_busy_seconds{w_n=\"a\"} 1.5");
    let suffixed = lines(strategy.total_suffix(true), &store);
    assert_eq!(suffixed[0], "option_busy_total{w_n=\"a\"} 1.5");
    let bare = PageOptions::new().unit_suffix(false).total_suffix(false);
    assert_eq!(
        lines(bare, &store),
        ["option_busy{w_n=\"a\"} 1.5", "option_seconds_total 1.5", "option_size 1"]
    );
}

#[test]
fn a_namespace_stands_in_front_of_every_name_but_those_that_are_complete() {
    use metercast_core::{Produced, PrometheusType};
    let store = Store::new();
    store.scope(|| {
        u64_counter!("option.orders", "", 1);
        u64_counter!("option.lives.total", "", 1);
    });
    let _complete = store.produce("a registry", |producer| {
        let complete = Produced::prometheus("process_open_fds", PrometheusType::Gauge);
        producer.family(&complete).series(&[]).set(7.0);
    });
    let of = |options: PageOptions| lines(options.namespace("shop"), &store);
    let plain = ["process_open_fds 7", "shop_option_lives_total 1", "shop_option_orders_total 1"];
    assert_eq!(of(PageOptions::new()), plain);
    let with_target = of(PageOptions::new().target_info(true));
    assert!(with_target[0].starts_with("target_info{"), "{with_target:?}");
    let untouched = of(PageOptions::new().strategy(Strategy::NoTranslation));
    assert_eq!(untouched[1..], ["shop_option_lives_total 1", "shop_option_orders 1"]);
}

#[test]
fn labels_of_the_library_and_of_the_resource_stand_on_every_line() {
    let store = Store::new();
    store.scope(|| u64_counter!("option.orders", "", 1, "side" => "buy"));
    let of = |options| lines(options, &store).remove(0);
    let scope = of(PageOptions::new().scope_labels(true));
    let expected = concat!(
        "option_orders_total{otel_scope_name=\"metercast\",otel_scope_version=\"",
        env!("CARGO_PKG_VERSION"),
        "\",side=\"buy\"} 1"
    );
    assert_eq!(scope, expected);
    let resource = |labels| of(PageOptions::new().resource_labels(labels));
    assert_eq!(
        resource(ResourceLabels::All),
        "option_orders_total{host_cpus=\"4\",service_name=\"orders\",side=\"buy\"} 1"
    );
    assert_eq!(
        resource(ResourceLabels::only(["service.name", "empty", "missing"])),
        "option_orders_total{service_name=\"orders\",side=\"buy\"} 1"
    );
    assert_eq!(resource(ResourceLabels::None), "option_orders_total{side=\"buy\"} 1");
}

#[test]
fn lines_with_many_labels_of_the_resource_are_long_and_whole() {
    let store = Store::new();
    store.scope(|| {
        u64_counter!("option.orders", "", 1);
        u64_counter!("option.orders", "", 1, "side" => "buy");
    });
    let resource: Vec<_> = (0..40).map(|at| (format!("key{at:02}"), "x".repeat(at).into())).collect();
    let options = PageOptions::new().resource_labels(ResourceLabels::All);
    let page = PrometheusPage::with("test", options, &resource, Log::to(|_, _| {}));
    let labels: Vec<_> = (1..40).map(|at| format!("key{at:02}=\"{}\"", "x".repeat(at))).collect();
    let labels = labels.join(",");
    let lines = page.render(&store);
    assert!(lines.contains(&format!("\noption_orders_total{{{labels}}} 1\n")), "{lines}");
    assert!(lines.contains(&format!("\noption_orders_total{{{labels},side=\"buy\"}} 1\n")), "{lines}");
}

#[test]
fn the_other_exporters_numbers_have_no_exponent() {
    let store = Store::new();
    store.scope(|| {
        f64_gauge!("option.number", "", 1e21, "n" => 1);
        f64_gauge!("option.number", "", 0.000001, "n" => 2);
        f64_gauge!("option.number", "", 5e-324, "n" => 3);
        f64_gauge!("option.number", "", 0.5, "n" => 4);
        let labels = [KeyValue::new("__x", "1"), KeyValue::new("9 é", "2")];
        super::any().add::<u64>(1, &labels[..]);
    });
    let lines = lines(PageOptions::new().profile(Profile::MetricsRs), &store);
    assert_eq!(
        lines[..2],
        ["option_number{n=\"1\"} 1000000000000000000000", "option_number{n=\"2\"} 0.000001"]
    );
    assert!(lines[2].len() > 340 && lines[2].ends_with("00005"), "{}", lines[2]);
    assert_eq!(lines[3..], ["option_number{n=\"4\"} 0.5", "", "page_any{__x=\"1\",___=\"2\"} 1", ""]);
}
