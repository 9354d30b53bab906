//! Connections that are kept, lost, refused or never answered on.

use conformance::program::free_address;

use super::*;

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
fn a_request_whose_answer_was_lost_is_sent_again_byte_by_byte_before_anything_else() {
    // On a new connection, and on one that was kept.
    let collector = Collector::start([
        Reply::Close,
        Reply::Answer(success()),
        Reply::Answer(success()),
        Reply::Close,
        Reply::Close,
    ]);
    let setup = Setup::to(collector.address);
    let push = setup.start();
    setup.order();
    assert_eq!(push.flush(late()).unwrap_err().error_type(), "io");
    let first = collector.request();
    setup.order();
    push.flush(late()).unwrap();
    let (again, second) = (collector.request(), collector.request());
    assert_eq!((first.connection, again.connection, second.connection), (1, 2, 2));
    assert!(first.body == again.body);
    assert_eq!((again.counter("orders.placed"), second.counter("orders.placed")), (1, 2));

    for connection in [2, 3] {
        assert_eq!(push.flush(late()).unwrap_err().error_type(), "io");
        assert_eq!(collector.request().connection, connection);
        assert!(collector.is_idle(), "as long as its fate is not known, nothing else is sent");
    }
    let exported = setup.exported();
    assert!(
        exported.iter().all(|(labels, _)| labels == DELIVERED),
        "what may arrive yet has not failed: {exported:?}"
    );
    push.flush(late()).unwrap();
    let (again, last) = (collector.request(), collector.request());
    assert_eq!((again.counter("orders.placed"), last.counter("orders.placed")), (2, 2));
    let lost = "error: exporter \"central\": push to http://collector/v1/metrics?*** failed: the connection was \
                closed before an answer came; look into the collector's log; counts are kept and go with the next push";
    let again = "info: exporter \"central\": push to http://collector/v1/metrics?*** works again";
    assert_eq!(setup.lines(), [lost, again, lost, again]);
}

#[test]
fn a_port_on_which_nobody_listens_is_an_error_that_says_so() {
    let setup = Setup::to(free_address().parse().unwrap());
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
