//! A configuration that changes while the program runs: only what it names is touched, and no count is lost or begins anew.

mod support;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use metercast::config::{Otlp, Prometheus, Stdout, TemporalityPreference};
use metercast::log::Level;
use metercast::view::View;
use metercast::{ExporterChange, u64_counter};
#[cfg(target_os = "linux")]
use support::reload::threads;
use support::reload::{Client, HOUR, MINUTE, Printed, builder, order, page, start};
use support::{NOBODY, Receiver, points, scrape, value};

#[test]
fn an_address_a_header_and_the_form_of_a_page_change_and_no_count_begins_anew() {
    let receiver = Receiver::start();
    let push = || {
        Otlp::to(&receiver.endpoint)
            .temporality(TemporalityPreference::Delta)
            .interval(HOUR)
            .header("x-a", "1")
    };
    let (telemetry, store, _) = start(builder().exporter("page", page()).exporter("push", push()));
    let mut changes = Vec::new();
    let configurations = [
        builder().exporter("page", Prometheus::listen("localhost:0")).exporter("push", push()),
        builder()
            .exporter("page", Prometheus::listen("localhost:0"))
            .exporter("push", push().header("x-a", "2")),
        builder()
            .exporter("page", Prometheus::listen("localhost:0").total_suffix(false))
            .exporter("push", push().header("x-a", "2")),
        builder()
            .resource_attribute("deployment.environment.name", "prod")
            .exporter("page", Prometheus::listen("localhost:0").total_suffix(false))
            .exporter("push", push().header("x-a", "2")),
    ];
    for configuration in configurations {
        order(&store);
        changes.push(telemetry.reload(configuration.build().unwrap()).unwrap().to_string());
        order(&store);
    }
    assert_eq!(
        changes,
        [
            "page: listen changed; push: unchanged",
            "page: unchanged; push: headers changed",
            "page: page changed; push: unchanged",
            "page: unchanged; push: resource changed",
        ]
    );
    let page = scrape(telemetry.scrape_address().unwrap());
    assert_eq!(value(&page, "orders"), Some(8.0), "{page}");
    telemetry.shutdown().unwrap();
    let arrived: i64 = receiver
        .messages
        .try_iter()
        .flat_map(|message| points(&message, "orders"))
        .map(|(_, value)| value)
        .sum();
    assert_eq!(arrived, 8);
}

#[test]
fn twenty_five_reloads_under_recording_lose_nothing_and_leave_nothing_behind() {
    let receiver = Receiver::start();
    let configuration = |value: &str| {
        let push = Otlp::to(&receiver.endpoint).temporality(TemporalityPreference::Delta).interval(HOUR);
        builder().exporter("r25", page()).exporter("r25-push", push.header("x-a", value))
    };
    let (telemetry, store, lines) = start(configuration("a"));
    let address = telemetry.scrape_address().unwrap();
    let mut client = Client::connect(address);
    let done = Arc::new(AtomicBool::new(false));
    let recording: Vec<_> = (0..4)
        .map(|_| {
            let (store, done) = (store.clone(), Arc::clone(&done));
            thread::spawn(move || {
                let mut recorded = 0u64;
                while !done.load(Ordering::Relaxed) {
                    order(&store);
                    recorded += 1;
                    thread::yield_now();
                }
                recorded
            })
        })
        .collect();
    let mut before = 0.0;
    for round in 0..25 {
        let value_of_header = if round % 2 == 0 { "b" } else { "a" };
        let reloaded = telemetry.reload(configuration(value_of_header).build().unwrap()).unwrap();
        assert_eq!(reloaded.to_string(), "r25: unchanged; r25-push: headers changed");
        let (status, page) = client.get("/metrics", "none").expect("the connection stays open");
        assert_eq!(status, 200);
        let now = value(&page, "orders_total").unwrap_or(0.0);
        assert!(now >= before, "{now} after {before}");
        before = now;
    }
    done.store(true, Ordering::Relaxed);
    let recorded: u64 = recording.into_iter().map(|thread| thread.join().unwrap()).sum();
    #[cfg(target_os = "linux")]
    assert_eq!((threads("metercast-r25"), threads("metercast-otlp-")), (1, threads("metercast-otlp-")));
    let page = scrape(address);
    assert_eq!(value(&page, "orders_total"), Some(recorded as f64));
    assert_eq!(value(&page, "metercast_config_last_reload_successful"), Some(1.0));
    assert!(value(&page, "metercast_config_last_reload_success_timestamp_seconds").unwrap() > 1.7e9);
    telemetry.shutdown().unwrap();
    let arrived: i64 = receiver
        .messages
        .try_iter()
        .flat_map(|message| points(&message, "orders"))
        .map(|(_, value)| value)
        .sum();
    assert_eq!(arrived, i64::try_from(recorded).unwrap());
    let lines = lines.lock().unwrap();
    assert_eq!(
        lines.iter().filter(|(_, line)| line.starts_with("configuration reloaded")).count(),
        25,
        "{lines:?}"
    );
    assert_eq!(lines.len(), 26, "{lines:?}");
}

