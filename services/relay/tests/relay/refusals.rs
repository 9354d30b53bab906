//! What is refused is counted by reason, and reasons are few.

use conformance::http;
use serde_json::json;

use crate::support::{Client, Page, Relay, Services, TABLE, until};

#[test]
fn what_is_refused_is_counted_by_reason() {
    let Some(services) = Services::start("what_is_refused_is_counted_by_reason") else { return };
    let relay = Relay::start(&services, &[("BUZZ_MEDIA_PER_MINUTE", "2")]);
    let mut stranger = Client::connect(&relay.clients);
    assert_eq!(stranger.send("x", 1), (false, 0));
    assert_eq!(stranger.ask(&json!(["REQ", "s", {}])), json!(["CLOSED", "s", "unauthenticated"]));
    assert_eq!(stranger.ask(&json!("?"))[0], "NOTICE");
    let mut client = Client::known(&relay.clients);
    assert_eq!(
        (client.send("x", 1), client.send("x", 1), client.send("", 1)),
        ((true, 0), (false, 0), (false, 0))
    );
    assert_eq!(client.ask(&json!(["COUNT", "n", { "search": "a" }]))[0], "CLOSED");
    let counted = client.ask(&json!(["COUNT", "n", { "search": "ex", "kinds": [1] }]));
    assert_eq!(counted, json!(["COUNT", "n", { "count": 1 }]));
    for kind in [8, 31_337, u32::MAX] {
        assert!(client.send(&format!("of kind {kind}"), kind).0);
    }
    for pubkey in ["x".repeat(200), "\0".to_owned()] {
        let said = json!(["AUTH", { "sig": "ok", "pubkey": pubkey }]);
        assert_eq!(Client::connect(&relay.clients).ask(&said)[3], "nip42_invalid");
    }

    let upload = |mime: &str| {
        let (url, headers) = (format!("{}/api/media", relay.clients), format!("Content-Type: {mime}\r\n"));
        http::ask(&url, "POST", &headers, b"bytes").expect("an answer").0
    };
    assert_eq!((upload("image/png"), upload("x/made-up"), upload("image/png")), (201, 201, 429));
    let workflow = |trigger: &str| relay.ask("POST", &format!("/api/workflows/{trigger}"), "");
    assert_eq!((workflow("manual"), workflow("made-up")), (202, 404));

    relay.page().has(&[
        ("buzz_events_rejected_total{reason=\"unauthenticated\"}", 1.0),
        ("buzz_events_rejected_total{reason=\"duplicate\"}", 1.0),
        ("buzz_events_rejected_total{reason=\"invalid\"}", 1.0),
        ("buzz_events_stored_total{kind=\"1\"}", 1.0),
        ("buzz_events_stored_total{kind=\"other\"}", 3.0),
        ("buzz_auth_failures_total{reason=\"nip42_invalid\"}", 2.0),
        ("buzz_count_fallback_rejections_total", 1.0),
        ("buzz_media_uploads_total{mime=\"image/png\"}", 1.0),
        ("buzz_media_uploads_total{mime=\"other\"}", 1.0),
        ("buzz_media_upload_rejections_total{reason=\"rate_limit\"}", 1.0),
        ("buzz_workflow_runs_total{trigger=\"manual\"}", 1.0),
    ]);
    let page = relay.page();
    assert!(page.names().iter().all(|name| TABLE.contains(name)), "{}", page.0);
    page.has_known_labels();
}

#[test]
fn who_does_not_say_who_he_is_is_sent_away_and_counted() {
    let Some(services) = Services::start("who_does_not_say_who_he_is_is_sent_away_and_counted") else {
        return;
    };
    let relay = Relay::start(&services, &[("BUZZ_AUTH_TIMEOUT_SECS", "1")]);
    assert_eq!(Client::connect(&relay.clients).next(), None);
    let page = until("the end of the connection", || {
        Some(relay.page()).filter(|page| page.value("buzz_ws_connections_active") == Some(0.0))
    });
    page.has(&[("buzz_ws_auth_timeouts_total", 1.0), ("buzz_ws_connections_total", 1.0)]);
    assert_eq!(page.value("buzz_auth_attempts_total{method=\"nip42\"}"), None);
}

