//! Exporters at work over one store: both tell the truth, and what goes wrong is said and disturbs nothing else.

mod support;

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use metercast::config::{Otlp, Prometheus};
use metercast::log::Level;
use metercast::{Config, InMemoryReader, Store, Telemetry, metrics, u64_counter};
use support::{NOBODY, Receiver, points, request, scrape, value};

metrics! {
    /// By number.
    static BY_NUMBER: Counter<u64> = "by.number" { labels: { number: i64 } };
    /// Without labels.
    static TOTAL: Counter<u64> = "in.all";
}

fn config(endpoint: &str) -> Config {
    Config::builder()
        .environment(false)
        .exporter("scrape", Prometheus::listen("127.0.0.1:0"))
        .exporter("push", Otlp::to(endpoint))
        .build()
        .unwrap()
}

/// Both exporters over `store`, and nobody listens to what they say.
fn started(receiver: &Receiver, store: &Store) -> Telemetry {
    Telemetry::builder(config(&receiver.endpoint)).store(store.clone()).log(support::log().0).start().unwrap()
}

#[test]
fn eight_threads_and_ten_million_increments_over_a_hundred_series_are_exact_in_both_exporters() {
    let receiver = Receiver::start();
    let store = Store::new();
    let telemetry = started(&receiver, &store);
    let address = telemetry.scrape_address().unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..8)
        .map(|_| {
            let store = store.clone();
            thread::spawn(move || {
                store.scope(|| {
                    for n in 0..1_250_000 {
                        BY_NUMBER.add(1, (n % 100,));
                        TOTAL.add(1);
                    }
                });
            })
        })
        .collect();
    let scraper = thread::spawn({
        let done = Arc::clone(&done);
        move || {
            let mut last = 0.0;
            while !done.load(Ordering::Relaxed) {
                let now = value(&scrape(address), "in_all_total").unwrap_or(0.0);
                assert!(now >= last, "from {last} to {now}");
                last = now;
            }
        }
    });
    while !writers.iter().all(|writer| writer.is_finished()) {
        telemetry.flush(Duration::from_secs(60)).unwrap();
    }
    for writer in writers {
        writer.join().unwrap();
    }
    done.store(true, Ordering::Relaxed);
    scraper.join().unwrap();

    let page = scrape(address);
    assert_eq!(value(&page, "in_all_total"), Some(10_000_000.0));
    for number in 0..100 {
        assert_eq!(value(&page, &format!("by_number_total{{number=\"{number}\"}}")), Some(100_000.0));
    }
    telemetry.shutdown().unwrap();
    let mut last = 0;
    let mut series = Vec::new();
    for message in receiver.messages.try_iter() {
        let now = points(&message, "in.all").first().map_or(0, |(_, value)| *value);
        assert!(now >= last, "from {last} to {now}");
        last = now;
        series = points(&message, "by.number");
    }
    assert_eq!(last, 10_000_000);
    assert_eq!(series.len(), 100);
    assert!(series.iter().all(|(_, value)| *value == 100_000), "{series:?}");
}

#[test]
fn an_address_that_is_taken_is_an_error_that_names_it_and_nothing_runs() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let receiver = Receiver::start();
    let config = Config::builder()
        .environment(false)
        .exporter("scrape", Prometheus::listen(&address.to_string()))
        .exporter("push", Otlp::to(&receiver.endpoint))
        .build()
        .unwrap();
    let error = Telemetry::builder(config).store(Store::new()).log(support::log().0).start().unwrap_err();
    let expected = format!(
        "exporter \"scrape\" cannot listen on {address}: Address already in use (os error 98); free the address, or \
         let the program listen on another"
    );
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.failures().map(|(name, _)| name).collect::<Vec<_>>(), ["scrape"]);
    assert_eq!(format!("{error:?}"), expected, "a main that returns it prints the sentence");
    assert!(receiver.messages.try_iter().next().is_none());
}

