//! A push against a collector that answers well, badly, late or never.

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
use crate::log::{Level, Log};
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
            name: "central".to_owned(),
            // Without the port, which differs from run to run.
            url: "http://collector/v1/metrics?***".to_owned(),
            host: address.ip().to_string(),
            port: address.port(),
            authority: "collector".to_owned(),
            path: "/v1/metrics?key=in-query".to_owned(),
            headers: vec![("authorization".to_owned(), SECRET.to_owned())],
            gzip: false,
            interval: Duration::MAX,
            timeout: None,
        };
        Setup { reader: Reader::new(store.clone(), log), store, lines, settings }
    }

    fn start(&self) -> Push {
        let resource = vec![("service.name".to_owned(), "orders".into())];
        Push::start(self.settings.clone(), self.reader.clone(), resource).unwrap()
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
    setup.settings.gzip = true;
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
fn pushes_share_one_connection() {
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n\x0a\x00\r\n0\r\n\r\n".to_vec();
    let script = [success(), chunked, answer("401 Unauthorized", "", b"no"), success()];
    let collector = Collector::start(script.map(Reply::Answer));
    let setup = Setup::to(collector.address);
    let push = setup.start();
    setup.order();
    for _ in 0..5 {
        let _ = push.flush(late());
        assert_eq!(collector.request().connection, 1);
    }
}

#[test]
fn a_connection_that_was_closed_between_pushes_is_opened_again_and_no_push_fails() {
    let announced = answer("200 OK", "connection: close\r\n", b"");
    let collector = Collector::start([success(), announced, success()].map(Reply::AnswerAndClose));
    let setup = Setup::to(collector.address);
    let push = setup.start();
    setup.order();
    for connection in 1..=4 {
        push.flush(late()).unwrap();
        assert_eq!(collector.request().connection, connection);
        if connection < 4 {
            collector.wait_for_close();
        }
    }
    assert_eq!(setup.lines(), [""; 0]);
}

#[test]
fn a_request_that_was_sent_is_not_sent_again_by_itself() {
    // On a new connection, and on one that was kept.
    let collector = Collector::start([Reply::Close, Reply::Answer(success()), Reply::Close]);
    let setup = Setup::to(collector.address);
    let push = setup.start();
    setup.order();
    for (delivered, connection) in [(false, 1), (true, 2), (false, 2), (true, 3)] {
        assert_eq!(push.flush(late()).is_ok(), delivered);
        assert_eq!(collector.request().connection, connection);
        assert!(collector.is_idle());
    }
    let lost = "error: exporter \"central\": push to http://collector/v1/metrics?*** failed: the connection was \
                closed before an answer came; look into the collector's log; counts are kept and go with the next push";
    let again = "info: exporter \"central\": push to http://collector/v1/metrics?*** works again";
    assert_eq!(setup.lines(), [lost, again, lost, again]);
}

/// What a push says, counts and logs for an answer.
fn after(reply: Reply) -> (Result<(), ExportError>, Setup) {
    let collector = Collector::start([reply]);
    let setup = Setup::to(collector.address);
    setup.order();
    let push = setup.start();
    let result = push.flush(late());
    (result, setup)
}

#[test]
fn a_refusal_is_counted_returned_and_logged_with_cause_and_mend() {
    let text = "content-type: text/plain; charset=utf-8\r\n";
    let html = "content-type: text/html\r\n";
    let protobuf = "content-type: application/x-protobuf\r\n";
    let rpc_status = [&[8, 3, 18, 7][..], b"too old"].concat();
    let long = "x".repeat(300);
    let cut = format!("answered 400 Bad Request (\"{}...\"): ", "x".repeat(200));
    let not_read = "the collector cannot read the message; is it a receiver of OTLP protobuf? Counts";
    let cases = [
        (
            "401 Unauthorized",
            "",
            "",
            "401",
            "answered 401 Unauthorized: check the exporter's auth or headers; counts",
        ),
        (
            "403 Forbidden",
            text,
            " wrong\r\n tenant \u{1b} ",
            "403",
            "answered 403 Forbidden (\"wrong tenant \\u{1b}\"): check the exporter's auth or headers; counts",
        ),
        (
            "401 Unauthorized",
            "",
            "no such token: Bearer tok-12345, key in-query, tok-12345",
            "401",
            "answered 401 Unauthorized (\"no such token: ***, key ***, ***\"): check the exporter's auth or headers; \
             counts",
        ),
        (
            "404 Not Found",
            html,
            "<html>",
            "404",
            "answered 404 Not Found: the path is probably wrong; receivers of OTLP take metrics at /v1/metrics; counts",
        ),
        (
            "400 Bad Request",
            protobuf,
            std::str::from_utf8(&rpc_status).unwrap(),
            "400",
            &format!("answered 400 Bad Request (\"too old\"): {not_read}"),
        ),
        ("400 Bad Request", protobuf, "garbage", "400", &format!("answered 400 Bad Request: {not_read}")),
        ("400 Bad Request", "", &long, "400", &format!("{cut}{not_read}")),
        (
            "413 Payload Too Large",
            "",
            "",
            "413",
            "answered 413 Payload Too Large: the message is larger than the collector takes; raise its limit, or record \
             fewer series; counts",
        ),
        (
            "429 Too Many Requests",
            "retry-after: 7\r\n",
            "",
            "429",
            "answered 429 Too Many Requests: the collector wants fewer pushes; make the exporter's interval longer; counts",
        ),
        (
            "500 Internal Server Error",
            "",
            "",
            "500",
            "answered 500 Internal Server Error: look into the collector's log; counts",
        ),
        (
            "503 Service Unavailable",
            "",
            "",
            "503",
            "answered 503 Service Unavailable: the collector, or what it passes on to, is down or overloaded; counts",
        ),
        (
            "301 Moved Permanently",
            "location: https://user:tok-12345@elsewhere/v1/metrics?key=in-query\r\n",
            "",
            "redirect",
            "answered 301 Moved Permanently to \"elsewhere/v1/metrics\", which is not followed: set the endpoint to where \
             it leads; counts",
        ),
        (
            "304 Not Modified",
            "",
            "",
            "redirect",
            "answered 304 Not Modified, which is not followed: the path is probably wrong; receivers of OTLP take metrics \
             at /v1/metrics; counts",
        ),
    ];
    for (status, headers, body, error_type, message) in cases {
        let (result, setup) = after(Reply::Answer(answer(status, headers, body.as_bytes())));
        let error = result.unwrap_err();
        assert_eq!(error.error_type(), error_type);
        assert_eq!(setup.exported(), [(failed_with(error_type), 1)]);
        let line = format!(
            "error: exporter \"central\": push to http://collector/v1/metrics?*** failed: {message} are kept and go \
             with the next push"
        );
        assert_eq!(setup.lines(), [line]);
    }
}

#[test]
fn points_that_a_collector_rejects_are_counted_and_logged_and_the_others_are_delivered() {
    let collector = Collector::start([Reply::Answer(partial_success(2, "too old"))]);
    let setup = Setup::to(collector.address);
    let push = setup.start();
    setup.order();
    setup.store.scope(|| {
        f64_counter!("orders.paid", "", 1.5, "currency" => "EUR");
        f64_counter!("orders.refunded", "", 0.5);
    });
    let error = push.flush(late()).unwrap_err();
    let message = "push to http://collector/v1/metrics?***: 2 of 3 points were rejected (\"too old\"); check the \
                   collector's rules for these metrics";
    assert_eq!(error.to_string(), message);
    assert_eq!(setup.exported(), [(failed_with("rejected"), 2), (DELIVERED.to_owned(), 1)]);
    assert_eq!(setup.lines(), [format!("warning: exporter \"central\": {message}")]);
    assert_eq!(collector.request().counter("orders.placed"), 1);
    assert!(collector.is_idle(), "what was rejected is not sent again");
}

#[test]
fn more_rejected_points_than_were_sent_are_all_of_them() {
    let (result, setup) = after(Reply::Answer(partial_success(i64::MAX, "")));
    assert!(result.unwrap_err().to_string().contains(": 1 of 1 points were rejected; check"));
    assert_eq!(setup.exported(), [(failed_with("rejected"), 1)]);
}

#[test]
fn a_success_with_a_warning_is_a_success_and_the_warning_is_logged() {
    for (rejected, says) in [(0, "a label is deprecated"), (-3, "odd")] {
        let (result, setup) = after(Reply::Answer(partial_success(rejected, says)));
        result.unwrap();
        assert_eq!(setup.exported(), [(DELIVERED.to_owned(), 1)]);
        let line = format!(
            "warning: exporter \"central\": push to http://collector/v1/metrics?*** was taken with a warning: {says:?}"
        );
        assert_eq!(setup.lines(), [line]);
    }
}

#[test]
fn an_answer_that_means_success_is_one_whatever_form_it_has() {
    let protobuf = "content-type: application/x-protobuf\r\n";
    let empty_partial_success = partial_success(0, "");
    for bytes in [
        success(),
        answer("202 Accepted", "", b""),
        b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
        empty_partial_success,
        answer("200 OK", "content-type: application/json\r\n", b"{\"partialSuccess\":{}}"),
        // A field that this version does not know.
        answer("200 OK", protobuf, &[9 << 3, 1]),
    ] {
        let (result, setup) = after(Reply::Answer(bytes));
        result.unwrap();
        assert_eq!(setup.exported(), [(DELIVERED.to_owned(), 1)]);
        assert_eq!(setup.lines(), [""; 0]);
    }
}

#[test]
fn a_success_that_is_not_otlp_is_delivered_and_doubted() {
    let line = "warning: exporter \"central\": push to http://collector/v1/metrics?*** got an answer that is not OTLP's; \
                is that a collector?";
    for (headers, body) in [
        ("content-type: application/x-protobuf\r\n", &b"\xff\xff garbage"[..]),
        ("content-type: text/html\r\n", b"<html>It works!</html>"),
        ("", b"ok"),
        // Protobuf cut short.
        ("content-type: application/x-protobuf\r\n", &[10, 4, 8, 1]),
    ] {
        let (result, setup) = after(Reply::Answer(answer("200 OK", headers, body)));
        result.unwrap();
        assert_eq!(setup.exported(), [(DELIVERED.to_owned(), 1)]);
        assert_eq!(setup.lines(), [line]);
    }
}

#[test]
fn an_answer_is_read_to_four_mebibytes_and_no_further() {
    let limit = 4 << 20;
    for (length, expected) in [(limit, None), (limit + 1, Some("answer_too_large"))] {
        let json = "content-type: application/json\r\n";
        let (result, _) = after(Reply::Answer(answer("200 OK", json, &vec![b' '; length])));
        assert_eq!(result.err().as_ref().map(ExportError::error_type), expected);
    }
    // Of a refusal the status says enough.
    let (result, _) = after(Reply::Answer(answer("500 Internal Server Error", "", &vec![b' '; limit + 1])));
    assert_eq!(result.unwrap_err().error_type(), "500");
}

#[test]
fn an_answer_that_is_not_http_is_an_error_that_asks_for_the_port() {
    // What a gRPC server begins with: HTTP/2 settings.
    let (result, setup) = after(Reply::AnswerAndClose(b"\0\0\x06\x04\0\0\0\0\0\0\x05\0\0@\0".to_vec()));
    assert_eq!(result.unwrap_err().error_type(), "protocol");
    let lines = setup.lines();
    assert!(
        lines[0].contains("is this the port for OTLP over HTTP, usually 4318? Counts are kept"),
        "{lines:?}"
    );
}

#[test]
fn an_answer_that_breaks_off_is_a_failure() {
    let (result, _) =
        after(Reply::AnswerAndClose(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n123".to_vec()));
    assert_eq!(result.unwrap_err().error_type(), "io");
}

#[test]
fn a_port_on_which_nobody_listens_is_an_error_that_says_so() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let setup = Setup::to(address);
    setup.order();
    let error = setup.start().flush(late()).unwrap_err();
    assert_eq!(error.error_type(), "connect");
    let message =
        "push to http://collector/v1/metrics?*** failed: connection refused; is a collector listening there?";
    assert_eq!(error.to_string(), message);
    assert_eq!(
        setup.lines(),
        [format!("error: exporter \"central\": {message} Counts are kept and go with the next push")]
    );
    assert_eq!(setup.exported(), [(failed_with("connect"), 1)]);
}

#[test]
fn a_host_without_an_address_is_an_error_that_says_so() {
    let mut setup = Setup::to(Collector::start([]).address);
    // No resolver is asked for such a name.
    setup.settings.host = "a\0b".to_owned();
    setup.order();
    assert_eq!(setup.start().flush(late()).unwrap_err().error_type(), "resolve");
}

#[test]
fn a_collector_that_never_answers_is_left_after_the_timeout_and_tried_anew() {
    let collector = Collector::start([Reply::Hang]);
    let mut setup = Setup::to(collector.address);
    setup.settings.timeout = Some(Duration::from_millis(50));
    setup.order();
    let push = setup.start();
    let error = push.flush(late()).unwrap_err();
    assert_eq!(error.error_type(), "timeout");
    assert_eq!(
        error.to_string(),
        "push to http://collector/v1/metrics?*** failed: no answer within 50ms; is the collector overloaded, or the \
         exporter's timeout too short?"
    );
    assert_eq!(collector.request().connection, 1);
    setup.lines();

    // The bytes of an answer that came too late must not be taken for that of the next request. The next pushes get a
    // timeout that only a failure meets.
    drop(push);
    setup.settings.timeout = Some(PATIENCE);
    setup.order();
    setup.start().flush(late()).unwrap();
    let request = collector.request();
    assert_eq!((request.connection, request.counter("orders.placed")), (2, 2));
}

#[test]
fn an_answer_that_trickles_is_ended_by_the_timeout_too() {
    let head_only = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n".to_vec();
    let collector = Collector::start([Reply::Answer(head_only)]);
    let mut setup = Setup::to(collector.address);
    setup.settings.timeout = Some(Duration::from_millis(50));
    setup.order();
    assert_eq!(setup.start().flush(late()).unwrap_err().error_type(), "timeout");
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
fn a_flush_ends_at_its_deadline_and_the_exporter_goes_on() {
    let collector = Collector::start([Reply::Hang]);
    let setup = Setup::to(collector.address);
    setup.order();
    let push = setup.start();
    let error = push.flush(Instant::now() + Duration::from_millis(50)).unwrap_err();
    assert_eq!(error.error_type(), "timeout");
    collector.request();
    push.flush(late()).unwrap();
    assert_eq!(collector.request().connection, 2);
    // A deadline that has passed already leaves no time for anything.
    assert_eq!(push.flush(Instant::now()).unwrap_err().error_type(), "timeout");
}

#[test]
fn shutdown_pushes_a_last_time_and_ends_the_thread() {
    let collector = Collector::start([]);
    let setup = Setup::to(collector.address);
    setup.order();
    let push = setup.start();
    push.shutdown(late()).unwrap();
    assert_eq!(collector.request().counter("orders.placed"), 1);
    push.shutdown(late()).unwrap();
    assert!(collector.is_idle());
    let error = push.flush(late()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "push to http://collector/v1/metrics?*** is not possible: the exporter was stopped"
    );
}

#[test]
fn shutdown_lets_a_push_under_way_finish_and_pushes_what_came_after_it() {
    let (release, released) = mpsc::channel();
    let collector = Collector::start([Reply::Hold(released, success())]);
    let mut setup = Setup::to(collector.address);
    setup.settings.interval = Duration::from_millis(1);
    setup.order();
    let push = setup.start();
    assert_eq!(collector.request().counter("orders.placed"), 1);
    setup.order();
    thread::scope(|scope| {
        let shutdown = scope.spawn(|| push.shutdown(late()));
        release.send(()).unwrap();
        shutdown.join().unwrap().unwrap();
    });
    let last = collector.last_request();
    assert_eq!((last.connection, last.counter("orders.placed")), (1, 2));
    assert_eq!(setup.lines(), [""; 0]);
}

#[test]
fn shutdown_ends_at_its_deadline_whatever_hangs() {
    // The push under way, and the last one.
    for interval in [Duration::from_millis(1), Duration::MAX] {
        let collector = Collector::start([Reply::Hang, Reply::Hang]);
        let mut setup = Setup::to(collector.address);
        setup.settings.interval = interval;
        setup.order();
        let push = setup.start();
        if interval < PATIENCE {
            collector.request();
        }
        let ended = {
            let mut running = push.running();
            let (_, never) = mpsc::channel();
            std::mem::replace(&mut running.as_mut().unwrap().ended, never)
        };
        let error = push.shutdown(Instant::now() + Duration::from_millis(50)).unwrap_err();
        assert_eq!(error.error_type(), "timeout");
        // The thread ends by itself, with nobody waiting for it.
        assert_eq!(ended.recv_timeout(PATIENCE), Err(RecvTimeoutError::Disconnected));
    }
}

#[test]
fn the_last_failure_does_not_promise_another_push() {
    let collector = Collector::start([Reply::Answer(answer("500 Internal Server Error", "", b""))]);
    let setup = Setup::to(collector.address);
    setup.order();
    let error = setup.start().shutdown(late()).unwrap_err();
    assert_eq!(setup.lines(), [format!("error: exporter \"central\": {error}")]);
}

#[test]
fn dropping_it_stops_the_thread_without_a_push_even_if_one_hangs() {
    let collector = Collector::start([Reply::Hang]);
    let mut setup = Setup::to(collector.address);
    setup.order();
    for interval in [Duration::MAX, Duration::from_millis(1)] {
        setup.settings.interval = interval;
        let push = setup.start();
        if interval < PATIENCE {
            collector.request();
        }
        let Running { commands, ended, .. } = push.running().take().unwrap();
        drop(commands);
        assert_eq!(ended.recv_timeout(PATIENCE), Err(RecvTimeoutError::Disconnected));
    }
    assert!(collector.is_idle());
    assert_eq!(setup.lines(), [""; 0]);
}

#[test]
fn it_works_inside_a_runtime_of_the_application() {
    let collector = Collector::start([]);
    let setup = Setup::to(collector.address);
    setup.order();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let push = setup.start();
        push.flush(late()).unwrap();
        push.shutdown(late()).unwrap();
    });
    assert_eq!(collector.request().counter("orders.placed"), 1);
}

#[test]
fn flushes_from_many_threads_are_all_answered_and_never_push_at_once() {
    let collector = Collector::start([]);
    let setup = Setup::to(collector.address);
    let push = setup.start();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                setup.order();
                push.flush(late()).unwrap();
            });
        }
    });
    // The last of them began after all orders were recorded. The collector reads one connection at a time.
    let last = collector.last_request();
    assert_eq!((last.connection, last.counter("orders.placed")), (1, 8));
}

