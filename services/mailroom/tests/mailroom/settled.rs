//! The profile `settled`: five figures of the week that is over, by a clock that the test moves.

use std::time::{Duration, UNIX_EPOCH};

use conformance::http;
use conformance::program::Folder;
use mailroom::Settings;
use metercast_tower::{MockClock, Store};

use crate::support::{self, Collector, Got, Mailroom, settings, until};

const DAY: Duration = Duration::from_secs(86_400);
/// Monday, 4 March 2024.
const MONDAY: Duration = Duration::from_secs(1_709_510_400);

/// Runs a mailroom from that time on, as long as `act` does, which gets its URL and its clock.
fn run(settings: &Settings, time: Duration, act: impl FnOnce(&str, &MockClock)) {
    let clock = MockClock::at(UNIX_EPOCH + time);
    support::run(settings, &Store::with_clock(&clock), |url| act(url, &clock)).unwrap();
}

fn ask(url: &str, method: &str, path: &str) -> u16 {
    http::ask(&format!("{url}{path}"), method, "", b"x").unwrap().0
}

/// A few requests of `boxes` mailboxes.
fn requests(url: &str, boxes: u64) {
    let name = |number: u64| format!("/qqqqqqqqqqqq{}", char::from(b"qpzry9x8gf2tvdw0"[number as usize]));
    (0..boxes).for_each(|number| assert_eq!(ask(url, "POST", &name(number)), 200));
    (0..boxes).for_each(|number| assert_eq!(ask(url, "GET", &name(number)), 200));
    assert_eq!(ask(url, "GET", "/nothing"), 404);
}

/// Waits until these are pushed, which is each hour by the same clock.
fn expect(collector: &Collector, expected: &[String]) {
    until(&format!("{expected:?}"), || {
        (collector.got().last().map(Got::lines).as_deref() == Some(expected)).then_some(())
    });
}

/// The figures of a week.
fn figures(requests: u64, entries: u64, boxes: u64) -> Vec<String> {
    vec![
        "bootstrap_tunnel_sheds_weekly 0".to_owned(),
        format!("db_entries_weekly {entries}"),
        format!("http_requests_started_weekly {requests}"),
        format!("http_requests_weekly {requests}"),
        format!("unique_short_ids_weekly {boxes}"),
    ]
}

#[test]
fn what_came_in_a_week_leaves_in_the_next_one_and_nothing_else_ever_does() {
    let (collector, folder) = (Collector::new(None), Folder::new());
    let config = format!(
        "[telemetry]\nendpoint = '{}'\nauth_token = 't'\noperator_domain = 'example.org'\nprofile = 'settled'\ninterval_secs = 3600\n",
        collector.url
    );
    let settings = settings(&folder, &config);
    // Week N, from Tuesday on: what came before is not known.
    run(&settings, MONDAY + DAY, |url, clock| {
        requests(url, 3);
        clock.advance(2 * DAY);
    });
    // Another start in the same week.
    run(&settings, MONDAY + 4 * DAY, |url, clock| {
        requests(url, 4);
        clock.advance(2 * DAY);
    });
    assert!(collector.distinct().is_empty(), "nothing of a week that runs");
    run(&settings, MONDAY + 6 * DAY, |url, clock| {
        clock.advance(DAY);
        // Week N + 1; the boxes are of both starts, three of them of either.
        expect(&collector, &figures(7 + 9, 3 + 4, 4));
        requests(url, 1);
        clock.advance(DAY);
    });
    // It survives another start.
    run(&settings, MONDAY + 9 * DAY, |url, clock| {
        requests(url, 2);
        clock.advance(DAY);
    });
    assert_eq!(collector.distinct(), [figures(16, 7, 4)], "and all week there is nothing else");
    run(&settings, MONDAY + 13 * DAY, |_, clock| {
        clock.advance(DAY);
        expect(&collector, &figures(3 + 5, 1 + 2, 2));
    });
    assert_eq!(collector.distinct(), [figures(16, 7, 4), figures(8, 3, 2)]);
    for got in collector.got() {
        let resource = got.resource();
        let keys: Vec<&str> = resource.keys().map(String::as_str).collect();
        // A request without metrics has no resource either.
        assert!(keys.is_empty() || keys == ["operator.domain", "service.name"], "{keys:?}");
        for metric in got.metrics() {
            assert_eq!(got.kind(&metric.name), "gauge", "{}", metric.name);
        }
        assert!(!got.lines().iter().any(|line| line.contains('{')), "no figure has attributes");
    }
}

#[test]
fn in_its_first_week_a_mailroom_has_nothing_to_tell_and_says_nothing_of_that() {
    let collector = Collector::new(None);
    let config = format!(
        "[telemetry]\nendpoint = '{}'\nauth_token = 't'\noperator_domain = 'o'\nprofile = 'settled'\ninterval_secs = 1\n",
        collector.url
    );
    let mailroom = Mailroom::start(&config, &[]);
    assert_eq!(mailroom.ask("POST", "/qqqqqqqqqqqqq", "x").0, 200);
    let (status, _, said) = mailroom.end();
    assert!(status.success(), "{status}");
    assert!(!said.contains("matches no metric"), "{said}");
    assert!(collector.distinct().is_empty());
}

#[test]
fn small_figures_do_not_leave_and_the_others_are_rounded() {
    let (collector, folder) = (Collector::new(None), Folder::new());
    let config = format!(
        "[telemetry]\nendpoint = '{}'\nauth_token = 't'\noperator_domain = 'o'\nprofile = 'settled'\ninterval_secs = 3600\nat_least = 10\nround_to = 5\n",
        collector.url
    );
    let settings = settings(&folder, &config);
    run(&settings, MONDAY, |url, clock| {
        requests(url, 8);
        clock.advance(7 * DAY);
        let large = ["http_requests_started_weekly 15", "http_requests_weekly 15"];
        expect(&collector, &large.map(str::to_owned));
    });
}