#[test]
fn an_address_that_the_machine_does_not_have_cannot_be_freed() {
    // Of the block that is kept for documentation: no machine has it.
    let page = Prometheus::listen("192.0.2.1:9464");
    let config = Config::builder().environment(false).exporter("scrape", page).build().unwrap();
    let error =
        Telemetry::builder(config).store(Store::new()).log(support::log().0).start().unwrap_err().to_string();
    assert!(error.starts_with("exporter \"scrape\" cannot listen on 192.0.2.1:9464: "), "{error}");
    assert!(
        error.ends_with("; this machine does not have the address: let the program listen on another"),
        "{error}"
    );
}

#[test]
fn a_start_that_fails_says_too_what_was_passed_over() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = Config::builder()
        .environment(false)
        .text("shop.toml", "[telemtry.exporters.prometheus]\nlisten = '127.0.0.1:1'\n")
        .exporter("scrape", Prometheus::listen(&taken.local_addr().unwrap().to_string()))
        .build()
        .unwrap();
    let (log, said) = support::log();
    Telemetry::builder(config).store(Store::new()).log(log).start().unwrap_err();
    let said = said.lock().unwrap();
    assert!(
        said.iter().any(|(_, line)| line.contains("shop.toml:1: telemtry: there is no table")),
        "{said:?}"
    );
}

#[test]
fn an_address_whose_port_another_exporter_has_is_an_error_that_names_it() {
    let listen = |page: &str| {
        let pages = Config::builder().environment(false).exporter("own", Prometheus::listen("127.0.0.1:0"));
        let pages = if page.is_empty() { pages } else { pages.exporter("wide", Prometheus::listen(page)) };
        pages.build().unwrap()
    };
    let telemetry = Telemetry::builder(listen("")).store(Store::new()).log(support::log().0).start().unwrap();
    let address = telemetry.scrape_address().unwrap();
    let wide = format!("0.0.0.0:{}", address.port());
    let error = telemetry.reload(listen(&wide)).unwrap_err().to_string();
    let expected = format!(
        "exporter \"wide\" cannot listen on {wide}: exporter \"own\" listens on {address}, and has the port; let the program \
         listen on another"
    );
    assert_eq!(error, expected);
}

#[test]
fn an_error_at_the_end_is_said_once() {
    let (log, lines) = support::log();
    let config = Config::builder()
        .environment(false)
        .exporter("push", Otlp::to(&format!("http://{NOBODY}")).interval(Duration::from_secs(3600)))
        .shutdown_timeout(Duration::from_millis(300))
        .build()
        .unwrap();
    let store = Store::new();
    let telemetry = Telemetry::builder(config).store(store.clone()).log(log).start().unwrap();
    store.scope(|| TOTAL.add(1));
    drop(telemetry);
    let lines = lines.lock().unwrap();
    let errors: Vec<_> = lines.iter().filter(|(level, _)| *level == Level::Error).collect();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].1.starts_with("exporter \"push\": "), "{errors:?}");
}

#[test]
fn the_listener_answers_what_is_not_a_scrape_with_what_to_do() {
    let config = Config::builder()
        .environment(false)
        .self_metrics(false)
        .exporter("scrape", Prometheus::listen("127.0.0.1:0").path("/m"))
        .build()
        .unwrap();
    let telemetry = Telemetry::builder(config).store(Store::new()).log(support::log().0).start().unwrap();
    let address = telemetry.scrape_address().unwrap();
    let (head, body) = request(address, "GET", "/other");
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");
    assert_eq!(body, "there is nothing at /other; the metrics are at /m\n");
    let (head, _) = request(address, "POST", "/m");
    assert!(head.starts_with("HTTP/1.1 405") && head.contains("allow: GET, HEAD"), "{head}");
    let (head, body) = request(address, "HEAD", "/m");
    assert!(head.starts_with("HTTP/1.1 200") && body.is_empty(), "{head}");
    let (head, body) = request(address, "GET", "/m?name[]=x");
    assert!(head.starts_with("HTTP/1.1 200") && body.is_empty(), "{head}");
    assert_eq!(telemetry.scrape_url(), Some(format!("http://{address}/m")));
}

