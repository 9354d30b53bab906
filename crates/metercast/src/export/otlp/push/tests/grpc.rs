//! Pushes over gRPC: every code, `RetryInfo`, partial success, compression, and what is no gRPC at all.

mod receiver;

use std::io::Write;

use conformance::program::free_address;
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceResponse,
};

use self::receiver::{Receiver, Reply};
use super::certificates::Authority;
use super::proxy::Proxy;
use super::*;

fn to(receiver: &Receiver) -> Setup {
    Setup::configured(Otlp::to(&format!("http://{}", receiver.address)).protocol(Protocol::Grpc))
}

fn status(code: i32) -> Reply {
    Reply::Status { code, message: "too much", details: vec![] }
}

/// A status with the message `google.rpc.RetryInfo` among its details.
fn retry_info(code: i32, seconds: u8) -> Reply {
    let duration = [8, seconds];
    let info = [&[10, duration.len() as u8][..], &duration].concat();
    let url = b"type.googleapis.com/google.rpc.RetryInfo";
    let any = [&[10, url.len() as u8][..], url, &[18, info.len() as u8], &info].concat();
    let details = [&[8, code as u8, 26, any.len() as u8][..], &any].concat();
    Reply::Status { code, message: "later", details }
}

#[test]
fn a_push_calls_the_service_with_the_headers_that_were_given_on_one_connection() {
    let receiver = Receiver::start([]);
    let endpoint = format!("http://{}", receiver.address);
    let setup = Setup::configured(Otlp::to(&endpoint).protocol(Protocol::Grpc).bearer("tok-12345"));
    setup.order();
    let push = setup.start();
    for orders in 1..=3 {
        push.flush(late()).unwrap();
        let request = receiver.request();
        assert_eq!(request.path, "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export");
        assert_eq!(request.headers["authorization"], "Bearer tok-12345");
        assert_eq!(request.headers["content-type"], "application/grpc");
        let user_agent = request.headers["user-agent"].to_str().unwrap();
        assert!(user_agent.contains("OTel-OTLP-Exporter-Rust/"), "{user_agent}");
        assert_eq!((request.orders(), request.connection), (orders, 1));
        setup.order();
    }
    let delivered = setup.exported();
    assert!(delivered[0].0.contains("otlp_grpc_metric_exporter"), "{delivered:?}");
    assert_eq!(setup.lines(), [""; 0]);
}

#[test]
fn messages_are_compressed_as_it_is_asked_for() {
    for compression in [
        Compression::None,
        Compression::Gzip,
        #[cfg(feature = "zstd")]
        Compression::Zstd,
    ] {
        let receiver = Receiver::start([]);
        let mut setup = to(&receiver);
        setup.settings.compression = compression;
        setup.order();
        setup.start().flush(late()).unwrap();
        let request = receiver.request();
        let encoding = request.headers.get("grpc-encoding").map(|encoding| encoding.to_str().unwrap());
        assert_eq!(encoding, super::super::super::compress::encoding(compression));
        assert_eq!(request.orders(), 1);
    }
}

#[test]
fn a_code_is_followed_as_the_table_of_otlp_says() {
    for code in 1..=16 {
        let receiver = Receiver::start([status(code)]);
        let mut setup = to(&receiver);
        setup.settings.backoff = Backoff { first: Duration::from_millis(1), ..Backoff::default() };
        setup.order();
        let push = setup.start();
        let result = push.flush(late());
        let first = receiver.request();
        let is_tried_again = [1, 4, 10, 11, 14, 15].contains(&code);
        assert_eq!(result.is_ok(), is_tried_again, "{code}: {result:?}");
        if let Err(error) = &result {
            assert!(receiver.is_idle(), "{code}");
            assert!(error.to_string().contains("(\"too much\")"), "{error}");
            push.flush(late()).unwrap();
        }
        // What was refused is read anew, what may have been taken or was malformed comes as it was.
        let again = receiver.request();
        assert_eq!(again.message == first.message, [1, 3, 4, 14, 15].contains(&code), "{code}");
        assert_eq!(again.orders(), 1, "{code}");
    }
}

