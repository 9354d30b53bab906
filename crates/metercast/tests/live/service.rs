//! A service that is looked at over HTTP.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use metercast::config::{Config, Otlp, Prometheus};
use metercast::view::Visibilities;
use metercast::{Log, MockClock, Store, Telemetry, metrics};
use serde_json::Value;

metrics! {
    /// Orders.
    pub(crate) static ORDERS: Counter<u64> = "orders" { unit: "{order}", labels: { side: &str, "error.type": Option<&str> } };
    /// Time to settle.
    pub(crate) static SETTLE: Histogram<f64> = "settle" { unit: "s", buckets: [1.0, 2.0, 4.0], labels: { side: &str } };
    /// Depth.
    pub(crate) static DEPTH: Gauge<i64> = "depth" { labels: { queue: &str } };
    /// Nobody else's.
    pub(crate) static SECRET: Gauge<i64> = "vendor.secret" { visibility: private };
}

/// Where nobody listens, and nobody who asks for any port gets to.
const NOBODY: &str = "http://127.0.0.1:1";

/// A service with a page, a push that nobody takes, and a clock.
pub(crate) struct Service {
    pub(crate) telemetry: Option<Telemetry>,
    pub(crate) store: Store,
    pub(crate) clock: MockClock,
    pub(crate) address: SocketAddr,
}

impl Service {
    pub(crate) fn start(page: Prometheus) -> Service {
        let vendor = Otlp::to(NOBODY).bearer("v3ndor");
        let vendor = vendor.filter(metercast::view::Filter::new().visibility(Visibilities::Both));
        let push = Otlp::to(NOBODY).bearer("s3cret").interval(Duration::from_secs(3600));
        // Nobody waits for a push that nobody takes.
        let config = Config::builder().environment(false).shutdown_timeout(Duration::from_millis(100));
        let config = config.service("shop", "1.0").exporter("scrape", page);
        let config = config.exporter("central", push).private_exporter("vendor", vendor).build().unwrap();
        let clock = MockClock::new();
        let store = Store::with_clock(&clock);
        let log = Log::to(|_, _| {});
        let telemetry = Telemetry::builder(config).store(store.clone()).log(log).start().unwrap();
        let address = telemetry.scrape_address().unwrap();
        Service { telemetry: Some(telemetry), store, clock, address }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.get_with(path, "")
    }

    /// With more headers, each with its line break.
    pub(crate) fn get_with(&self, path: &str, headers: &str) -> Answer {
        let host = if headers.to_lowercase().contains("host:") { "" } else { "host: localhost\r\n" };
        Answer::of(self.address, &format!("GET {path} HTTP/1.1\r\n{host}{headers}connection: close\r\n\r\n"))
    }

    pub(crate) fn json(&self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{path}: {error}: {}", answer.body))
    }

    /// What has come is read a second later; waits until the thread has done so.
    pub(crate) fn second(&self) -> Value {
        let before = self.json("/live/api/metrics")["time"].clone();
        self.clock.advance(Duration::from_secs(1));
        until(|| Some(self.json("/live/api/metrics")).filter(|now| now["time"] != before))
    }

    pub(crate) fn metric(&self, name: &str) -> Value {
        named(&self.json("/live/api/metrics")["metrics"], name)
    }

    pub(crate) fn flush(&self) {
        let _ = self.telemetry.as_ref().unwrap().flush(Duration::from_secs(20));
    }
}

pub(crate) fn named(list: &Value, name: &str) -> Value {
    let found = list.as_array().unwrap().iter().find(|one| one["name"] == name);
    found.unwrap_or_else(|| panic!("no {name:?} in {list:#}")).clone()
}

pub(crate) fn until<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "this does not come about");
        std::thread::yield_now();
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn of(address: SocketAddr, request: &str) -> Answer {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        Answer { status: head[9..12].parse().unwrap(), head: head.to_lowercase(), body: body.to_owned() }
    }
}

pub(crate) fn local() -> Prometheus {
    Prometheus::listen("127.0.0.1:0")
}

pub(crate) fn place_orders() {
    ORDERS.add(3, ("buy", None));
    ORDERS.add(1, ("sell", Some("limit")));
    SETTLE.record(0.5, ("buy",));
    DEPTH.set(4, ("mail",));
    DEPTH.set(-1, ("bill",));
    SECRET.set(1);
}
