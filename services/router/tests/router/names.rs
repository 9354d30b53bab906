//! Names that meet, and suffixes that are there already: step 14, with metrics of its own.

use conformance::http;
use metercast_tower::config::{Config, Otlp, Prometheus};
use metercast_tower::{Log, Store, Telemetry, metrics};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{Collector, Page};

metrics! {
    /// With a dot
    static DOTTED: Counter<u64> = "names.a.b";
    /// With a line below
    static LINED: Counter<u64> = "names.a_b" { labels: { side: &str } };
    /// Has its suffix
    static TOTAL: Counter<u64> = "names.x_total" { labels: { says: &str } };
    /// In seconds
    static SECONDS: Counter<f64> = "names.y" { unit: "s" };
    /// A part of a whole
    static SHARE: Gauge<f64> = "names.share" { unit: "1" };
    /// In packets
    static PACKETS: Counter<u64> = "names.packets" { unit: "{packet}" };
}

#[test]
fn names_that_meet_are_told_once_and_no_suffix_comes_twice() {
    let (user, store, said) = (Collector::new(), Store::new(), Arc::new(Mutex::new(Vec::new())));
    let config = Config::builder()
        .environment(false)
        .self_metrics(false)
        .exporter("page", Prometheus::listen("127.0.0.1:0"))
        .exporter("push", Otlp::to(&user.url))
        .build()
        .unwrap();
    let log = Log::to({
        let said = Arc::clone(&said);
        move |_, line| said.lock().unwrap().push(line.to_owned())
    });
    store.scope(|| {
        DOTTED.add(1);
        LINED.add(2, ("buy",));
        TOTAL.add(3, ("a_total_total",));
        SECONDS.add(4.5);
        SHARE.set(0.5);
        PACKETS.add(6);
    });
    let telemetry = Telemetry::builder(config).store(store).log(log).start().unwrap();
    let page = || Page(String::from_utf8(http::get(&telemetry.scrape_url().unwrap())).unwrap());
    page();
    let page = page();
    let mut samples: Vec<&str> = page.0.lines().filter(|line| line.starts_with("names_")).collect();
    samples.sort_unstable();
    assert_eq!(
        samples,
        [
            "names_a_b_total 1",
            "names_a_b_total{side=\"buy\"} 2",
            "names_packets_total 6",
            "names_share 0.5",
            "names_x_total{says=\"a_total_total\"} 3",
            "names_y_seconds_total 4.5",
        ]
    );
    let told = said.lock().unwrap().iter().filter(|line| line.contains("names_a_b")).count();
    assert_eq!(told, 1, "{:?}", said.lock().unwrap());
    telemetry.flush(Duration::from_secs(20)).unwrap();
    let declared = ["names.a.b", "names.a_b", "names.packets", "names.share", "names.x_total", "names.y"];
    assert_eq!(user.names(), declared);
}
