//! Every cause says what happened.

use super::*;

#[test]
fn every_cause_says_what_where_and_how_to_mend() {
    let io = |kind: io::ErrorKind, text: &'static str| Arc::new(io::Error::new(kind, text));
    let status = |code, says: Option<&str>| Cause::Status {
        status: StatusCode::from_u16(code).unwrap(),
        says: says.map(str::to_owned),
        mend: None,
    };
    let cases = [
        (
            Cause::Resolve(io(io::ErrorKind::Other, "name unknown")),
            "resolve",
            " failed: the host's name cannot be resolved (name unknown); is it spelled right?",
        ),
        (
            Cause::Connect(io(io::ErrorKind::ConnectionRefused, "")),
            "connect",
            " failed: connection refused; is a collector listening there?",
        ),
        (
            Cause::Connect(io(io::ErrorKind::NetworkUnreachable, "network unreachable")),
            "connect",
            " failed: no connection (network unreachable); check the address and the network on the way",
        ),
        (
            Cause::Timeout { within: Duration::from_secs(10), connected: true },
            "timeout",
            " failed: no answer within 10s; is the collector overloaded, or the exporter's timeout too short?",
        ),
        (
            Cause::Timeout { within: Duration::from_millis(1500), connected: false },
            "timeout",
            " failed: no connection within 1.5s; does a firewall on the way drop packets?",
        ),
        (
            Cause::Deadline { connected: true },
            "timeout",
            " failed: no answer before the deadline; give it more time, or check the collector",
        ),
        (
            status(401, None),
            "401",
            " failed: answered 401 Unauthorized: check the exporter's auth or headers",
        ),
        (
            status(503, Some("full \u{1b}[2J\u{202e}")),
            "503",
            " failed: answered 503 Service Unavailable (\"full \\u{1b}[2J\\u{202e}\"): the collector, or what it \
             passes on to, is down or overloaded",
        ),
        (
            status(418, None),
            "418",
            " failed: answered 418 I'm a teapot: check the exporter's endpoint, and look into the collector's log",
        ),
        (
            Cause::Rejected { rejected: 2, points: 5, says: Some("too old".into()), mend: None },
            "rejected",
            ": 2 of 5 points were rejected (\"too old\"); check the collector's rules for these metrics",
        ),
        (
            Cause::PointTooLarge { limit: 8 },
            "point_too_large",
            " failed: a point does not fit into the 8 bytes that a request may have; record fewer and shorter labels",
        ),
        (Cause::Stopped, "stopped", " is not possible: the exporter was stopped"),
    ];
    for (cause, error_type, message) in cases {
        let error = ExportError::new("http://collector:4318/v1/metrics", cause);
        assert_eq!(error.error_type(), error_type);
        assert_eq!(error.to_string(), format!("push to http://collector:4318/v1/metrics{message}"));
    }
}

#[test]
fn the_error_of_the_system_is_kept_as_the_source() {
    let cause = Cause::Connect(Arc::new(io::Error::from(io::ErrorKind::ConnectionRefused)));
    let error = ExportError::new("http://collector:4318/", cause);
    let source = std::error::Error::source(&error).unwrap().downcast_ref::<io::Error>().unwrap();
    assert_eq!(source.kind(), io::ErrorKind::ConnectionRefused);
}

#[test]
fn what_was_lost_for_good_is_said_last() {
    for (cause, lost, end) in [
        (Cause::Closed, 0, "; look into the collector's log"),
        (Cause::Closed, 1, "; look into the collector's log; 1 point is not delivered"),
        (
            Cause::Timeout { within: Duration::from_secs(1), connected: false },
            12,
            "drop packets? 12 points are not delivered",
        ),
    ] {
        let says = ExportError::new("http://collector", cause).losing(lost).to_string();
        assert!(says.ends_with(end), "{says}");
    }
}
