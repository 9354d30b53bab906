//! A push against a collector that answers well, badly, late or never.

mod answers;
#[cfg(feature = "tls")]
pub(in crate::export) mod certificates;
mod connections;
#[cfg(feature = "tls")]
mod encrypted;
mod faults;
#[cfg(all(feature = "grpc", feature = "tls"))]
mod grpc;
mod large;
mod lifetime;
mod network;
#[cfg(feature = "tls")]
pub(in crate::export) mod proxy;

use std::net::TcpListener;
use std::sync::mpsc;
use std::time::Duration;

use metercast_core::{Store, f64_counter, metrics, u64_counter};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceResponse,
};
use prost::Message as _;

use super::receiver::{Collector, PATIENCE, Reply, answer};
use super::*;
use crate::config::{Compression, Config, ExporterConfig, Otlp, Protocol};
use crate::export::otlp::options::OtlpOptions;
use crate::export::otlp::retry::Backoff;
use crate::log::Log;
use crate::snapshot::{Point, Snapshot};

metrics! {
    static ORDERS: Counter<u64> = "orders.placed";
}

/// An exporter over a store of its own, that pushes only when it is asked to.
struct Setup {
    store: Store,
    lines: Arc<Mutex<Vec<String>>>,
    reader: Reader,
    settings: Settings,
}

const SECRET: &str = "Bearer tok-12345";

impl Setup {
    fn to(address: std::net::SocketAddr) -> Setup {
        let store = Store::new();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let log = Log::to({
            let lines = Arc::clone(&lines);
            move |level, line| lines.lock().unwrap().push(format!("{level}: {line}"))
        });
        let settings = Settings {
            signal: crate::config::Signal::Metrics,
            name: "central".to_owned(),
            // Without the port, which differs from run to run.
            url: "http://collector/v1/metrics?***".to_owned(),
            host: address.ip().to_string(),
            port: address.port(),
            authority: "collector".to_owned(),
            path: "/v1/metrics?key=in-query".to_owned(),
            headers: vec![("authorization".to_owned(), SECRET.to_owned())],
            socket: None,
            tls: None,
            proxy: None,
            receiver: None,
            protocol: Protocol::HttpProtobuf,
            options: OtlpOptions::default(),
            projection: Arc::default(),
            compression: Compression::None,
            interval: Duration::MAX,
            timeout: None,
            // A push that is asked for has one attempt for each request, and the next does not wait.
            backoff: Backoff { first: 2 * PATIENCE, longest: 2 * PATIENCE },
        };
        Setup { reader: Reader::new(store.clone(), log), store, lines, settings }
    }

    /// An exporter as configuration describes it, but for when it pushes.
    fn configured(otlp: Otlp) -> Setup {
        let config = Config::builder().environment(false).exporter("central", otlp).build().unwrap();
        let Some(ExporterConfig::Otlp(otlp)) = config.exporter("central") else { unreachable!() };
        let mut setup = Setup::to(([127, 0, 0, 1], 9).into());
        let Settings { interval, timeout, backoff, .. } = setup.settings;
        setup.settings = Settings { interval, timeout, backoff, ..Settings::of("central", otlp) };
        setup
    }

    fn start(&self) -> Push {
        let resource = [("service.name".to_owned(), "orders".into())];
        let push = Push::prepare(self.settings.clone(), &self.reader, &resource).unwrap();
        push.begin(None);
        push
    }

    fn order(&self) {
        self.store.scope(|| ORDERS.add(1));
    }

    fn lines(&self) -> Vec<String> {
        std::mem::take(&mut self.lines.lock().unwrap())
    }

    /// What the exporter counted: points and the labels they are counted under.
    fn exported(&self) -> Vec<(String, u64)> {
        let snapshot = Snapshot::of(&self.store);
        let Some(family) = snapshot.family("otel.sdk.exporter.metric_data_point.exported") else {
            return vec![];
        };
        let counted = family.series.iter().map(|series| match series.point {
            Point::U64(points) => (series.labels.to_string(), points),
            _ => unreachable!("it is a counter of whole numbers"),
        });
        counted.collect()
    }
}

/// So late that only a failing test meets it.
fn late() -> Instant {
    Instant::now() + PATIENCE
}

fn success() -> Vec<u8> {
    answer("200 OK", "", b"")
}

fn partial_success(rejected: i64, message: &str) -> Vec<u8> {
    let partial_success = Some(ExportMetricsPartialSuccess {
        rejected_data_points: rejected,
        error_message: message.to_owned(),
    });
    let body = ExportMetricsServiceResponse { partial_success }.encode_to_vec();
    answer("200 OK", "content-type: application/x-protobuf\r\n", &body)
}

const DELIVERED: &str = "{otel.component.name=\"central\",otel.component.type=\"otlp_http_metric_exporter\"}";

fn failed_with(error: &str) -> String {
    format!(
        "{{error.type={error:?},otel.component.name=\"central\",\
         otel.component.type=\"otlp_http_metric_exporter\"}}"
    )
}

