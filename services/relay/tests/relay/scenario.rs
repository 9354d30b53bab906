//! What clients do is on the page, as those who have dashboards know it: steps 1 to 6, 8 and 12.

use std::net::TcpListener;

use serde_json::json;

use crate::support::{Client, Page, Relay, Services, TABLE, until};

/// Steps 2 to 6: A stays, B leaves, C is not let in. Without the requests over HTTP, which are step 5. What was sent before under other
/// names is there still.
pub(crate) fn clients(url: &str, name: &str) -> Client {
    let (mut a, mut b) = (Client::known(url), Client::known(url));
    let mut c = Client::connect(url);
    assert_eq!(c.ask(&json!(["AUTH", { "sig": "bad" }])), json!(["OK", "auth", false, "nip42_invalid"]));
    assert_eq!(c.next(), None, "whoever is not let in is sent away");
    a.subscribe("s1");
    b.subscribe("s2");
    for (id, kind) in [("1", 1), ("2", 7), ("3", 99_999)] {
        let id = &format!("{name}{id}");
        let (taken, seen) = a.send(id, kind);
        assert!(taken && seen == 1, "{id}: {taken} {seen}");
        let event = json!({ "id": id, "kind": kind, "content": "text" });
        assert_eq!(b.next(), Some(json!(["EVENT", "s2", event])));
    }
    b.close();
    a
}

/// The page once both are gone who go.
fn settled(relay: &Relay) -> Page {
    until("those who left to be gone", || {
        Some(relay.page()).filter(|page| page.value("buzz_ws_connections_active") == Some(1.0))
    })
}

/// The pools are whole, and as large as they may be.
fn assert_pools(page: &Page) {
    page.has(&[("buzz_db_pool_max", 5.0), ("buzz_redis_pool_max", 4.0), ("buzz_redis_pool_waiting", 0.0)]);
    let value = |name| page.value(name).expect(name);
    assert_eq!(value("buzz_db_pool_size"), value("buzz_db_pool_idle") + value("buzz_db_pool_active"));
    assert!(value("buzz_db_pool_size") >= 1.0 && value("buzz_redis_pool_size") >= 1.0, "{}", page.0);
    assert!(value("buzz_redis_pool_available") <= value("buzz_redis_pool_size"));
}

#[test]
fn what_clients_do_is_on_the_page_and_nothing_else_is() {
    let Some(services) = Services::start("what_clients_do_is_on_the_page_and_nothing_else_is") else {
        return;
    };
    let relay = Relay::start(&services, &[]);
    let page = relay.page();
    assert_pools(&page);
    for foreign in ["target_info", "otel_scope", "metercast", "process_"] {
        assert!(!page.0.contains(foreign), "{foreign} is on\n{}", page.0);
    }

    let _a = clients(&relay.clients, "e");
    assert_eq!(relay.ask("GET", "/api/items/7", "x-envoy-downstream-service-cluster: web\r\n"), 200);
    assert_eq!(relay.ask("GET", "/api/items/7", "x-envoy-downstream-service-cluster: a b!\r\n"), 200);
    assert_eq!(relay.ask("GET", "/nope", ""), 404);
    assert_eq!(relay.ask("GET", "/_liveness", ""), 200);

    let page = settled(&relay);
    let served = |name: &str, caller: &str| {
        format!("{name}{{code=\"200\",caller=\"{caller}\",action=\"/api/items/{{id}}\"}}")
    };
    page.has(&[
        ("buzz_ws_connections_total", 3.0),
        ("buzz_subscriptions_active", 1.0),
        ("buzz_events_received_total{kind=\"1\"}", 1.0),
        ("buzz_events_received_total{kind=\"7\"}", 1.0),
        ("buzz_events_received_total{kind=\"other\"}", 1.0),
        ("buzz_events_stored_total{kind=\"other\"}", 1.0),
        ("buzz_multinode_fanout_total", 3.0),
        ("buzz_auth_attempts_total{method=\"nip42\"}", 3.0),
        ("buzz_auth_failures_total{reason=\"nip42_invalid\"}", 1.0),
        ("buzz_fanout_recipients_bucket{le=\"1\"}", 0.0),
        ("buzz_fanout_recipients_bucket{le=\"5\"}", 3.0),
        ("buzz_fanout_recipients_bucket{le=\"+Inf\"}", 3.0),
        ("buzz_fanout_recipients_sum", 6.0),
        ("buzz_fanout_recipients_count", 3.0),
        ("buzz_event_processing_seconds_count", 3.0),
        ("buzz_event_processing_seconds_bucket{le=\"+Inf\"}", 3.0),
        (&served("http_requests_total", "web"), 1.0),
        (&served("http_requests_total", "unknown"), 1.0),
        (&served("http_request_latency_ms_count", "web"), 1.0),
    ]);
    let bounds: Vec<&str> = page
        .samples()
        .filter_map(|line| line.strip_prefix("buzz_event_processing_seconds_bucket{le=\"")?.split('"').next())
        .collect();
    assert_eq!(bounds, ["0.001", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "5", "+Inf"]);
    assert!(page.0.contains("# TYPE buzz_ws_send_batch_size summary"), "{}", page.0);
    for absent in ["/nope", "_liveness", "target_info", "otel_scope"] {
        assert!(!page.0.contains(absent), "{absent} is on\n{}", page.0);
    }
    assert_pools(&page);
    let foreign: Vec<_> = page.names().into_iter().filter(|name| !TABLE.contains(name)).collect();
    assert!(foreign.is_empty(), "{foreign:?} are on\n{}", page.0);
    page.has_known_labels();
}

#[test]
fn variables_of_opentelemetry_change_nothing_on_the_page_and_nobody_is_connected_to() {
    let test = "variables_of_opentelemetry_change_nothing_on_the_page_and_nobody_is_connected_to";
    let Some(services) = Services::start(test) else { return };
    let series = |variables: &[(&str, &str)], events: [&str; 2]| {
        let relay = Relay::start(&services, variables);
        let mut client = Client::known(&relay.clients);
        client.subscribe("s");
        for id in events {
            assert!(client.send(id, 1).0);
        }
        let audited = |page: &Page| page.value("buzz_audit_log_seconds_count") == Some(2.0);
        let page = until("the audit", || Some(relay.page()).filter(audited));
        page.series().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let without = series(&[], ["a", "b"]);
    let collector = TcpListener::bind("127.0.0.1:0").expect("a free port");
    collector.set_nonblocking(true).expect("a socket");
    let url = format!("http://{}", collector.local_addr().expect("bound"));
    let with = series(
        &[
            ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", &url),
            ("OTEL_SERVICE_NAME", "x"),
            ("OTEL_RESOURCE_ATTRIBUTES", "a=b"),
            ("OTEL_METRICS_EXPORTER", "otlp"),
            ("OTEL_TRACES_EXPORTER", "none"),
        ],
        ["c", "d"],
    );
    assert_eq!(with, without);
    let empty = series(&[("OTEL_EXPORTER_OTLP_ENDPOINT", ""), ("OTEL_SERVICE_NAME", "")], ["e", "f"]);
    assert_eq!(empty, without);
    let none = collector.accept().expect_err("metrics are scraped, not pushed");
    assert_eq!(none.kind(), std::io::ErrorKind::WouldBlock);
}
