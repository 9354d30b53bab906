//! What a page of ten thousand series costs who looks and who serves it. It is printed, and never asserted: machines differ, and are shared.
//!
//! `METERCAST_LONG=1 cargo test --release -p metercast --all-features --test page figures -- --nocapture` measures for a minute.

use std::time::{Duration, Instant};

use metercast::{Log, Store, Telemetry, metrics};

use super::browser::Page;
use super::has_browser;
use super::shop::builder;
use super::support::is_long;

metrics! {
    /// Time of a call.
    static TIME: Histogram<f64> = "figures.time" { unit: "s", labels: { route: &str, code: i64 } };
    /// Bytes of a call.
    static BYTES: Counter<u64> = "figures.bytes" { unit: "By", labels: { route: &str, code: i64 } };
    /// Calls that are under way.
    static OPEN: Gauge<i64> = "figures.open" { labels: { route: &str } };
}

/// Processor time of this process, in seconds.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    // In hundredths of a second, on every Linux that there is.
    fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

/// 2,000 routes with two codes each, of which some are called.
fn call(routes: &[String]) {
    for route in routes {
        for code in [200, 500] {
            TIME.record(0.02, (route, code));
            BYTES.add(300, (route, code));
        }
        OPEN.set(2, (route,));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn figures_of_ten_thousand_series_and_one_viewer() {
    if !has_browser("figures_of_ten_thousand_series_and_one_viewer") {
        return;
    }
    let store = Store::new();
    store.set_limits(20_000, 200_000);
    let telemetry =
        Telemetry::builder(builder().build().unwrap()).store(store.clone()).log(Log::to(|_, _| {}));
    let telemetry = telemetry.start().unwrap();
    let routes: Vec<String> = (0..2000).map(|n| format!("/route/{n}")).collect();
    store.scope(|| call(&routes));
    let url = telemetry.live_url().unwrap();
    let (opened, length) =
        if is_long() { (10, Duration::from_secs(60)) } else { (2, Duration::from_secs(2)) };
    let mut paints: Vec<[f64; 2]> = (0..opened)
        .map(|_| {
            let page = Page::open(&url);
            page.until("performance.getEntriesByName('drawn').length && performance.getEntriesByName('first-contentful-paint').length");
            let at = |name: &str| {
                let text = format!("performance.getEntriesByName('{name}')[0].startTime");
                page.js(&text).as_f64().unwrap()
            };
            [at("first-contentful-paint"), at("drawn")]
        })
        .collect();
    paints.sort_by(|a, b| a[0].total_cmp(&b[0]));
    for (paint, drawn) in [("best", 0), ("middle", paints.len() / 2)].map(|(name, at)| (name, paints[at])) {
        println!("first paint, {paint} of {opened}: {:.0} ms, with data at {:.0} ms", drawn[0], drawn[1]);
    }
    let page = Page::open(&url);
    page.see("#counts", &["10000 series"]);
    let measure = |what: &str| {
        let (before, begun) = (processor(), Instant::now());
        while begun.elapsed() < length {
            store.scope(|| call(&routes[..20]));
            std::thread::sleep(Duration::from_millis(100));
        }
        let used = (processor() - before) / begun.elapsed().as_secs_f64();
        println!("{what}: {:.2} % of a processor, over {} s", used * 100.0, length.as_secs());
    };
    measure("one viewer");
    drop(page);
    measure("nobody looks any more");
}
