//! How connections begin and end, and what is counted by hand.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use metercast::testing::isolated;
use metercast::{MockClock, Store, StoreFutureExt};
use metercast_websocket::{CloseReason, Connection, MessageKind, SocketMetrics, Sockets};

use tokio::sync::Semaphore;

use super::{Said, lines_of};

metercast::labels! {
    enum Method { Nip42 }
    enum Refusal { Nip42Invalid = "nip42_invalid" }
    enum Farewell { Replaced }
}

fn sockets() -> Sockets {
    SocketMetrics::prefixed("buzz").build().unwrap()
}

#[test]
fn a_prefix_gives_the_names_of_the_relay() {
    isolated(|store| {
        let sockets = sockets();
        sockets.auth_attempt(Method::Nip42);
        sockets.auth_failure(Refusal::Nip42Invalid);
        let connection = sockets.open();
        connection.received(MessageKind::Text, 10);
        connection.sent(MessageKind::Ping, 0);
        connection.batch(3);
        connection.dropped(2);
        connection.clone().close_slow();
        sockets.accept().close_unauthenticated();
        drop(connection.handle(Said::Event, async {}));
        drop(connection);
        let names: BTreeSet<_> = lines_of(store, "buzz")
            .iter()
            .filter(|line| !line.contains("_bucket{"))
            .map(|line| line.rsplit_once(' ').unwrap().0.to_owned())
            .collect();
        let expected = [
            r#"buzz_auth_attempts_total{method="nip42"}"#,
            r#"buzz_auth_failures_total{reason="nip42_invalid"}"#,
            "buzz_ws_auth_timeouts_total",
            "buzz_ws_backpressure_disconnects_total",
            "buzz_ws_backpressure_dropped_total",
            "buzz_ws_connection_duration_seconds_count",
            "buzz_ws_connection_duration_seconds_sum",
            "buzz_ws_connections_active",
            r#"buzz_ws_connections_closed_total{reason="auth_timeout"}"#,
            r#"buzz_ws_connections_closed_total{reason="backpressure"}"#,
            "buzz_ws_connections_total",
            r#"buzz_ws_message_duration_seconds_count{kind="event"}"#,
            r#"buzz_ws_message_duration_seconds_sum{kind="event"}"#,
            r#"buzz_ws_messages_received_total{kind="text"}"#,
            r#"buzz_ws_messages_sent_total{kind="ping"}"#,
            "buzz_ws_received_bytes_total",
            "buzz_ws_send_batch_size_count",
            "buzz_ws_send_batch_size_sum",
            r#"buzz_ws_send_batch_size{quantile="0.5"}"#,
            r#"buzz_ws_send_batch_size{quantile="0.9"}"#,
            r#"buzz_ws_send_batch_size{quantile="0.95"}"#,
            r#"buzz_ws_send_batch_size{quantile="0.99"}"#,
            "buzz_ws_sent_bytes_total",
        ];
        assert_eq!(names, expected.map(str::to_owned).into());
    });
}

#[test]
fn who_leaves_during_the_challenge_was_never_active() {
    isolated(|store| {
        drop(sockets().accept());
        assert_eq!(lines_of(store, "buzz_ws_connections_total"), ["buzz_ws_connections_total 1"]);
        assert!(lines_of(store, "buzz_ws_connections_active").is_empty());
        let connection = sockets().accept();
        connection.activate();
        connection.activate();
        assert_eq!(lines_of(store, "buzz_ws_connections_active"), ["buzz_ws_connections_active 1"]);
        drop(connection);
        assert_eq!(lines_of(store, "buzz_ws_connections_active"), ["buzz_ws_connections_active 0"]);
    });
}

#[test]
fn a_connection_that_ends_for_a_slow_client_counts_once_whoever_else_finds_him_slow() {
    isolated(|store| {
        let connection = sockets().open();
        let others = [connection.clone(), connection.clone()];
        connection.close_slow();
        others.iter().for_each(Connection::close_slow);
        // Nor for what is a consequence.
        connection.close_unauthenticated();
        let disconnects = lines_of(store, "buzz_ws_backpressure_disconnects_total");
        assert_eq!(disconnects, ["buzz_ws_backpressure_disconnects_total 1"]);
        assert_eq!(lines_of(store, "buzz_ws_auth_timeouts_total"), [""; 0]);
    });
}

#[test]
fn a_connection_ends_once_for_the_reason_that_was_said_first() {
    type End = fn(Connection);
    let ends: [(&str, End); 5] = [
        ("auth_failed", |connection| {
            connection.close(CloseReason::AuthFailed);
            connection.close(CloseReason::Peer);
        }),
        ("replaced", |connection| connection.close(Farewell::Replaced)),
        ("aborted", drop),
        ("panicked", |connection| {
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                let _connection = connection;
                std::panic::resume_unwind(Box::new("a fault of the relay"));
            }));
            assert!(panicked.is_err());
        }),
        ("peer", |connection| {
            let other = connection.clone();
            std::thread::spawn(move || other.close(CloseReason::Peer)).join().unwrap();
        }),
    ];
    for (reason, end) in ends {
        isolated(|store| {
            end(sockets().open());
            let expected = format!("buzz_ws_connections_closed_total{{reason=\"{reason}\"}} 1");
            assert_eq!(lines_of(store, "buzz_ws_connections_closed_total"), [expected]);
            assert_eq!(lines_of(store, "buzz_ws_connections_active"), ["buzz_ws_connections_active 0"]);
        });
    }
}