#[test]
fn who_does_not_read_is_sent_away_and_counted_and_holds_up_nobody() {
    let test = "who_does_not_read_is_sent_away_and_counted_and_holds_up_nobody";
    let Some(services) = Services::start(test) else { return };
    let relay = Relay::start(&services, &[("BUZZ_SEND_QUEUE", "4")]);
    let mut deaf = Client::known(&relay.clients);
    deaf.subscribe("s");
    let mut sender = Client::known(&relay.clients);
    let content = "x".repeat(60_000);
    let mut sent = 0;
    until("the one who does not read to be sent away", || {
        for _ in 0..20 {
            sent += 1;
            let event = json!({ "id": sent.to_string(), "kind": 1, "content": content });
            assert_eq!(sender.ask(&json!(["EVENT", event]))[2], true);
        }
        (relay.page().value("buzz_ws_backpressure_disconnects_total") == Some(1.0)).then_some(())
    });
    let page = until("the end of the connection", || {
        Some(relay.page()).filter(|page| page.value("buzz_ws_connections_active") == Some(1.0))
    });
    page.has(&[("buzz_ws_connections_total", 2.0), ("buzz_subscriptions_active", 0.0)]);
    drop(deaf);
}

#[test]
fn hostile_paths_and_callers_make_no_series_but_as_many_as_may_be_and_all_are_counted() {
    let test = "hostile_paths_and_callers_make_no_series_but_as_many_as_may_be_and_all_are_counted";
    let Some(services) = Services::start(test) else { return };
    let relay = Relay::start(&services, &[]);
    let long = "x".repeat(5_000);
    for path in
        ["/../etc/passwd", "/%2e%2e%2fetc", "/api/items/%00", "//", "/%ff%fe", "/a\"b{c=\"d\"}", &long]
    {
        let status = relay.ask("GET", &format!("/{}", path.trim_start_matches('/')), "");
        assert!((400..500).contains(&status), "{path}: {status}");
    }
    assert_eq!(relay.ask("PUT", "/api/members/%00", ""), 400);
    assert_eq!(relay.ask("PUT", "/api/channels/%00/a", ""), 400);
    let look = |caller: &str| {
        let header = format!("x-envoy-downstream-service-cluster: {caller}\r\n");
        assert_eq!(relay.ask("GET", "/api/items/7", &header), 200);
    };
    for caller in ["a\"b", "{x}", "caf\u{e9}", &"x".repeat(65), ""] {
        look(caller);
    }
    let counted = |page: &Page, part: &str| -> Vec<f64> {
        let of =
            page.samples().filter(|line| line.starts_with("http_requests_total{") && line.contains(part));
        of.filter_map(|line| line.rsplit_once(' ')?.1.parse().ok()).collect()
    };
    assert_eq!(counted(&relay.page(), "code=\"200\",caller=\"unknown\""), [5.0]);
    let callers = 2_100;
    for number in 0..callers {
        look(&format!("made-up-{number}"));
    }
    let page = relay.page();
    let all = counted(&page, "");
    assert!(all.len() <= 2_001, "{}", all.len());
    // Those of the list, and four that a route was for and that were not taken.
    assert_eq!(all.iter().sum::<f64>(), f64::from(callers) + 5.0 + 4.0);
    assert_eq!(page.samples().filter(|line| line.contains("passwd") || line.contains(&long)).count(), 0);
    // That there were too many is said.
    let others: Vec<_> = page.names().into_iter().filter(|name| !TABLE.contains(name)).collect();
    assert_eq!(others, ["metercast_series_limits_reached"]);
}
