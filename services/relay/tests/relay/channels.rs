//! What is in a channel is for its readers, on every node.

use conformance::http;
use serde_json::{Value, json};

use crate::support::{Client, Relay, Services, TABLE, until};

/// Who says that he is `pubkey`.
fn enter(relay: &Relay, pubkey: &str) -> Client {
    let mut client = Client::connect(&relay.clients);
    let said = json!(["AUTH", { "sig": "ok", "pubkey": pubkey }]);
    assert_eq!(client.ask(&said), json!(["OK", "auth", true]));
    client
}

fn event(id: &str, channel: Option<&str>) -> Value {
    let event = json!({ "id": id, "kind": 1, "content": "text" });
    match channel {
        Some(channel) => json!({ "id": id, "kind": 1, "content": "text", "channel": channel }),
        None => event,
    }
}

#[test]
fn what_is_in_a_channel_is_for_its_readers_and_who_they_are_is_looked_up_once() {
    let test = "what_is_in_a_channel_is_for_its_readers_and_who_they_are_is_looked_up_once";
    let Some(services) = Services::start(test) else { return };
    let (one, two) = (Relay::start(&services, &[]), Relay::start(&services, &[]));
    let add = |channel: &str, pubkey: &str| {
        http::ask(&format!("{}/api/channels/{channel}/{pubkey}", one.clients), "PUT", "", b"").unwrap().0
    };
    assert_eq!((add("ops", "ann"), add("o%00s", "ann")), (204, 400));
    let (mut ann, mut eve) = (enter(&one, "ann"), enter(&one, "eve"));
    // What somebody says of his channels changes nothing.
    assert_eq!(eve.ask(&json!(["REQ", "s", { "channels": ["ops"] }])), json!(["EOSE", "s"]));
    assert_eq!(eve.ask(&json!(["EVENT", event("e", Some("ops"))])), json!(["OK", "e", false, "restricted"]));
    assert_eq!(ann.ask(&json!(["EVENT", event("a", Some("ops"))])), json!(["OK", "a", true]));
    assert_eq!(ann.ask(&json!(["EVENT", event("b", None)])), json!(["OK", "b", true]));
    assert_eq!(eve.next(), Some(json!(["EVENT", "s", event("b", None)])), "and nothing of the channel");
    let count = json!(["COUNT", "n", {}]);
    assert_eq!(ann.ask(&count), json!(["COUNT", "n", { "count": 2 }]));
    assert_eq!(eve.ask(&count), json!(["COUNT", "n", { "count": 1 }]));
    assert_eq!(ann.subscribe("all"), 2);
    let page = one.page();
    page.has(&[
        ("buzz_accessible_channels_cache_misses_total", 2.0),
        // Ann asked once more, for a count, and once more to subscribe; Eve to send and to count.
        ("buzz_accessible_channels_cache_hits_total", 4.0),
        ("buzz_events_rejected_total{reason=\"restricted\"}", 1.0),
    ]);
    assert!(page.names().iter().all(|name| TABLE.contains(name)), "{}", page.0);

    // On the other node, who has been looked up there is forgotten when he becomes a reader here.
    let mut bob = enter(&two, "bob");
    assert_eq!(bob.ask(&count), json!(["COUNT", "n", { "count": 1 }]));
    assert_eq!(add("ops", "bob"), 204);
    until("the other node to forget", || (bob.ask(&count)[2]["count"] == 2).then_some(()));
    two.page().has(&[("buzz_accessible_channels_cache_misses_total", 2.0)]);
    assert_eq!(bob.subscribe("all"), 2);
    assert_eq!(ann.ask(&json!(["EVENT", event("c", Some("ops"))]))[0], "EVENT", "her own subscription");
    assert_eq!(bob.next(), Some(json!(["EVENT", "all", event("c", Some("ops"))])));
}