#[test]
fn a_token_is_swapped_on_a_connection_that_stays_open() {
    let with = |token: &str| builder().exporter("page", page().bearer(token)).build().unwrap();
    let (telemetry, _, _) = start(builder().exporter("page", page().bearer("old")));
    let mut client = Client::connect(telemetry.scrape_address().unwrap());
    assert_eq!(client.get("/metrics", "old").unwrap().0, 200);
    let url = telemetry.scrape_url();
    assert_eq!(telemetry.reload(with("new")).unwrap().to_string(), "page: auth changed");
    assert_eq!(client.get("/metrics", "old").unwrap().0, 401);
    assert_eq!(client.get("/metrics", "new").unwrap().0, 200);
    assert_eq!(telemetry.scrape_url(), url);
}

#[test]
fn a_path_and_limits_are_those_of_the_new_configuration_at_once() {
    let (telemetry, store, _) = start(builder().exporter("page", page()));
    order(&store);
    let mut client = Client::connect(telemetry.scrape_address().unwrap());
    let moved = page().path("/m").health(false).max_in_flight(1).timeout(Duration::from_secs(1));
    let reloaded = telemetry.reload(builder().exporter("page", moved).build().unwrap()).unwrap();
    assert_eq!(reloaded.to_string(), "page: path, health, max_in_flight, timeout changed");
    assert_eq!(client.get("/metrics", "").unwrap().0, 404);
    assert_eq!(client.get("/-/healthy", "").unwrap().0, 404);
    assert!(client.get("/m", "").unwrap().1.contains("orders_total 1\n"));
    assert!(telemetry.scrape_url().unwrap().ends_with("/m"));
}

#[test]
fn a_page_that_is_made_anew_keeps_who_has_which_name() {
    let (telemetry, store, _) = start(builder().exporter("page", page()));
    store.scope(|| u64_counter!("clash.b", "First", 1));
    let address = telemetry.scrape_address().unwrap();
    assert!(scrape(address).contains("# HELP clash_b_total First\n"));
    // Sorted by its name it would be met before the other.
    store.scope(|| u64_counter!("clash-b", "Second", 2));
    let scoped = builder().exporter("page", page().scope_labels(true)).build().unwrap();
    assert_eq!(telemetry.reload(scoped).unwrap().to_string(), "page: page changed");
    let page = scrape(address);
    assert!(page.contains("# HELP clash_b_total First\n") && !page.contains("Second"), "{page}");
}