#[test]
fn a_push_carries_what_the_store_holds_and_who_reports_it() {
    let collector = Collector::start([]);
    let setup = Setup::to(collector.address);
    let push = setup.start();
    setup.order();
    setup.order();
    push.flush(late()).unwrap();

    let request = collector.request();
    assert_eq!(request.line, "POST /v1/metrics?key=in-query HTTP/1.1");
    assert_eq!(request.counter("orders.placed"), 2);
    let resource = request.decoded().resource_metrics[0].resource.clone().unwrap();
    assert_eq!(resource.attributes[0].key, "service.name");
    assert_eq!(setup.exported(), [(DELIVERED.to_owned(), 1)]);
    assert_eq!(setup.lines(), [""; 0]);
}

#[test]
fn a_push_has_the_headers_of_otlp_and_those_that_were_given() {
    let collector = Collector::start([]);
    let mut setup = Setup::to(collector.address);
    setup.settings.headers.push(("x-scope-orgid".to_owned(), "7".to_owned()));
    setup.order();
    setup.start().flush(late()).unwrap();

    let request = collector.request();
    let mut headers: Vec<_> =
        request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    headers.sort_unstable();
    let length = request.body.len().to_string();
    let version = env!("CARGO_PKG_VERSION");
    let user_agent = format!("metercast/{version} OTel-OTLP-Exporter-Rust/{version}");
    assert_eq!(
        headers,
        [
            ("authorization", SECRET),
            ("content-length", length.as_str()),
            ("content-type", "application/x-protobuf"),
            ("host", "collector"),
            ("user-agent", user_agent.as_str()),
            ("x-scope-orgid", "7"),
        ]
    );
}

#[test]
fn a_user_agent_of_ones_own_replaces_ours() {
    let collector = Collector::start([]);
    let mut setup = Setup::to(collector.address);
    setup.settings.headers.push(("user-agent".to_owned(), "orders/1".to_owned()));
    setup.order();
    setup.start().flush(late()).unwrap();
    assert_eq!(collector.request().headers["user-agent"], "orders/1");
}

#[test]
fn gzip_makes_the_body_smaller_and_says_so() {
    let collector = Collector::start([]);
    let mut setup = Setup::to(collector.address);
    setup.settings.compression = Compression::Gzip;
    setup.store.scope(|| {
        for n in 0..100 {
            u64_counter!("orders.by.customer", "Orders of one customer", 1, "customer" => n);
        }
    });
    setup.order();
    setup.start().flush(late()).unwrap();

    let request = collector.request();
    assert_eq!(request.headers["content-encoding"], "gzip");
    assert_eq!(request.headers["content-length"], request.body.len().to_string());
    assert_eq!(request.counter("orders.placed"), 1);
    assert!(request.body.len() < request.decoded().encoded_len() / 4);
}

#[test]
fn nothing_recorded_is_not_pushed() {
    let collector = Collector::start([]);
    let setup = Setup::to(collector.address);
    let push = setup.start();
    push.flush(late()).unwrap();
    push.shutdown(late()).unwrap();
    assert!(collector.is_idle());
    assert_eq!(setup.exported(), []);
}

#[test]
fn it_pushes_at_every_interval() {
    let collector = Collector::start([]);
    let mut setup = Setup::to(collector.address);
    setup.settings.interval = Duration::from_millis(1);
    setup.order();
    let _push = setup.start();
    for _ in 0..3 {
        assert_eq!(collector.request().counter("orders.placed"), 1);
    }
}

#[test]
fn after_failures_the_next_push_has_everything_and_says_that_it_works_again() {
    let refused = || Reply::Answer(answer("500 Internal Server Error", "", b""));
    let collector = Collector::start([refused(), refused(), Reply::Answer(success()), refused()]);
    let setup = Setup::to(collector.address);
    let push = setup.start();
    for orders in 1..=5 {
        setup.order();
        assert_eq!(push.flush(late()).is_ok(), [3, 5].contains(&orders));
        assert_eq!(collector.request().counter("orders.placed"), orders);
    }
    let failed = "error: exporter \"central\": push to http://collector/v1/metrics?*** failed: answered 500 Internal \
                  Server Error: look into the collector's log; counts are kept and go with the next push";
    let again = "info: exporter \"central\": push to http://collector/v1/metrics?*** works again";
    // Of two failures in a row only the first is logged.
    assert_eq!(setup.lines(), [failed, again, failed, again]);
}

#[test]
fn secrets_are_in_no_debug_and_a_header_that_http_cannot_carry_is_not_shown() {
    let mut setup = Setup::to(Collector::start([]).address);
    assert_eq!(
        format!("{:?}", setup.start()),
        "Push { name: \"central\", url: \"http://collector/v1/metrics?***\", .. }"
    );
    setup.settings.headers[0].1 = "tok-12345\n".to_owned();
    let error = Push::prepare(setup.settings.clone(), &setup.reader, &[]).unwrap_err();
    assert_eq!(error.to_string(), "a header's value is not one of HTTP");
    for text in [format!("{:?}", setup.settings), format!("{error:?}")] {
        assert!(!text.contains("tok-") && !text.contains("in-query"), "{text}");
    }
}
