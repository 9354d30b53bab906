//! A configuration that changes while the program runs: only what it names is touched, and no count is lost or begins anew.

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use metercast::config::{ConfigBuilder, OnError, Otlp, Prometheus, Stdout, TemporalityPreference};
use metercast::log::Level;
use metercast::view::View;
use metercast::{Config, ExporterChange, Store, Telemetry, u64_counter};
use support::{Lines, Receiver, Reply, points, request, scrape, value};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

fn builder() -> ConfigBuilder {
    Config::builder().environment(false)
}

fn page() -> Prometheus {
    Prometheus::listen("127.0.0.1:0")
}

fn start(builder: ConfigBuilder) -> (Telemetry, Store, Lines) {
    let (store, (log, lines)) = (Store::new(), support::log());
    let telemetry =
        Telemetry::builder(builder.build().unwrap()).store(store.clone()).log(log).start().unwrap();
    (telemetry, store, lines)
}

fn order(store: &Store) {
    store.scope(|| u64_counter!("orders", "Orders", 1));
}

/// How many threads of the process have names that begin so.
#[cfg(target_os = "linux")]
fn threads(prefix: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok());
    names.filter(|name| name.starts_with(prefix)).count()
}

/// A connection that is kept.
struct Client(TcpStream);

impl Client {
    fn connect(address: SocketAddr) -> Client {
        Client(TcpStream::connect(address).unwrap())
    }

    /// Status and body of the answer; nothing if the connection was closed.
    fn get(&mut self, path: &str, token: &str) -> Option<(u16, String)> {
        write!(self.0, "GET {path} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\n\r\n").ok()?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).ok()?;
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        self.0.read_exact(&mut body).unwrap();
        Some((head[9..12].parse().unwrap(), String::from_utf8(body).unwrap()))
    }
}

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
fn a_reload_that_fails_changes_nothing_and_leaves_nothing_behind() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let receiver = Receiver::start();
    let push = || Otlp::to(&receiver.endpoint).interval(HOUR);
    let (telemetry, store, lines) = start(builder().exporter("kept", page()).exporter("push", push()));
    let address = telemetry.scrape_address().unwrap();
    let mut client = Client::connect(address);
    let configuration = builder()
        .self_metrics(false)
        .exporter("failing-new", Prometheus::listen(&free.to_string()))
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
    assert!(TcpListener::bind(free).is_ok(), "the port is free again");
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

/// What was printed.
#[derive(Clone, Default)]
struct Printed(Arc<Mutex<Vec<u8>>>);

impl Printed {
    /// The values of a metric, one for each line.
    fn values(&self, metric: &str) -> Vec<u64> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        lines.filter(|line| line["name"] == metric).map(|line| line["value"].as_u64().unwrap()).collect()
    }
}

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
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
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
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
            .private_exporter("vendor-down", Otlp::to(&format!("http://{nobody}")).interval(HOUR))
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
        .toml("a.toml", "[telemetry.exporters.vendor-down]\nenabled = false");
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