#[test]
fn retry_info_makes_exhausted_resources_a_pause_and_is_waited_for() {
    for code in [8, 14] {
        let receiver = Receiver::start([retry_info(code, 100)]);
        let mut setup = to(&receiver);
        setup.settings.backoff = Backoff::default();
        setup.order();
        let push = setup.start();
        push.flush(late()).unwrap_err();
        let error = push.flush(late()).unwrap_err();
        assert_eq!(error.error_type(), "silence", "{error}");
        assert!(error.to_string().contains("of which 1"), "{error}");
        let lines = setup.lines();
        assert!(lines[0].ends_with("not before 100s have passed, as the collector asks"), "{lines:?}");
    }
    // It says that it may come again at once.
    let receiver = Receiver::start([retry_info(8, 0)]);
    let mut setup = to(&receiver);
    setup.settings.backoff = Backoff { first: Duration::from_millis(1), ..Backoff::default() };
    setup.order();
    setup.start().flush(late()).unwrap();
}

#[test]
fn what_is_malformed_twice_is_dropped() {
    let receiver = Receiver::start([status(3), status(3)]);
    let setup = to(&receiver);
    setup.order();
    let push = setup.start();
    assert_eq!(push.flush(late()).unwrap_err().error_type(), "INVALID_ARGUMENT");
    setup.order();
    let error = push.flush(late()).unwrap_err();
    assert!(error.to_string().ends_with("; 1 point is not delivered"), "{error}");
    assert_eq!([(); 3].map(|()| receiver.request().orders()), [1, 1, 2]);
}

#[test]
fn a_message_that_is_too_large_is_told_by_what_receivers_say_about_it() {
    for (code, message) in [
        (8, "grpc: received message larger than max (5000000 vs. 4194304)"),
        (11, "Error, decoded message length too large: found 5000000 bytes, the limit is: 4194304 bytes"),
    ] {
        let receiver = Receiver::start([Reply::Status { code, message, details: vec![] }]);
        let setup = to(&receiver);
        setup.store.scope(|| {
            for n in 0..1900 {
                u64_counter!("orders.by.customer", "Orders of one customer", 1, "customer" => n);
            }
        });
        setup.start().flush(late()).unwrap();
        let (first, second) = (receiver.request(), receiver.request());
        assert!(second.message.len() <= first.message.len() / 2);
    }
}

#[test]
fn a_partial_success_is_counted_and_not_sent_again() {
    let partial_success =
        Some(ExportMetricsPartialSuccess { rejected_data_points: 1, error_message: "too old".to_owned() });
    let body = ExportMetricsServiceResponse { partial_success }.encode_to_vec();
    let receiver = Receiver::start([Reply::Success(body)]);
    let setup = to(&receiver);
    setup.order();
    let error = setup.start().flush(late()).unwrap_err();
    assert!(
        error.to_string().ends_with(
            "1 of 1 points were rejected (\"too old\"); check the collector's rules for these metrics"
        ),
        "{error}"
    );
    receiver.request();
    assert!(receiver.is_idle());
}

#[test]
fn what_comes_before_grpc_is_understood() {
    for (http, expected) in [
        (307, "redirect"),
        (401, "401"),
        (403, "403"),
        (404, "404"),
        (429, "429"),
        (502, "502"),
        (503, "503"),
        (504, "504"),
        (500, "500"),
    ] {
        let receiver = Receiver::start([Reply::Http(http)]);
        let setup = to(&receiver);
        setup.order();
        let push = setup.start();
        let error = push.flush(late()).unwrap_err();
        assert_eq!(error.error_type(), expected, "{http}: {error}");
        push.flush(late()).unwrap();
    }
}

