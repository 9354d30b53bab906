//! Reloads that go wrong, that come at a bad time, and exporters that cannot start: what runs goes on, and who asked is told.

mod support;

use std::net::TcpListener;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use conformance::program::free_address;
use metercast::config::{OnError, Otlp, Prometheus, Pushgateway, Stdout};
use metercast::log::Level;
use metercast::view::View;
use metercast::{Config, ExporterChange, Log, Store, Telemetry, metrics};
#[cfg(target_os = "linux")]
use support::reload::threads;
use support::reload::{Client, HOUR, MINUTE, builder, order, page, start};
use support::{NOBODY, Receiver, Reply, points, request, scrape, value};

#[test]
fn a_reload_that_fails_changes_nothing_and_leaves_nothing_behind() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let free = free_address();
    let receiver = Receiver::start();
    let push = || Otlp::to(&receiver.endpoint).interval(HOUR);
    let (telemetry, store, lines) = start(builder().exporter("kept", page()).exporter("push", push()));
    let address = telemetry.scrape_address().unwrap();
    let mut client = Client::connect(address);
    let configuration = builder()
        .self_metrics(false)
        .exporter("failing-new", Prometheus::listen(&free))
        .exporter("failing-push", push())
        .exporter("failing-print", Stdout::default().interval(HOUR))
        .exporter("kept", page().path("/elsewhere"))
        .exporter("taken", Prometheus::listen(&taken.local_addr().unwrap().to_string()))
        .build()
        .unwrap();
    for _ in 0..3 {
        let error = telemetry.reload(configuration.clone()).unwrap_err();
        assert_eq!(error.failures().map(|(name, _)| name).collect::<Vec<_>>(), ["taken"]);
        assert!(telemetry.plan_reload(&configuration).is_err());
    }
    #[cfg(target_os = "linux")]
    assert_eq!((threads("metercast-faili"), threads("metercast-taken")), (0, 0));
    assert!(TcpListener::bind(&free).is_ok(), "the port is free again");
    order(&store);
    let (status, page) = client.get("/metrics", "").unwrap();
    assert_eq!((status, value(&page, "orders_total")), (200, Some(1.0)));
    assert_eq!(value(&page, "metercast_config_last_reload_successful"), Some(0.0));
    assert_eq!(value(&page, "metercast_config_last_reload_success_timestamp_seconds"), None);
    telemetry.flush(MINUTE).unwrap();
    assert_eq!(points(&receiver.messages.recv_timeout(MINUTE).unwrap(), "orders")[0].1, 1);
    let lines = lines.lock().unwrap();
    let refused: Vec<_> = lines.iter().filter(|(level, _)| *level == Level::Error).collect();
    assert_eq!(refused.len(), 3, "{lines:?}");
    assert!(
        refused[0].1.starts_with("configuration not reloaded by the program, the old one holds: exporter \"taken\" cannot listen on"),
        "{refused:?}"
    );
    drop(lines);
    // Once the address is free it goes well.
    drop(taken);
    telemetry.reload(configuration).unwrap();
    assert_eq!(client.get("/elsewhere", "").unwrap().0, 200);
}

#[test]
fn a_push_that_hangs_neither_holds_up_a_reload_nor_keeps_what_it_has() {
    let (old, new) = (Receiver::replying(|| Reply::Hang), Receiver::start());
    let config = |endpoint: &str| {
        let push = Otlp::to(endpoint).interval(HOUR).timeout(Duration::ZERO);
        builder().shutdown_timeout(Duration::from_millis(200)).exporter("push", push)
    };
    let (telemetry, store, _) = start(config(&old.endpoint));
    order(&store);
    thread::scope(|scope| {
        let flushed = scope.spawn(|| telemetry.flush(MINUTE));
        assert_eq!(old.replies.recv_timeout(MINUTE), Ok(Reply::Hang));
        telemetry.reload(config(&new.endpoint).build().unwrap()).unwrap();
        assert_eq!(points(&new.messages.recv_timeout(MINUTE).unwrap(), "orders")[0].1, 1);
        // Who had asked before gets what the new settings bring.
        flushed.join().unwrap().unwrap();
    });
    telemetry.shutdown().unwrap();
}