#[test]
fn exporters_come_and_go_and_what_is_gone_has_handed_over_what_it_had() {
    let receivers = [Receiver::start(), Receiver::start()];
    let push = |at: usize| Otlp::to(&receivers[at].endpoint).interval(HOUR);
    let (telemetry, store, _) = start(builder().exporter("first", push(0)).exporter("page", page()));
    let address = telemetry.scrape_address().unwrap();
    let mut client = Client::connect(address);
    order(&store);
    let other = builder().exporter("second", push(1)).exporter("page", page().path("/m"));
    let other = other.build().unwrap();
    let expected = "first: removed; page: path changed; second: added";
    assert_eq!(telemetry.plan_reload(&other).unwrap().to_string(), expected);
    assert_eq!(telemetry.reload(other).unwrap().to_string(), expected);
    assert_eq!(points(&receivers[0].messages.recv_timeout(MINUTE).unwrap(), "orders")[0].1, 1);
    order(&store);
    telemetry.flush(MINUTE).unwrap();
    assert_eq!(points(&receivers[1].messages.recv_timeout(MINUTE).unwrap(), "orders")[0].1, 2);
    assert_eq!(client.get("/m", "").unwrap().0, 200);

    let none = builder().exporter("second", push(1).interval(MINUTE)).build().unwrap();
    let reloaded = telemetry.reload(none).unwrap();
    assert_eq!(reloaded.exporter("page"), Some(&ExporterChange::Removed));
    assert_eq!(reloaded.exporter("second"), Some(&ExporterChange::Changed(vec!["interval"])));
    // Its connections close once they are idle, and nobody listens there any more.
    assert_eq!(client.get("/m", ""), None);
    assert!(TcpListener::bind(address).is_ok());
    assert_eq!(telemetry.scrape_url(), None);
    assert!(receivers[0].messages.try_recv().is_err());
}

#[test]
fn views_that_change_to_and_fro_under_recording_lose_no_delta_and_tell_none_twice() {
    let receiver = Receiver::start();
    let push = || {
        Otlp::to(&receiver.endpoint)
            .temporality(TemporalityPreference::Delta)
            .interval(Duration::from_millis(5))
    };
    let plain = || builder().exporter("push", push());
    let renamed = || builder().exporter("push", push().view(View::of("orders").rename("shop.orders")));
    let (telemetry, store, _) = start(plain());
    let done = AtomicBool::new(false);
    let recorded: u64 = thread::scope(|scope| {
        let record = || {
            let mut recorded = 0;
            while !done.load(Ordering::Relaxed) {
                order(&store);
                recorded += 1;
                thread::yield_now();
            }
            recorded
        };
        let recording = [scope.spawn(record), scope.spawn(record)];
        for round in 0..12 {
            let configuration = if round % 2 == 0 { renamed() } else { plain() };
            telemetry.reload(configuration.build().unwrap()).unwrap();
            telemetry.flush(MINUTE).unwrap();
        }
        done.store(true, Ordering::Relaxed);
        recording.map(|thread| thread.join().unwrap()).into_iter().sum()
    });
    telemetry.shutdown().unwrap();
    let sums = receiver.messages.try_iter().map(|message| {
        let sum = |name| points(&message, name).iter().map(|(_, value)| value).sum::<i64>();
        [sum("orders"), sum("shop.orders")]
    });
    let [orders, renamed] = sums.fold([0, 0], |all, one| [all[0] + one[0], all[1] + one[1]]);
    assert!(renamed > 0);
    assert_eq!(orders + renamed, i64::try_from(recorded).unwrap());
}

#[test]
fn a_push_of_deltas_that_goes_and_comes_back_goes_on_where_it_was() {
    let receiver = Receiver::start();
    let push = || Otlp::to(&receiver.endpoint).temporality(TemporalityPreference::Delta).interval(HOUR);
    let with = || builder().exporter("page", page()).exporter("push", push());
    let without = || builder().exporter("page", page());
    let (telemetry, store, _) = start(with());
    for change in [without(), with(), with().enabled(false), with(), without(), with()] {
        order(&store);
        telemetry.reload(change.build().unwrap()).unwrap();
        order(&store);
    }
    telemetry.flush(MINUTE).unwrap();
    let page = scrape(telemetry.scrape_address().unwrap());
    telemetry.shutdown().unwrap();
    let arrived: i64 = receiver
        .messages
        .try_iter()
        .flat_map(|message| points(&message, "orders"))
        .map(|(_, value)| value)
        .sum();
    // While all is switched off nothing is recorded by who has recorded nothing before.
    assert_eq!(value(&page, "orders_total"), Some(arrived as f64));
    assert!(arrived >= 10, "{arrived}");
}

