//! A service to look at, whose seconds pass when a test says so.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use metercast::config::{Config, ConfigBuilder, Otlp, Prometheus};
use metercast::{Log, MockClock, Store, Telemetry, metrics};
use serde_json::Value;

use super::support::{NOBODY, request};

metrics! {
    /// Duration of HTTP server requests.
    pub(crate) static REQUESTS: Histogram<f64> = "http.server.request.duration" {
        unit: "s", buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
        labels: { "http.route": &str, "http.response.status_code": i64, "error.type": Option<&str> }
    };
    /// Requests in flight.
    static ACTIVE: UpDownCounter<i64> = "http.server.active_requests" { unit: "{request}" };
    /// Orders accepted.
    pub(crate) static ORDERS: Counter<u64> = "orders.placed" { unit: "{order}", labels: { side: &str } };
    /// Depth of each queue.
    static DEPTH: Gauge<i64> = "queue.depth" { unit: "{job}", labels: { queue: &str } };
    /// Memory that is resident.
    static MEMORY: Gauge<u64> = "process.memory.usage" { unit: "By" };
    /// Calls of tools.
    pub(crate) static CALLS: Counter<u64> = "tool.calls" { unit: "{call}", labels: { "user.id": &str, tool: &str } };
}

/// How long anything that is waited for may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// The service. It ends when it is dropped.
pub(crate) struct Shop {
    pub(crate) telemetry: Telemetry,
    pub(crate) store: Store,
    pub(crate) clock: MockClock,
    pub(crate) address: SocketAddr,
    /// Of the page.
    pub(crate) url: String,
}

impl Shop {
    /// One that has served for half a minute, and whose push nobody has taken yet.
    pub(crate) fn start() -> Shop {
        let shop = Shop::with(|config| config.exporter("central", central(NOBODY)));
        shop.serve_for(30);
        shop
    }

    /// One with a page and what else is said, that has served nobody.
    pub(crate) fn with(more: impl FnOnce(ConfigBuilder) -> ConfigBuilder) -> Shop {
        let config = more(builder()).build().unwrap();
        Shop::of(|clock| {
            let store = Store::with_clock(clock);
            (Telemetry::builder(config).store(store.clone()).log(Log::to(|_, _| {})).start().unwrap(), store)
        })
    }

    pub(crate) fn of(start: impl FnOnce(&MockClock) -> (Telemetry, Store)) -> Shop {
        let clock = MockClock::new();
        let (telemetry, store) = start(&clock);
        let address = telemetry.scrape_address().unwrap();
        Shop { telemetry, store, clock, address, url: format!("http://{address}/") }
    }

    pub(crate) fn json(&self, path: &str) -> Value {
        let (head, body) = request(self.address, "GET", path);
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Lets a second pass, and waits until it was read.
    pub(crate) fn second(&self) {
        let before = self.json("/live/api/metrics")["time"].clone();
        self.clock.advance(Duration::from_secs(1));
        let begun = Instant::now();
        while self.json("/live/api/metrics")["time"] == before {
            assert!(begun.elapsed() < LIMIT, "nobody reads the store");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub(crate) fn serve_for(&self, seconds: u32) {
        for _ in 0..seconds {
            self.store.scope(serve);
            self.second();
        }
    }

    /// What is said of an exporter.
    pub(crate) fn exporter(&self, name: &str) -> Value {
        let health = self.json("/live/api/health");
        health["exporters"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone()
    }
}

/// A configuration with the page alone.
pub(crate) fn builder() -> ConfigBuilder {
    let page = Prometheus::listen("127.0.0.1:0");
    // Nobody waits for a push that nobody takes.
    let config = Config::builder().environment(false).shutdown_timeout(Duration::from_millis(100));
    config.service("shop", "1.4.2").exporter("prometheus", page)
}

/// A push every ten seconds.
pub(crate) fn central(address: &str) -> Otlp {
    Otlp::to(&format!("http://{address}")).bearer("s3cret").interval(Duration::from_secs(10))
}

/// What comes in a second.
fn serve() {
    for n in 0..40 {
        let route = ["/orders", "/orders/{id}", "/quote"][n % 3];
        let failed = n == 7;
        let took = 0.002 + n as f64 / 400.0;
        REQUESTS.record(took, (route, if failed { 500 } else { 200 }, failed.then_some("500")));
    }
    ACTIVE.add(0);
    ORDERS.add(3, ("buy",));
    ORDERS.add(1, ("sell",));
    DEPTH.set(4, ("mail",));
    DEPTH.set(2, ("bill",));
    MEMORY.set(84_000_000);
    CALLS.add(1, ("ann", "search"));
}