#[test]
fn ids_differ_and_one_of_ones_own_stays() {
    isolated(|_| {
        let ids: BTreeSet<_> = (0..100).map(|_| sockets().accept().id().to_owned()).collect();
        assert_eq!(ids.len(), 100);
        assert!(ids.iter().all(|id| id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit())));
        assert_eq!(sockets().accept_as("c-7").id(), "c-7");
    });
}

#[test]
fn durations_go_by_the_clock_of_the_store_of_the_connection() {
    let clock = MockClock::new();
    let store = Store::with_clock(&clock);
    let connection = store.scope(|| sockets().open());
    clock.advance(Duration::from_secs(90));
    let handling = connection.handle(Said::Request, std::future::pending::<()>());
    clock.advance(Duration::from_secs(10));
    drop(connection);
    assert_eq!(lines_of(&store, "buzz_ws_connections_active"), ["buzz_ws_connections_active 1"]);
    drop(handling);
    for line in [
        "buzz_ws_connection_duration_seconds_sum 100",
        "buzz_ws_message_duration_seconds_sum{kind=\"request\"} 10",
        "buzz_ws_connections_active 0",
    ] {
        assert_eq!(lines_of(&store, line), [line]);
    }
}

#[tokio::test]
async fn a_task_that_is_cancelled_or_panics_ends_its_connection_where_it_began() {
    for (panics, reason) in [(false, "aborted"), (true, "panicked")] {
        let (store, other) = (Store::new(), Store::new());
        let connection = store.scope(|| sockets().open());
        let (begun, is_begun) = tokio::sync::oneshot::channel();
        let work = connection.handle(Said::Event, async move {
            let _ = begun.send(());
            if panics {
                std::panic::resume_unwind(Box::new("a fault of the relay"));
            }
            std::future::pending::<()>().await;
        });
        drop(connection);
        let task = tokio::spawn(work.in_store(other.clone()));
        is_begun.await.unwrap();
        task.abort();
        assert_eq!(task.await.unwrap_err().is_panic(), panics);
        let closed = lines_of(&store, "buzz_ws_connections_closed_total");
        assert_eq!(closed, [format!("buzz_ws_connections_closed_total{{reason=\"{reason}\"}} 1")]);
        assert_eq!(lines_of(&store, "buzz_ws_connections_active"), ["buzz_ws_connections_active 0"]);
        assert_eq!(
            lines_of(&store, "buzz_ws_message_duration_seconds_count"),
            [r#"buzz_ws_message_duration_seconds_count{kind="event"} 1"#]
        );
        assert!(lines_of(&other, "buzz").is_empty());
    }
}

#[tokio::test]
async fn totals_are_exact_over_ten_thousand_connections_that_end_in_any_way() {
    const EACH: usize = 2_000;
    let store = Store::new();
    let sockets = store.scope(sockets);
    let begun = Arc::new(Semaphore::new(0));
    let (mut reading, mut writing) = (Vec::new(), Vec::new());
    for number in 0..5 * EACH {
        let connection = store.scope(|| sockets.open());
        // Who writes has a clone, which may outlive who reads.
        let writes = connection.clone();
        writing.push(tokio::spawn(async move {
            tokio::task::yield_now().await;
            writes.sent(MessageKind::Text, 10);
        }));
        let begun = Arc::clone(&begun);
        reading.push(tokio::spawn(async move {
            connection.received(MessageKind::Text, 1);
            begun.add_permits(1);
            match number % 5 {
                0 => connection.close(CloseReason::Peer),
                1 => connection.close_slow(),
                2 => connection.close_unauthenticated(),
                3 => connection.close(Farewell::Replaced),
                _ => std::future::pending().await,
            }
        }));
    }
    let all = 5 * EACH;
    let _ = begun.acquire_many(all as u32).await.unwrap();
    for task in writing {
        task.await.unwrap();
    }
    for (number, task) in reading.into_iter().enumerate() {
        if number % 5 == 4 {
            task.abort();
        }
        assert_eq!(task.await.is_err(), number % 5 == 4);
    }
    let closed = ["aborted", "auth_timeout", "backpressure", "peer", "replaced"]
        .map(|reason| format!("buzz_ws_connections_closed_total{{reason=\"{reason}\"}} {EACH}"));
    assert_eq!(lines_of(&store, "buzz_ws_connections_closed_total"), closed);
    for line in [
        "buzz_ws_connections_active 0".to_owned(),
        format!("buzz_ws_connections_total {all}"),
        format!("buzz_ws_connection_duration_seconds_count {all}"),
        format!("buzz_ws_messages_received_total{{kind=\"text\"}} {all}"),
        format!("buzz_ws_sent_bytes_total {}", all * 10),
        format!("buzz_ws_backpressure_disconnects_total {EACH}"),
        format!("buzz_ws_auth_timeouts_total {EACH}"),
    ] {
        assert_eq!(lines_of(&store, &line), [&*line]);
    }
}
