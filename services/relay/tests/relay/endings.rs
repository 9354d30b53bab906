//! How a relay ends, and how it does not begin: steps 9 and 10.

use std::net::TcpListener;
use std::time::Duration;

use serde_json::json;

use crate::support::{Client, Relay, Services, until};

#[test]
fn a_relay_that_is_asked_to_end_says_so_to_whoever_sends_clients_and_ends_all_connections() {
    let test = "a_relay_that_is_asked_to_end_says_so_to_whoever_sends_clients_and_ends_all_connections";
    let Some(services) = Services::start(test) else { return };
    let relay = Relay::start(&services, &[("BUZZ_SHUTDOWN_GRACE_SECS", "600")]);
    for path in ["/_liveness", "/_readiness", "/_status"] {
        assert_eq!(relay.healthy(path), 200, "{path}");
    }
    let mut client = Client::known(&relay.clients);
    assert!(client.send("before", 1).0);
    relay.signal("TERM");
    until("readiness to end", || (relay.healthy("/_readiness") == 503).then_some(()));
    assert_eq!(relay.healthy("/_liveness"), 200);
    assert!(client.send("meanwhile", 1).0, "who is there is served during the time of grace");
    assert_eq!(relay.page().value("buzz_events_stored_total{kind=\"1\"}"), Some(2.0), "so are scrapers");
    relay.signal("TERM");
    assert_eq!(client.next(), None, "who is asked twice does not wait for more");
    let (status, took) = relay.ended();
    assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}");

    // What was kept is there for the next, and without a time of grace once is enough.
    let relay = Relay::start(&services, &[]);
    let mut client = Client::known(&relay.clients);
    assert_eq!(client.ask(&json!(["COUNT", "n", {}])), json!(["COUNT", "n", { "count": 2 }]));
    assert_eq!(client.subscribe("all"), 2);
    relay.signal("INT");
    let (status, took) = relay.ended();
    assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}");
}

#[test]
fn a_port_that_is_taken_ends_the_start_and_is_named() {
    let Some(services) = Services::start("a_port_that_is_taken_ends_the_start_and_is_named") else { return };
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("bound").port().to_string();
    for variable in ["BUZZ_METRICS_PORT", "BUZZ_HEALTH_PORT", "BUZZ_PORT"] {
        let (status, said) = Relay::refused(&services, &[(variable, &port)]);
        assert!(!status.success());
        assert!(said.contains(&format!("127.0.0.1:{port}")) && said.contains(variable), "{said}");
        assert_eq!(said.contains("metrics bind"), variable == "BUZZ_METRICS_PORT", "{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
    for variable in [("DATABASE_URL", "postgres://x@127.0.0.1:1/x"), ("REDIS_URL", "redis://127.0.0.1:1")] {
        let (status, said) = Relay::refused(&services, &[variable]);
        assert!(!status.success() && said.contains(variable.0), "{said}");
    }
}