#[test]
fn in_a_forked_process_it_does_nothing() {
    let collector = Collector::start([]);
    let setup = Setup::to(collector.address);
    setup.order();
    let mut push = setup.start();
    let parent = push.process;
    push.process = parent.wrapping_add(1);
    push.flush(late()).unwrap();
    push.shutdown(late()).unwrap();
    assert!(collector.is_idle());
    push.process = parent;
    push.shutdown(late()).unwrap();
    assert_eq!(collector.request().counter("orders.placed"), 1);
}

#[test]
fn a_panic_while_reading_the_store_is_an_error_and_the_exporter_goes_on() {
    let collector = Collector::start([]);
    let mut setup = Setup::to(collector.address);
    let lines = Arc::clone(&setup.lines);
    // The reading tells the application's log of a metric that is two things.
    let log = Log::to(move |level, line| {
        assert!(level != Level::Warn, "the application's log is full");
        lines.lock().unwrap().push(format!("{level}: {line}"));
    });
    setup.reader = Reader::new(setup.store.clone(), log);
    setup.store.scope(|| {
        ORDERS.add(1);
        f64_counter!("orders.placed", "", 1.0);
    });
    let push = setup.start();
    let error = push.flush(late()).unwrap_err();
    assert_eq!(error.error_type(), "panic");
    push.flush(late()).unwrap();
    assert_eq!(
        setup.lines(),
        [
            "error: exporter \"central\": push to http://collector/v1/metrics?*** failed: reading the store panicked \
             (\"the application's log is full\"); please report this to metercast; counts are kept and go with the next \
             push",
            "info: exporter \"central\": push to http://collector/v1/metrics?*** works again"
        ]
    );
}

#[test]
fn a_log_that_panics_does_not_end_the_exporter() {
    let collector = Collector::start([Reply::Close]);
    let mut setup = Setup::to(collector.address);
    setup.reader = Reader::new(setup.store.clone(), Log::to(|_, _| panic!("no log today")));
    setup.order();
    let push = setup.start();
    assert_eq!(push.flush(late()).unwrap_err().error_type(), "io");
    push.flush(late()).unwrap();
}

#[test]
fn secrets_are_in_no_debug_and_a_header_that_http_cannot_carry_is_not_shown() {
    let mut setup = Setup::to(Collector::start([]).address);
    assert_eq!(
        format!("{:?}", setup.start()),
        "Push { name: \"central\", url: \"http://collector/v1/metrics?***\", .. }"
    );
    setup.settings.headers[0].1 = "tok-12345\n".to_owned();
    let error = Push::start(setup.settings.clone(), setup.reader.clone(), Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "a header's value is not one of HTTP");
    for text in [format!("{:?}", setup.settings), format!("{error:?}")] {
        assert!(!text.contains("tok-") && !text.contains("in-query"), "{text}");
    }
}
