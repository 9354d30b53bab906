//! Caches come and go with what is observed of them, and callbacks that misbehave harm nobody: step 13.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use conformance::http;
use metercast_tower::config::{Config, Otlp, Prometheus};
use metercast_tower::{Log, MockClock, Store, Telemetry, metrics};

use crate::support::{Collector, Page, Router, Yaml, until, upstream};

#[test]
fn a_cache_that_a_reload_takes_away_is_observed_no_more() {
    let (user, vendor) = (Collector::new(), Collector::new());
    let cached = vec!["accounts", "products"];
    let mut yaml = Yaml { cached, ..Yaml::new(&upstream(), &user.url, &vendor.url) };
    let stage = "      cache:
        acme.lookups: {value: unit, type: counter, attributes: {of: {subgraph_name: true}, hit: {cache_hit: true}}}
      subgraph:\n";
    let text = |yaml: &Yaml| yaml.text().replace("      subgraph:\n", stage);
    let router = Router::start_text(&text(&yaml), &[]);
    let ask = || {
        for path in ["/accounts/items/2", "/accounts/items/2", "/accounts/items/3", "/products/items/5"] {
            assert_eq!(router.get(path), 200);
        }
    };
    ask();
    let size = |kind: &str| router.page().sum("gateway_cache_size", &[&format!("kind=\"{kind}\"")]);
    assert_eq!((size("accounts"), size("products")), (Some(2.0), Some(1.0)));
    let page = router.page();
    let lookups = |of: &str, hit: bool| {
        page.sum("acme_lookups_total", &[&format!("of=\"{of}\""), &format!("hit=\"{hit}\"")])
    };
    assert_eq!((lookups("accounts", true), lookups("accounts", false)), (Some(1.0), Some(2.0)));
    assert_eq!((lookups("products", true), lookups("products", false)), (None, Some(1.0)));
    until("the vendor's", || {
        (vendor.total("gateway.config.cache", &[("opt.upstreams", "2")]) == 1.0).then_some(())
    });
    assert_eq!(vendor.total("gateway.operations.fetch", &[("subgraph.name", "accounts")]), 2.0);

    yaml.cached = vec!["accounts"];
    let (status, said) = router.reload_text(&text(&yaml));
    assert_eq!(status, 200, "{said}");
    ask();
    assert_eq!((size("accounts"), size("products")), (Some(2.0), None));
    until("both at the user's", || (user.total("acme.lookups", &[("of", "accounts")]) == 6.0).then_some(()));
    assert!(!vendor.names().iter().any(|name| name.starts_with("acme.")));
}

metrics! {
    /// Whose callback panics
    static PANICS: ObservableGauge<u64> = "caches.panics";
    /// Whose callback takes its time
    static SLOW: ObservableGauge<u64> = "caches.slow";
    /// Whose callback makes an instrument
    static MAKES: ObservableGauge<u64> = "caches.makes";
    /// Made by a callback
    static MADE: Counter<u64> = "caches.made";
    /// What nobody observes
    static OTHERS: Counter<u64> = "caches.others";
}

#[test]
fn callbacks_that_panic_hang_or_record_leave_the_page_whole() {
    let (user, clock) = (Collector::new(), MockClock::new());
    let store = Store::with_clock(&clock);
    let config = Config::builder()
        .environment(false)
        .self_metrics(false)
        .exporter("page", Prometheus::listen("127.0.0.1:0"))
        .exporter("push", Otlp::to(&user.url))
        .build()
        .unwrap();
    let telemetry = Telemetry::builder(config).store(store.clone()).log(Log::to(|_, _| {})).start().unwrap();
    // It answers once; then it takes until the end of the test.
    let (release, hangs) = mpsc::channel::<()>();
    let hangs = Mutex::new(Some(hangs));
    let runs = AtomicUsize::new(0);
    let _observed = store.scope(|| {
        OTHERS.add(4);
        (
            PANICS.observe(|_| panic!("as it is meant to")),
            SLOW.observe(move |observer| {
                if runs.fetch_add(1, Ordering::Relaxed) > 0 {
                    let hangs = hangs.lock().unwrap().take();
                    hangs.into_iter().for_each(|hangs| _ = hangs.recv());
                }
                observer.set(7);
            }),
            MAKES.observe(|observer| {
                MADE.add(1);
                observer.set(1);
            }),
        )
    });
    let page = || {
        let begun = Instant::now();
        let page = Page(String::from_utf8(http::get(&telemetry.scrape_url().unwrap())).unwrap());
        (page, begun.elapsed())
    };
    page();
    telemetry.flush(Duration::from_secs(20)).unwrap();
    assert_eq!((user.total("caches.slow", &[]), user.total("caches.others", &[])), (7.0, 4.0));
    clock.advance(Duration::from_secs(2));
    page();
    clock.advance(Duration::from_secs(2));
    let (last, took) = page();
    assert!(took < Duration::from_secs(1), "nobody waits for what hangs already: {took:?}");
    let of = |name: &str| last.sum(name, &[]);
    assert_eq!(
        (of("caches_slow"), of("caches_makes"), of("caches_others_total")),
        (Some(7.0), Some(1.0), Some(4.0))
    );
    assert!(of("caches_made_total") >= Some(1.0) && last.lines("caches_panics ").is_empty(), "{}", last.0);
    drop(release);
}
