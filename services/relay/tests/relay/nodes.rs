//! Several nodes with one database and one Redis are one relay.

use conformance::http;
use serde_json::json;

use crate::support::{Client, Relay, Services, until};

#[test]
fn an_event_of_one_node_reaches_the_clients_of_another_and_each_counts_its_own() {
    let test = "an_event_of_one_node_reaches_the_clients_of_another_and_each_counts_its_own";
    let Some(services) = Services::start(test) else { return };
    let (one, two) = (Relay::start(&services, &[]), Relay::start(&services, &[]));
    let (mut sender, mut reader) = (Client::known(&one.clients), Client::known(&two.clients));
    reader.subscribe("far");
    assert!(sender.send("e", 1).0);
    assert_eq!(reader.next(), Some(json!(["EVENT", "far", { "id": "e", "kind": 1, "content": "text" }])));
    one.page().has(&[
        ("buzz_multinode_fanout_total", 1.0),
        ("buzz_fanout_recipients_sum", 0.0),
        ("buzz_fanout_recipients_count", 1.0),
    ]);
    let there = until("the count of who got it", || {
        Some(two.page()).filter(|page| page.value("buzz_fanout_recipients_count") == Some(1.0))
    });
    there.has(&[("buzz_fanout_recipients_sum", 1.0)]);
    assert_eq!(there.value("buzz_events_received_total{kind=\"1\"}"), None);
    assert_eq!(there.value("buzz_multinode_fanout_total"), None);
}

#[test]
fn a_member_is_looked_up_once_and_again_when_another_node_says_that_he_changed() {
    let test = "a_member_is_looked_up_once_and_again_when_another_node_says_that_he_changed";
    let Some(services) = Services::start(test) else { return };
    let closed = [("BUZZ_MEMBERS_ONLY", "true"), ("BUZZ_ALLOWLIST", "ann, bob")];
    let (one, two) = (Relay::start(&services, &closed), Relay::start(&services, &closed));
    let enter = |pubkey: &str| {
        let answer = Client::connect(&two.clients).ask(&json!(["AUTH", { "sig": "ok", "pubkey": pubkey }]));
        answer[3].as_str().unwrap_or("in").to_owned()
    };
    assert_eq!(enter("eve"), "allowlist_denied");
    assert_eq!(enter("ann"), "not_relay_member");
    assert_eq!(enter("ann"), "not_relay_member");
    two.page().has(&[
        ("buzz_auth_attempts_total{method=\"nip42\"}", 3.0),
        ("buzz_auth_failures_total{reason=\"allowlist_denied\"}", 1.0),
        ("buzz_auth_failures_total{reason=\"not_relay_member\"}", 2.0),
        ("buzz_membership_cache_misses_total", 1.0),
        ("buzz_membership_cache_hits_total", 1.0),
    ]);
    let (status, ..) =
        http::ask(&format!("{}/api/members/ann", one.clients), "PUT", "", b"").expect("an answer");
    assert_eq!(status, 204);
    until("the other node to forget", || (enter("ann") == "in").then_some(()));
    two.page().has(&[("buzz_membership_cache_misses_total", 2.0)]);
}

#[test]
fn without_redis_a_node_is_not_ready_but_takes_events_and_with_it_all_is_as_before() {
    let test = "without_redis_a_node_is_not_ready_but_takes_events_and_with_it_all_is_as_before";
    let Some(mut services) = Services::start(test) else { return };
    let (one, two) = (Relay::start(&services, &[]), Relay::start(&services, &[]));
    let (mut sender, mut reader) = (Client::known(&one.clients), Client::known(&two.clients));
    reader.subscribe("far");
    assert_eq!(one.healthy("/_readiness"), 200);
    services.stop_redis();
    assert_eq!((one.healthy("/_readiness"), one.healthy("/_liveness")), (503, 200));
    assert!(sender.send("alone", 1).0);
    one.page().has(&[("buzz_events_stored_total{kind=\"1\"}", 1.0), ("buzz_fanout_recipients_count", 1.0)]);
    assert_eq!(one.page().value("buzz_multinode_fanout_total"), None, "nobody was told");

    services.start_redis();
    until("both to be ready", || {
        [&one, &two].iter().all(|node| node.healthy("/_readiness") == 200).then_some(())
    });
    // The other node listens again a moment after that.
    let mut sent = 0;
    until("an event to come through", || {
        sent += 1;
        assert!(sender.send(&sent.to_string(), 7).0);
        (two.page().value("buzz_fanout_recipients_count").is_some()).then_some(())
    });
    let event = reader.next().expect("an event");
    assert!(event[0] == "EVENT" && event[2]["kind"] == 7, "{event}");
    one.page().has(&[("buzz_multinode_fanout_total", f64::from(sent))]);
}