#[test]
fn a_shutdown_waits_for_what_a_reload_has_removed_and_says_what_does_not_end() {
    let (gate, opens) = mpsc::channel::<()>();
    let slow = Receiver::replying(move || {
        let _ = opens.recv();
        Reply::Taken
    });
    let push = Otlp::to(&slow.endpoint).interval(HOUR).timeout(Duration::ZERO);
    let (telemetry, store, _) = start(builder().exporter("slow", push.clone()));
    order(&store);
    telemetry.reload(builder().exporter("page", page()).build().unwrap()).unwrap();
    let error = telemetry.shutdown_within(Duration::ZERO).unwrap_err();
    assert_eq!(
        error.to_string(),
        "exporter \"slow\": was removed by a reload, and has not handed over what it had in time"
    );
    drop(gate);
    assert_eq!(points(&slow.messages.recv_timeout(MINUTE).unwrap(), "orders")[0].1, 1);

    let receiver = Receiver::start();
    let push = Otlp::to(&receiver.endpoint).interval(HOUR);
    let (telemetry, store, _) = start(builder().exporter("quick", push));
    order(&store);
    telemetry.reload(builder().exporter("page", page()).build().unwrap()).unwrap();
    telemetry.shutdown().unwrap();
    assert_eq!(points(&receiver.messages.try_recv().unwrap(), "orders")[0].1, 1);
}

#[test]
fn what_cannot_start_is_said_where_the_others_run_on_and_is_tried_again_by_each_reload() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let blocked = Prometheus::listen(&taken.local_addr().unwrap().to_string());
    let configuration = |path: &str| {
        builder()
            .on_error(OnError::Degrade)
            .exporter("blocked", blocked.clone())
            .exporter("page", page().path(path))
    };
    assert!(
        Telemetry::builder(configuration("/m").on_error(OnError::Fail).build().unwrap()).start().is_err()
    );
    let (telemetry, _, lines) = start(configuration("/metrics"));
    let failures = telemetry.failures();
    assert!(
        matches!(&failures[..], [(name, cause)] if name == "blocked" && cause.starts_with("cannot listen on"))
    );
    let errors = || lines.lock().unwrap().iter().filter(|(level, _)| *level == Level::Error).count();
    assert_eq!(errors(), 1);
    assert!(lines.lock().unwrap()[0].1.ends_with("; the others run"), "{lines:?}");
    scrape(telemetry.scrape_address().unwrap());
    let reloaded = telemetry.reload(configuration("/m").build().unwrap()).unwrap();
    assert!(matches!(reloaded.exporter("blocked"), Some(ExporterChange::Failed(_))));
    assert_eq!(reloaded.exporter("page"), Some(&ExporterChange::Changed(vec!["path"])));
    // What runs is not given up for what does not.
    let worse = configuration("/m").exporter("page", blocked.clone()).without_exporter("blocked");
    assert!(telemetry.reload(worse.build().unwrap()).is_err());
    assert_eq!(request(telemetry.scrape_address().unwrap(), "GET", "/m").0.split(' ').nth(1), Some("200"));
    drop(taken);
    let reloaded = telemetry.reload(configuration("/m").build().unwrap()).unwrap();
    assert_eq!(reloaded.exporter("blocked"), Some(&ExporterChange::Added));
    assert!(telemetry.failures().is_empty());
}

#[test]
fn a_private_exporter_disturbs_nobody_and_nobody_disturbs_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let vendor = Receiver::start();
    let own = Receiver::start();
    let configuration = |service: &str, environment: &str| {
        let variables =
            [("OTEL_EXPORTER_OTLP_ENDPOINT", environment), ("OTEL_EXPORTER_OTLP_HEADERS", "x-a=1")];
        Config::builder()
            .variables(variables.map(|(name, value)| (name.to_owned(), value.to_owned())))
            .service(service, "1")
            .shutdown_timeout(Duration::from_millis(200))
            .private_exporter("vendor", Otlp::to(&vendor.endpoint).interval(HOUR))
            .private_exporter("vendor-down", Otlp::to(&format!("http://{NOBODY}")).interval(HOUR))
            .private_exporter("vendor-page", Prometheus::listen(&taken.local_addr().unwrap().to_string()))
            .exporter("page", page())
    };
    let (telemetry, store, lines) = start(configuration("a", &own.endpoint));
    order(&store);
    // One that cannot start and one that cannot push are nobody's business.
    assert!(telemetry.failures().is_empty());
    telemetry.flush(Duration::from_secs(2)).unwrap();
    for receiver in [&vendor, &own] {
        let message = receiver.messages.recv_timeout(MINUTE).unwrap();
        assert_eq!(points(&message, "orders")[0].1, 1);
    }
    let page = scrape(telemetry.scrape_address().unwrap());
    let failures = "metercast_exporter_failures_total{otel_component_name=\"vendor-down\",\
                    otel_component_type=\"otlp_http_metric_exporter\"}";
    assert!(value(&page, failures).unwrap() >= 1.0, "{page}");
    // What the user says of the process and of other exporters is not its own.
    let other = Receiver::start();
    let reloaded = telemetry.reload(configuration("b", &other.endpoint).build().unwrap()).unwrap();
    assert_eq!(reloaded.to_string(), "otlp: endpoint, resource changed; page: unchanged");
    order(&store);
    telemetry.flush(Duration::from_secs(2)).unwrap();
    assert_eq!(points(&vendor.messages.recv_timeout(MINUTE).unwrap(), "orders")[0].1, 2);
    assert!(points(&other.messages.recv_timeout(MINUTE).unwrap(), "orders")[0].1 >= 1);
    // But for the one switch.
    let off = configuration("b", &other.endpoint)
        .text("a.toml", "[telemetry.exporters.vendor-down]\nenabled = false");
    let reloaded = telemetry.reload(off.build().unwrap()).unwrap();
    assert_eq!(reloaded.exporter("vendor-down"), Some(&ExporterChange::Removed));
    assert_eq!(reloaded.exporter("vendor"), None);
    telemetry.shutdown().unwrap();
    let lines = lines.lock().unwrap();
    let is_vendors = |line: &str| line.contains("vendor");
    assert!(lines.iter().any(|(level, line)| *level == Level::Debug && is_vendors(line)), "{lines:?}");
    let removed = "vendor-down: removed";
    let loud =
        lines.iter().filter(|(level, line)| *level > Level::Debug && is_vendors(&line.replace(removed, "")));
    assert_eq!(loud.count(), 0, "{lines:?}");
    assert!(lines.iter().all(|(level, _)| *level < Level::Warn), "{lines:?}");
}