#[test]
fn a_broken_connection_is_sent_over_again_with_the_same_bytes() {
    for reply in [Reply::Close, Reply::Hang, Reply::BreakOff] {
        let receiver = Receiver::start([reply]);
        let mut setup = to(&receiver);
        setup.settings.timeout = Some(Duration::from_millis(200));
        setup.order();
        let push = setup.start();
        let error = push.flush(late()).unwrap_err();
        assert!(["io", "timeout"].contains(&error.error_type()), "{error}");
        setup.order();
        push.flush(late()).unwrap();
        let [first, again, last] = [(); 3].map(|()| receiver.request());
        assert!(first.message == again.message);
        assert_eq!((first.connection, again.connection), (1, 2));
        assert_eq!((first.orders(), last.orders()), (1, 2));
    }
}

#[test]
fn a_receiver_that_is_not_there_or_speaks_http_1_is_said() {
    let nobody = free_address();
    let setup = Setup::configured(Otlp::to(&format!("http://{nobody}")).protocol(Protocol::Grpc));
    setup.order();
    assert_eq!(setup.start().flush(late()).unwrap_err().error_type(), "connect");

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n");
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        }
    });
    let mut setup = Setup::configured(Otlp::to(&format!("http://{address}")).protocol(Protocol::Grpc));
    setup.settings.timeout = Some(Duration::from_secs(5));
    setup.order();
    let error = setup.start().flush(late()).unwrap_err();
    assert_eq!(error.error_type(), "protocol", "{error}");
    assert!(error.to_string().ends_with("is this the port for OTLP over gRPC, usually 4317?"), "{error}");
}

#[test]
fn a_call_is_encrypted_and_goes_through_a_proxy() {
    let authority = Authority::new();
    let server = authority.sign("localhost", 2100).server(None, "h2");
    let receiver = Receiver::encrypted([], server);
    let proxy = Proxy::start("HTTP/1.1 200 OK\r\n\r\n");
    for (scheme, through) in [("https://", "none".to_owned()), ("", format!("http://{}", proxy.address))] {
        let endpoint = format!("{scheme}localhost:{}", receiver.address.port());
        let otlp = Otlp::to(&endpoint).protocol(Protocol::Grpc).ca(authority.file()).proxy(&through);
        let setup = Setup::configured(otlp);
        setup.order();
        setup.start().flush(late()).unwrap();
        assert_eq!(receiver.request().orders(), 1);
    }
    // Without encryption it is handed through as well: no proxy reads HTTP/2.
    let receiver = Receiver::start([]);
    let otlp = Otlp::to(&format!("http://localhost:{}", receiver.address.port()))
        .protocol(Protocol::Grpc)
        .proxy(&format!("http://{}", proxy.address));
    let setup = Setup::configured(otlp);
    setup.order();
    setup.start().flush(late()).unwrap();
    assert_eq!(receiver.request().orders(), 1);
}

#[test]
fn shutdown_ends_at_its_deadline_in_any_fault_that_stays() {
    let faults: [fn() -> Reply; 7] = [
        || Reply::Hang,
        || Reply::Close,
        || status(14),
        || status(8),
        || status(3),
        || retry_info(8, 100),
        || Reply::Http(503),
    ];
    for (n, reply) in faults.into_iter().enumerate() {
        let receiver = Receiver::start(std::iter::repeat_with(reply).take(64));
        let mut setup = to(&receiver);
        setup.settings.backoff = Backoff::default();
        setup.order();
        let push = setup.start();
        let asked = Instant::now();
        let error = push.shutdown(asked + Duration::from_millis(300)).unwrap_err();
        assert!(asked.elapsed() < Duration::from_secs(5), "{n}");
        assert!(error.to_string().ends_with(" not delivered"), "{n}: {error}");
    }
}

#[test]
fn a_success_with_an_answer_that_is_too_large_is_not_sent_again() {
    let receiver = Receiver::start([Reply::Success(vec![0; 5 << 20])]);
    let setup = to(&receiver);
    setup.store.scope(|| {
        for n in 0..1900 {
            u64_counter!("orders.by.customer", "Orders of one customer", 1, "customer" => n);
        }
    });
    let push = setup.start();
    let error = push.flush(late()).unwrap_err();
    receiver.request();
    assert!(receiver.is_idle(), "it was taken, and is sent again: {error}");
    assert_eq!(error.error_type(), "answer_too_large", "{error}");
}