#[test]
fn a_push_of_deltas_that_is_added_counts_from_then_on() {
    let receiver = Receiver::start();
    let push = Otlp::to(&receiver.endpoint).temporality(TemporalityPreference::Delta).interval(HOUR);
    let (telemetry, store, _) = start(builder().exporter("page", page()));
    order(&store);
    telemetry.reload(builder().exporter("page", page()).exporter("push", push).build().unwrap()).unwrap();
    // It begins on its own thread, which answers when it has.
    telemetry.flush(MINUTE).unwrap();
    order(&store);
    order(&store);
    telemetry.shutdown().unwrap();
    let sums = receiver.messages.try_iter().flat_map(|message| points(&message, "orders"));
    assert_eq!(sums.map(|(_, value)| value).sum::<i64>(), 2);
}

#[test]
fn listeners_go_with_their_addresses_whoever_serves_there() {
    let (telemetry, store, _) =
        start(builder().exporter("a", page()).exporter("b", Prometheus::listen("localhost:0")));
    order(&store);
    let first = telemetry.scrape_address().unwrap();
    let mut client = Client::connect(first);
    assert_eq!(client.get("/metrics", "").unwrap().0, 200);
    // The two change places, and the first gets the port that was chosen by its number.
    let b = Prometheus::listen(&first.to_string()).path("/b");
    let a = Prometheus::listen("localhost:0").path("/a");
    let swapped = builder().exporter("a", a).exporter("b", b).build().unwrap();
    assert_eq!(
        telemetry.reload(swapped).unwrap().to_string(),
        "a: listen, path changed; b: listen, path changed"
    );
    assert!(client.get("/b", "").unwrap().1.contains("orders_total 1\n"));
    assert_ne!(telemetry.scrape_address(), Some(first));
    // Another name takes it over.
    let c = builder().exporter("c", Prometheus::listen(&first.to_string()).path("/c")).build().unwrap();
    assert_eq!(telemetry.reload(c).unwrap().to_string(), "a: removed; b: removed; c: added");
    assert_eq!(telemetry.scrape_address(), Some(first));
    assert!(client.get("/c", "").unwrap().1.contains("orders_total 1\n"));
    // And keeps it, though it was opened for any port, which somebody else wants now.
    let c = Prometheus::listen(&first.to_string()).path("/d");
    let both = builder().exporter("a", page()).exporter("c", c).build().unwrap();
    assert_eq!(telemetry.reload(both).unwrap().to_string(), "a: added; c: path changed");
    assert!(client.get("/d", "").unwrap().1.contains("orders_total 1\n"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_page_for_this_machine_becomes_one_for_all_on_the_same_port_and_back() {
    let (telemetry, store, _) = start(builder().exporter("page", page()));
    order(&store);
    let port = telemetry.scrape_address().unwrap().port();
    for host in ["0.0.0.0", "127.0.0.1", "[::]", "127.0.0.1"] {
        let page = Prometheus::listen(&format!("{host}:{port}"));
        let reloaded = telemetry.reload(builder().exporter("page", page).build().unwrap()).unwrap();
        assert_eq!(reloaded.to_string(), "page: listen changed");
        assert_eq!(telemetry.scrape_url(), Some(format!("http://{host}:{port}/metrics")));
        // Until the old one has closed either of them answers; nobody else can have the port meanwhile.
        assert!(TcpListener::bind(("127.0.0.1", port)).is_err());
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        while Client::connect(address)
            .get("/metrics", "")
            .is_none_or(|(_, page)| value(&page, "orders_total") != Some(1.0))
        {
            thread::yield_now();
        }
    }
}

#[test]
fn all_is_switched_off_and_on_again_and_the_counts_go_on() {
    let (telemetry, store, lines) = start(builder().exporter("page", page()));
    order(&store);
    let off = builder().enabled(false).exporter("page", page()).build().unwrap();
    assert_eq!(telemetry.reload(off).unwrap().to_string(), "enabled changed; page: removed");
    assert_eq!(telemetry.scrape_url(), None);
    store.scope(|| u64_counter!("off", "Recorded while nothing is", 1));
    let on = builder().exporter("page", page()).self_metrics(false).build().unwrap();
    let reloaded = telemetry.reload(on).unwrap();
    assert_eq!(reloaded.to_string(), "enabled, self_metrics changed; page: added");
    assert_eq!(reloaded.settings(), ["enabled", "self_metrics"]);
    let page = scrape(telemetry.scrape_address().unwrap());
    assert!(page.contains("orders_total 1\n") && !page.contains("off_total"), "{page}");
    assert!(!page.contains("exporter"), "{page}");
    assert!(lines.lock().unwrap().iter().all(|(level, _)| *level == Level::Info));
}

#[test]
fn what_is_printed_goes_elsewhere_once_what_there_is_was_printed() {
    let printed = [Printed::default(), Printed::default()];
    let to = |at: usize| {
        let stdout = Stdout::default().interval(HOUR).writer(printed[at].clone());
        builder().self_metrics(false).exporter("stdout", stdout)
    };
    let (telemetry, store, _) = start(to(0));
    order(&store);
    assert_eq!(telemetry.reload(to(1).build().unwrap()).unwrap().to_string(), "stdout: writer changed");
    telemetry.flush(MINUTE).unwrap();
    order(&store);
    telemetry.shutdown().unwrap();
    assert_eq!(printed[0].values("orders"), [1]);
    // The metrics of the reload switch are not there, as nothing measures itself.
    assert_eq!(printed[1].values("orders"), [1, 2]);
}

#[test]
fn views_that_change_rename_what_there_is_and_no_value_begins_anew() {
    let receiver = Receiver::start();
    let push = || Otlp::to(&receiver.endpoint).temporality(TemporalityPreference::Delta).interval(HOUR);
    let plain = || builder().exporter("page", page()).exporter("push", push());
    let (telemetry, store, _) = start(plain());
    let address = telemetry.scrape_address().unwrap();
    let view = || View::of("orders").rename("shop.orders");
    order(&store);
    assert_eq!(value(&scrape(address), "orders_total"), Some(1.0));
    let renamed = builder().exporter("page", page().view(view())).exporter("push", push().view(view()));
    let reloaded = telemetry.reload(renamed.build().unwrap()).unwrap();
    assert_eq!(reloaded.to_string(), "page: views changed; push: views changed");
    // Until the old settings have handed over what there was.
    telemetry.flush(MINUTE).unwrap();
    order(&store);
    let now = scrape(address);
    assert_eq!((value(&now, "shop_orders_total"), value(&now, "orders_total")), (Some(2.0), None));
    telemetry.flush(MINUTE).unwrap();
    telemetry.reload(plain().build().unwrap()).unwrap();
    telemetry.flush(MINUTE).unwrap();
    order(&store);
    assert_eq!(value(&scrape(address), "orders_total"), Some(3.0));
    telemetry.shutdown().unwrap();
    let arrived: Vec<_> = receiver
        .messages
        .try_iter()
        .map(|message| {
            let sum = |name| points(&message, name).iter().map(|(_, value)| value).sum::<i64>();
            (sum("orders"), sum("shop.orders"))
        })
        .collect();
    let total = arrived.iter().fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
    assert_eq!(total.0 + total.1, 3, "{arrived:?}");
    assert_eq!(total, (2, 1), "{arrived:?}");
}

#[test]
fn an_exporter_of_another_type_under_a_name_has_not_failed_before() {
    let push = Otlp::to(&format!("http://{NOBODY}")).interval(HOUR);
    let (telemetry, store, lines) = start(builder().exporter("a", push));
    order(&store);
    telemetry.flush(MINUTE).unwrap_err();
    let printed = Printed::default();
    let print = Stdout::default().interval(HOUR).writer(printed.clone());
    telemetry.reload(builder().exporter("a", print).build().unwrap()).unwrap();
    telemetry.flush(MINUTE).unwrap();
    assert_eq!(printed.values("orders"), [1]);
    telemetry.shutdown().unwrap();
    let lines = lines.lock().unwrap();
    assert!(lines.iter().any(|(_, line)| line.contains("connection refused")), "{lines:?}");
    assert!(!lines.iter().any(|(_, line)| line.contains("again")), "{lines:?}");
}