metrics! {
    static WAITS: Histogram<f64> = "waits" { unit: "s", labels: { side: &str } };
}

/// Whether what is recorded now is kept in exponential buckets.
fn is_exponential(store: &Store) -> bool {
    store.scope(|| WAITS.record(0.5, ("buy",)));
    let mut is_exponential = false;
    store.read(|reading| {
        for family in reading.families().filter(|family| family.definition().name() == "waits") {
            family.each(|series| is_exponential |= series.exponential().is_some());
        }
    });
    is_exponential
}

#[test]
fn a_plan_and_a_reload_that_is_refused_ask_the_store_for_no_buckets() {
    let receiver = Receiver::start();
    let (telemetry, store, _) = start(builder().exporter("page", page()));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = Prometheus::listen(&taken.local_addr().unwrap().to_string());
    let exponential = || View::of("waits").exponential();
    let gateway = Pushgateway::to("http://127.0.0.1:1", "job").interval(HOUR);
    let with = |kind: &str| match kind {
        "print" => builder().exporter("new", Stdout::default().interval(HOUR).view(exponential())),
        "push" => builder().exporter("new", Otlp::to(&receiver.endpoint).interval(HOUR).view(exponential())),
        "gateway" => builder().exporter("new", gateway.clone().view(exponential())),
        _ => builder().exporter("new", page().view(exponential())),
    };
    for kind in ["print", "push", "gateway", "page"] {
        let next = with(kind).exporter("page", page()).build().unwrap();
        telemetry.plan_reload(&next).unwrap();
        assert!(!is_exponential(&store), "planned {kind}");
        let refused = with(kind).exporter("page", page()).exporter("taken", taken.clone()).build().unwrap();
        telemetry.reload(refused).unwrap_err();
        assert!(!is_exponential(&store), "refused {kind}");
    }
    for kind in ["print", "push", "gateway", "page"] {
        let (telemetry, store, _) = start(builder().exporter("page", page()));
        telemetry.reload(with(kind).build().unwrap()).unwrap();
        // From the moment on at which the reload is over.
        assert!(is_exponential(&store), "reloaded {kind}");
    }
}

#[test]
fn a_log_may_plan_a_reload_whatever_it_is_told() {
    type Handle = Arc<Mutex<Option<Arc<Telemetry>>>>;
    let (telemetry, (told, is_told)) = (Handle::default(), mpsc::channel());
    let plain = || builder().exporter("page", page()).build().unwrap();
    let log = Log::to({
        let telemetry = Arc::clone(&telemetry);
        move |_, line| {
            let telemetry = telemetry.lock().unwrap().clone();
            let planned = telemetry.map(|telemetry| telemetry.plan_reload(&plain()).is_ok());
            told.send((line.to_owned(), planned)).unwrap();
        }
    });
    let started = Telemetry::builder(plain()).store(Store::new()).log(log).start().unwrap();
    let started = Arc::new(started);
    *telemetry.lock().unwrap() = Some(Arc::clone(&started));
    is_told.try_iter().for_each(drop);
    let next = builder().text("app.toml", "[telemetri]\n").exporter("page", page()).build().unwrap();
    assert!(!next.warnings().is_empty());
    thread::spawn(move || started.reload(next).unwrap());
    for part in ["no table", "configuration reloaded"] {
        let (line, planned) = is_told.recv_timeout(MINUTE).unwrap();
        assert!(line.contains(part), "{line}");
        assert_eq!(planned, Some(true));
    }
    telemetry.lock().unwrap().take();
}
