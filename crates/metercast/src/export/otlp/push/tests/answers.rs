//! What becomes of a push for each kind of answer: what it returns, counts and logs.

use super::*;

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
    let not_read =
        "the collector cannot read the message; does it take OTLP in the exporter's protocol? Counts";
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
            "answered 404 Not Found: the path is probably wrong; receivers of OTLP take metrics at /v1/metrics and traces at /v1/traces; counts",
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
            "answered 429 Too Many Requests: the collector wants fewer pushes; make the exporter's interval longer; counts \
             are kept and go with the next push, not before 7s have passed, as the collector asks",
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
            "answered 301 Moved Permanently to \"https://elsewhere/v1/metrics\", which is not followed: set the endpoint to where \
             it leads; counts",
        ),
        (
            "304 Not Modified",
            "",
            "",
            "redirect",
            "answered 304 Not Modified, which is not followed: the path is probably wrong; receivers of OTLP take metrics \
             at /v1/metrics and traces at /v1/traces; counts",
        ),
    ];
    for (status, headers, body, error_type, message) in cases {
        let (result, setup) = after(Reply::Answer(answer(status, headers, body.as_bytes())));
        let error = result.unwrap_err();
        assert_eq!(error.error_type(), error_type);
        // What is sent again as it was has not failed yet.
        let failed =
            if ["400", "503"].contains(&error_type) { vec![] } else { vec![(failed_with(error_type), 1)] };
        assert_eq!(setup.exported(), failed);
        let mut line =
            format!("error: exporter \"central\": push to http://collector/v1/metrics?*** failed: {message}");
        if line.ends_with("ounts") {
            line.push_str(" are kept and go with the next push");
        }
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
fn a_wait_that_is_not_kept_is_not_said() {
    let refused = answer("401 Unauthorized", "retry-after: 3600\r\n", b"");
    let collector = Collector::start([Reply::Answer(refused)]);
    let setup = Setup::to(collector.address);
    setup.order();
    let push = setup.start();
    push.flush(late()).unwrap_err();
    let lines = setup.lines();
    assert!(lines[0].ends_with("counts are kept and go with the next push"), "{lines:?}");
    push.flush(late()).unwrap();
}
