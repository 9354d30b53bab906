//! What is away or slow while the relay runs: it serves what it can, says so, and counts it.

use std::thread;

use conformance::http;
use serde_json::json;

use crate::support::{Client, Relay, Services, Statements, TABLE, until};

#[test]
fn without_postgresql_a_node_is_not_ready_and_says_so_to_clients_and_with_it_all_is_as_before() {
    let test = "without_postgresql_a_node_is_not_ready_and_says_so_to_clients_and_with_it_all_is_as_before";
    let Some(mut services) = Services::start(test) else { return };
    let relay = Relay::start(&services, &[]);
    let mut client = Client::known(&relay.clients);
    assert!(client.send("before", 1).0);
    until("the audit", || (relay.page().value("buzz_audit_log_seconds_count") == Some(1.0)).then_some(()));
    services.stop_postgres();
    assert_eq!((relay.healthy("/_readiness"), relay.healthy("/_liveness")), (503, 200));
    assert_eq!(
        client.ask(&json!(["EVENT", { "id": "lost", "kind": 1 }])),
        json!(["OK", "lost", false, "database"])
    );
    assert_eq!(client.ask(&json!(["REQ", "s", {}])), json!(["CLOSED", "s", "database"]));
    assert_eq!(client.ask(&json!(["COUNT", "n", {}])), json!(["CLOSED", "n", "database"]));
    assert_eq!(relay.ask("POST", "/api/workflows/manual", ""), 502);
    assert_eq!(relay.ask("GET", "/api/items/7", ""), 200, "which is in Redis");
    relay.page().has(&[
        ("buzz_events_rejected_total{reason=\"database\"}", 2.0),
        ("buzz_events_stored_total{kind=\"1\"}", 1.0),
        ("buzz_db_pool_max", 5.0),
        ("buzz_ws_connections_active", 1.0),
    ]);
    services.start_postgres();
    until("it to be ready", || (relay.healthy("/_readiness") == 200).then_some(()));
    assert!(client.send("after", 1).0);
    assert_eq!(client.subscribe("s"), 2, "both are there");
    relay.page().has(&[("buzz_events_stored_total{kind=\"1\"}", 2.0), ("buzz_subscriptions_active", 1.0)]);
}

#[test]
fn an_audit_that_cannot_be_written_or_has_no_room_is_counted_and_nobody_waits_for_it() {
    let test = "an_audit_that_cannot_be_written_or_has_no_room_is_counted_and_nobody_waits_for_it";
    let Some(services) = Services::start(test) else { return };
    let relay = Relay::start(&services, &[("BUZZ_AUDIT_QUEUE", "4")]);
    let mut client = Client::known(&relay.clients);
    let mut statements = Statements::connect(&services);
    statements.execute("ALTER TABLE audit RENAME TO elsewhere");
    assert!(client.send("unwritten", 1).0);
    until("the error", || (relay.page().value("buzz_audit_log_errors_total") == Some(1.0)).then_some(()));
    statements.execute("ALTER TABLE elsewhere RENAME TO audit");
    statements.execute("BEGIN; LOCK TABLE audit");
    // One is being written, four wait, and the others find no room.
    let sent = 20;
    for id in 0..sent {
        assert!(client.send(&id.to_string(), 1).0);
    }
    let lost = relay.page().value("buzz_audit_send_errors_total").expect("entries that were lost");
    assert!((15.0..=16.0).contains(&lost), "{lost}");
    statements.execute("COMMIT");
    // One that could not be written at first; all others that were not lost are written now.
    let written = 1.0 + f64::from(sent) - lost;
    until("the rest to be written", || {
        (relay.page().value("buzz_audit_log_seconds_count") == Some(written)).then_some(())
    });
    assert_eq!(statements.count("audit"), f64::from(sent) - lost);
    relay.page().has(&[("buzz_audit_log_errors_total", 1.0)]);
}

#[test]
fn files_that_come_while_as_many_as_may_be_are_on_their_way_are_refused_and_counted() {
    let test = "files_that_come_while_as_many_as_may_be_are_on_their_way_are_refused_and_counted";
    let Some(services) = Services::start(test) else { return };
    let relay = Relay::start(&services, &[]);
    let mut statements = Statements::connect(&services);
    statements.execute("BEGIN; LOCK TABLE media");
    let upload = || {
        let url = format!("{}/api/media", relay.clients);
        http::ask(&url, "POST", "Content-Type: image/png\r\n", b"bytes").expect("an answer").0
    };
    thread::scope(|scope| {
        let waiting: Vec<_> = (0..4).map(|_| scope.spawn(upload)).collect();
        until("four to wait for the table", || (statements.waiting() == 4.0).then_some(()));
        assert_eq!(upload(), 429);
        statements.execute("COMMIT");
        for upload in waiting {
            assert_eq!(upload.join().expect("no panic"), 201);
        }
    });
    let page = relay.page();
    page.has(&[
        ("buzz_media_upload_rejections_total{reason=\"concurrency\"}", 1.0),
        ("buzz_media_uploads_total{mime=\"image/png\"}", 4.0),
    ]);
    assert!(page.names().iter().all(|name| TABLE.contains(name)), "{}", page.0);
}
