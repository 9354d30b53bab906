//! The faults of a receiver over HTTP, in protobuf and in JSON, on real connections: how often a request is sent, what is
//! said, and that in the end the receiver holds what was recorded.

use super::*;

/// The same for both encodings.
fn in_both(test: impl Fn(&dyn Fn(Vec<Reply>) -> (Collector, Setup))) {
    for protocol in [Protocol::HttpProtobuf, Protocol::HttpJson] {
        test(&|script: Vec<Reply>| {
            let collector = Collector::start(script);
            let otlp = Otlp::to(&format!("http://{}", collector.address)).protocol(protocol);
            (collector, Setup::configured(otlp))
        });
    }
}

/// One fault, and what is known of it.
struct Row {
    fault: &'static str,
    reply: fn() -> Reply,
    error_type: &'static str,
    /// Whether the very same bytes come again, or what is in the store by then.
    comes_again: bool,
}

fn refused(status: &'static str) -> Reply {
    Reply::Answer(answer(status, "", b""))
}

const ROWS: [Row; 20] = [
    Row { fault: "503", reply: || refused("503 Service Unavailable"), error_type: "503", comes_again: true },
    Row { fault: "429", reply: || refused("429 Too Many Requests"), error_type: "429", comes_again: false },
    Row { fault: "502", reply: || refused("502 Bad Gateway"), error_type: "502", comes_again: true },
    Row { fault: "504", reply: || refused("504 Gateway Timeout"), error_type: "504", comes_again: true },
    Row { fault: "hang", reply: || Reply::Hang, error_type: "timeout", comes_again: true },
    Row {
        fault: "reset before the body",
        reply: || Reply::Reset { reads_body: false },
        error_type: "io",
        comes_again: true,
    },
    Row {
        fault: "reset after the body",
        reply: || Reply::Reset { reads_body: true },
        error_type: "io",
        comes_again: true,
    },
    Row { fault: "closed", reply: || Reply::Close, error_type: "io", comes_again: true },
    Row {
        fault: "broken off",
        reply: || Reply::AnswerAndClose(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n123".to_vec()),
        error_type: "io",
        comes_again: true,
    },
    Row {
        fault: "trickle",
        reply: || Reply::Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n1".to_vec()),
        error_type: "timeout",
        comes_again: true,
    },
    Row {
        fault: "garbage",
        reply: || Reply::AnswerAndClose(b"\0\x01garbage\r\n\r\n".to_vec()),
        error_type: "protocol",
        comes_again: true,
    },
    Row {
        fault: "redirect",
        reply: || refused("307 Temporary Redirect"),
        error_type: "redirect",
        comes_again: false,
    },
    Row { fault: "400", reply: || refused("400 Bad Request"), error_type: "400", comes_again: true },
    Row { fault: "401", reply: || refused("401 Unauthorized"), error_type: "401", comes_again: false },
    Row { fault: "403", reply: || refused("403 Forbidden"), error_type: "403", comes_again: false },
    Row { fault: "404", reply: || refused("404 Not Found"), error_type: "404", comes_again: false },
    Row { fault: "413", reply: || refused("413 Payload Too Large"), error_type: "413", comes_again: false },
    Row {
        fault: "500",
        reply: || refused("500 Internal Server Error"),
        error_type: "500",
        comes_again: false,
    },
    Row {
        fault: "an endless head",
        reply: || Reply::Endless([b"HTTP/1.1 200 OK\r\n".to_vec(), b"x: y\r\n".repeat(2048)].concat()),
        error_type: "protocol",
        comes_again: true,
    },
    Row {
        fault: "an HTML error",
        reply: || Reply::Answer(answer("503 Busy", "content-type: text/html\r\n", b"<html>busy</html>")),
        error_type: "503",
        comes_again: true,
    },
];

#[test]
fn after_any_fault_the_receiver_holds_what_was_recorded() {
    in_both(|start| {
        for Row { fault, reply, error_type, comes_again } in ROWS {
            let (collector, mut setup) = start(vec![reply()]);
            setup.settings.timeout = Some(Duration::from_millis(200));
            setup.order();
            let push = setup.start();
            let error = push.flush(late()).unwrap_err();
            assert_eq!(error.error_type(), error_type, "{fault}: {error}");
            let first = collector.request();
            assert!(collector.is_idle(), "{fault}: one attempt");
            setup.order();
            push.flush(late()).unwrap();
            let next = collector.request();
            if comes_again {
                assert!(next.body == first.body || first.body.iter().all(|byte| *byte == 0), "{fault}");
                assert_eq!(next.counter("orders.placed"), 1, "{fault}");
                assert_eq!(collector.request().counter("orders.placed"), 2, "{fault}");
            } else {
                assert_eq!(next.counter("orders.placed"), 2, "{fault}");
            }
            let lines = setup.lines();
            assert!(lines[0].contains("ounts are kept and go with the next push"), "{fault}: {lines:?}");
            assert!(lines[1].ends_with(" works again"), "{fault}: {lines:?}");
        }
    });
}

#[test]
fn shutdown_ends_at_its_deadline_in_any_fault_that_stays() {
    let refuses = |reply: fn() -> Reply| std::iter::repeat_with(reply).take(64).collect::<Vec<_>>();
    in_both(|start| {
        for Row { fault, reply, .. } in ROWS {
            let (_collector, mut setup) = start(refuses(reply));
            setup.settings.backoff = Backoff::default();
            setup.order();
            let push = setup.start();
            let asked = Instant::now();
            let error = push.shutdown(asked + Duration::from_millis(300)).unwrap_err();
            // Much later than the deadline, and much earlier than anything else.
            assert!(asked.elapsed() < Duration::from_secs(5), "{fault}");
            assert!(error.to_string().ends_with(" not delivered"), "{fault}: {error}");
        }
    });
}

#[test]
fn a_retry_after_is_seconds_or_a_date_by_the_clock_of_the_receiver() {
    let in_seconds =
        |seconds: u64| httpdate::fmt_http_date(std::time::SystemTime::now() + Duration::from_secs(seconds));
    let cases = [
        ("retry-after: 100\r\n".to_owned(), 99..=101),
        ("retry-after:  100 \r\n".to_owned(), 99..=101),
        (format!("retry-after: {}\r\n", in_seconds(100)), 97..=101),
        // A receiver whose clock is wrong.
        (
            "date: Sun, 06 Nov 1994 08:49:37 GMT\r\nretry-after: Sun, 06 Nov 1994 08:51:17 GMT\r\n"
                .to_owned(),
            99..=101,
        ),
        (
            "retry-after: Sunday, 06-Nov-94 08:51:17 GMT\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                .to_owned(),
            99..=101,
        ),
        ("retry-after: 99999999999999999999999999\r\n".to_owned(), 3599..=3601),
    ];
    in_both(|start| {
        for status in ["429 Too Many Requests", "503 Service Unavailable"] {
            for (headers, expected) in &cases {
                let (_collector, mut setup) = start(vec![Reply::Answer(answer(status, headers, b""))]);
                setup.settings.backoff = Backoff::default();
                setup.order();
                let push = setup.start();
                assert_eq!(push.flush(late()).unwrap_err().error_type(), &status[..3]);
                let error = push.flush(late()).unwrap_err();
                assert_eq!(error.error_type(), "silence", "{headers}");
                let says = error.to_string();
                let left = says.split_once("of which ").unwrap().1.split_once('s').unwrap().0;
                assert!(expected.contains(&left.parse().unwrap()), "{headers}: {says}");
            }
        }
        // What makes no sense is no wish, and what is over is none any more.
        for wait in ["soon", "-5", "1.5", "", "Sun, 06 Nov 1994 08:49:37 GMT", "0"] {
            let headers = format!("retry-after: {wait}\r\n");
            let (_collector, mut setup) =
                start(vec![Reply::Answer(answer("503 Service Unavailable", &headers, b""))]);
            setup.settings.backoff = Backoff { first: Duration::from_millis(1), ..Backoff::default() };
            setup.order();
            setup.start().flush(late()).unwrap();
        }
    });
}

#[test]
fn what_was_refused_as_malformed_twice_is_dropped() {
    in_both(|start| {
        let (collector, setup) = start(vec![refused("400 Bad Request"), refused("400 Bad Request")]);
        setup.order();
        let push = setup.start();
        assert_eq!(push.flush(late()).unwrap_err().error_type(), "400");
        setup.order();
        let error = push.flush(late()).unwrap_err();
        assert!(error.to_string().ends_with(" 1 point is not delivered"), "{error}");
        let requests: Vec<_> = (0..3).map(|_| collector.request().counter("orders.placed")).collect();
        assert_eq!(requests, [1, 1, 2]);
        push.flush(late()).unwrap();
    });
}

#[test]
fn a_partial_success_is_read_in_both_encodings() {
    in_both(|start| {
        for reply in [
            partial_success(1, "too old"),
            answer(
                "200 OK",
                "content-type: application/json\r\n",
                br#"{"partialSuccess":{"rejectedDataPoints":"1","errorMessage":"too old"}}"#,
            ),
        ] {
            let (collector, setup) = start(vec![Reply::Answer(reply)]);
            setup.order();
            let error = setup.start().flush(late()).unwrap_err();
            assert!(error.to_string().contains(": 1 of 1 points were rejected (\"too old\")"), "{error}");
            collector.request();
            assert!(collector.is_idle(), "it is not sent again");
        }
    });
}

#[test]
fn an_endless_body_is_cut_off() {
    let chunk = [b"1000\r\n".to_vec(), vec![b'x'; 0x1000], b"\r\n".to_vec()].concat();
    let head =
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    in_both(|start| {
        let mut endless = head.clone();
        for _ in 0..2048 {
            endless.extend(&chunk);
        }
        let (collector, setup) = start(vec![Reply::Answer(endless)]);
        setup.order();
        let push = setup.start();
        assert_eq!(push.flush(late()).unwrap_err().error_type(), "answer_too_large");
        // It said that it has taken it.
        collector.request();
        push.flush(late()).unwrap();
        assert_eq!((collector.request().connection, collector.is_idle()), (2, true));
    });
}

#[test]
fn a_request_has_the_content_type_of_its_encoding() {
    in_both(|start| {
        let (collector, setup) = start(vec![]);
        setup.order();
        setup.start().flush(late()).unwrap();
        let expected = setup.settings.options.encoding.content_type();
        assert_eq!(collector.request().headers["content-type"], expected);
    });
}

#[cfg(feature = "zstd")]
#[test]
fn zstd_makes_the_body_smaller_and_says_so() {
    in_both(|start| {
        let (collector, mut setup) = start(vec![]);
        setup.settings.compression = Compression::Zstd;
        setup.store.scope(|| {
            for n in 0..100 {
                u64_counter!("orders.by.customer", "Orders of one customer", 1, "customer" => n);
            }
        });
        setup.order();
        setup.start().flush(late()).unwrap();
        let request = collector.request();
        assert_eq!(request.headers["content-encoding"], "zstd");
        assert_eq!(request.counter("orders.placed"), 1);
        assert!(request.body.len() < request.message().len() / 4);
    });
}