#[test]
fn a_collector_that_is_down_is_said_once_and_costs_no_count() {
    let store = Store::new();
    let (log, lines) = support::log();
    let telemetry = Telemetry::builder(config(&format!("http://{NOBODY}")))
        .store(store.clone())
        .log(log)
        .start()
        .unwrap();
    store.scope(|| u64_counter!("kept", "Kept", 5));
    for _ in 0..3 {
        let error = telemetry.flush(Duration::from_secs(30)).unwrap_err();
        assert_eq!(error.failures().map(|(name, _)| name).collect::<Vec<_>>(), ["push"]);
    }
    let errors: Vec<String> = lines
        .lock()
        .unwrap()
        .iter()
        .filter(|(level, _)| *level == Level::Error)
        .map(|(_, line)| line.clone())
        .collect();
    assert_eq!(errors.len(), 1, "{errors:?}");
    for fact in ["\"push\"", &format!("http://{NOBODY}/v1/metrics"), "refused", "collector"] {
        assert!(errors[0].contains(fact), "{fact}: {errors:?}");
    }
    let page = scrape(telemetry.scrape_address().unwrap());
    assert_eq!(value(&page, "kept_total"), Some(5.0));
    let failed = page
        .lines()
        .find(|line| line.starts_with("otel_sdk_exporter_metric_data_point_exported_total"))
        .unwrap();
    assert!(
        failed.contains("error_type=\"connect\"") && failed.contains("otel_component_name=\"push\""),
        "{failed}"
    );
}

#[test]
fn every_problem_of_the_record_side_is_logged_once_however_many_exporters_read() {
    let receiver = Receiver::start();
    let store = Store::new();
    let (log, lines) = support::log();
    let telemetry =
        Telemetry::builder(config(&receiver.endpoint)).store(store.clone()).log(log).start().unwrap();
    store.scope(|| u64_counter!("not valid", "Not valid", 1));
    for _ in 0..2 {
        scrape(telemetry.scrape_address().unwrap());
        telemetry.flush(Duration::from_secs(30)).unwrap();
    }
    let warnings: Vec<String> = lines
        .lock()
        .unwrap()
        .iter()
        .filter(|(level, _)| *level == Level::Warn)
        .map(|(_, line)| line.clone())
        .collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("\"not valid\"") && warnings[0].contains("exporters.rs:"), "{warnings:?}");
}

#[test]
fn disabled_means_that_nothing_runs_and_nothing_is_kept() {
    let variables = [("OTEL_SDK_DISABLED".to_owned(), "true".to_owned())];
    let config = Config::builder().variables(variables).build().unwrap();
    let store = Store::new();
    let telemetry = Telemetry::builder(config).store(store.clone()).log(support::log().0).start().unwrap();
    assert_eq!(telemetry.scrape_address(), None);
    store.scope(|| u64_counter!("off", "Off", 1));
    assert!(InMemoryReader::new(store).collect().families.is_empty());
    telemetry.flush(Duration::ZERO).unwrap();
    telemetry.shutdown().unwrap();
}

#[test]
fn dropping_the_telemetry_pushes_what_there_is() {
    let receiver = Receiver::start();
    let store = Store::new();
    let telemetry = started(&receiver, &store);
    store.scope(|| u64_counter!("last", "Last", 7));
    drop(telemetry);
    let message = receiver.messages.try_iter().last().unwrap();
    assert_eq!(points(&message, "last"), [(String::new(), 7)]);
}

#[test]
fn the_exporters_may_stop_and_start_again_over_the_same_counts() {
    let store = Store::new();
    for round in 1..=3u64 {
        let receiver = Receiver::start();
        let telemetry = started(&receiver, &store);
        store.scope(|| u64_counter!("rounds", "Rounds", 1));
        assert_eq!(value(&scrape(telemetry.scrape_address().unwrap()), "rounds_total"), Some(round as f64));
        telemetry.shutdown().unwrap();
        let message = receiver.messages.try_iter().last().unwrap();
        assert_eq!(points(&message, "rounds"), [(String::new(), round as i64)]);
    }
}
