//! Figures leave when their period is over, once, as they are to be, and nothing else leaves.

use std::time::{Duration, UNIX_EPOCH};

use conformance::program::Folder;
use metercast::config::{Config, Otlp, ResourceAttributes};
use metercast::view::{Audit, Filter, Projection};
use metercast::{KeyValue, MockClock, Store, assert_lets_out, metrics, u64_counter};
use metercast_periods::{Interval, Periods, UniqueCount, Window};

metrics! {
    /// Requests
    static REQUESTS: Counter<u64> = "http_requests_total" { labels: { path: &str } };
    /// In flight
    static IN_FLIGHT: UpDownCounter<i64> = "http_requests_in_flight";
    /// Different ids of late
    static IDS: ObservableGauge<u64> = "unique_short_ids" { labels: { interval: Interval } };
    /// Requests of the last week
    static REQUESTS_WEEKLY: ObservableGauge<u64> = "http_requests_weekly";
    /// Different ids of the last week
    static IDS_WEEKLY: ObservableGauge<u64> = "unique_short_ids_weekly";
    /// A total that somebody else keeps
    static HITS: ObservableCounter<u64> = "hits";
}

const DAY: Duration = Duration::from_secs(86_400);
const WEEK: Duration = Duration::from_secs(7 * 86_400);
/// Monday, 4 March 2024.
const MONDAY: Duration = Duration::from_secs(1_709_510_400);

fn at(time: Duration) -> (MockClock, Store) {
    let clock = MockClock::at(UNIX_EPOCH + time);
    let store = Store::with_clock(&clock);
    (clock, store)
}

fn open(store: &Store, folder: &Folder) -> Periods {
    Periods::builder().store(store.clone()).state(folder.path().join("state")).open().unwrap()
}

fn request(store: &Store, path: &str, times: u64) {
    store.scope(|| REQUESTS.add(times, (path,)));
}

#[test]
fn what_comes_in_a_week_is_a_figure_of_the_next_week_and_of_no_other() {
    for window in [Window::Hour, Window::Day, Window::Week, Window::Month] {
        let (clock, store) = at(MONDAY);
        let periods = Periods::builder().store(store.clone()).open().unwrap();
        let (settled, ids) = (periods.settled("http_requests_total", window), periods.unique("ids"));
        let ids_settled = ids.settled(window);
        let figures = || (settled.figure(), ids_settled.figure());
        let to_the_last_second = || {
            let left = window.start(window.index(store.time()) + 1).duration_since(clock.time()).unwrap();
            clock.advance(left - Duration::from_secs(1));
        };
        let mut before = (None, None);
        for (came, who) in [(3, &["a", "b"][..]), (0, &[]), (7, &["a"]), (1, &["c", "d", "e"])] {
            request(&store, "/", came);
            request(&store, "/other", came);
            who.iter().for_each(|id| ids.record(id));
            assert_eq!(figures(), before, "{window}: while it runs it is nobody's");
            to_the_last_second();
            assert_eq!(figures(), before, "{window}: up to its last second");
            request(&store, "/", 1);
            ids.record("last");
            clock.advance(Duration::from_secs(1));
            before = (Some(2 * came + 1), Some(who.len() as u64 + 1));
            assert_eq!(figures(), before, "{window}: it is over");
        }
    }
}

#[test]
fn figures_outlive_the_program_and_what_was_under_way_goes_on() {
    let folder = Folder::new();
    let (clock, store) = at(MONDAY + DAY);
    let periods = open(&store, &folder);
    let (weekly, ids) = (periods.settled("http_requests_total", Window::Week), periods.unique("ids"));
    request(&store, "/", 5);
    ids.record("a");
    periods.shutdown().unwrap();
    assert_eq!(weekly.figure(), None);
    drop((clock, store));

    // Another program, later in the week, whose counters begin at zero.
    let (clock, store) = at(MONDAY + 3 * DAY);
    request(&store, "/", 100);
    let periods = open(&store, &folder);
    let (weekly, ids) = (periods.settled("http_requests_total", Window::Week), periods.unique("ids"));
    request(&store, "/", 2);
    ids.record("a");
    ids.record("b");
    assert_eq!((weekly.figure(), ids.count(Window::Week)), (None, 2));
    clock.advance(4 * DAY);
    assert_eq!((weekly.figure(), ids.completed(Window::Week)), (Some(7), Some(2)));
    drop(periods);

    let (clock, store) = at(MONDAY + 8 * DAY);
    let periods = open(&store, &folder);
    let (weekly, ids) = (periods.settled("http_requests_total", Window::Week), periods.unique("ids"));
    assert_eq!((weekly.figure(), ids.completed(Window::Week)), (Some(7), Some(2)), "it survives");
    clock.advance(WEEK);
    assert_eq!((weekly.figure(), ids.completed(Window::Week)), (Some(0), Some(0)), "that is over, too");
    drop(periods);

    // Nobody asks for it for a while.
    let (_, store) = at(MONDAY + 10 * DAY);
    drop(open(&store, &folder));
}

#[test]
fn a_clock_that_is_a_little_back_at_the_next_start_changes_no_figure() {
    let folder = Folder::new();
    let program = |time: Duration, times: u64| {
        let (_clock, store) = at(time);
        let periods = open(&store, &folder);
        let weekly = periods.settled("http_requests_total", Window::Week);
        request(&store, "/", times);
        periods.flush().unwrap();
        weekly.figure()
    };
    assert_eq!(program(MONDAY - Duration::from_secs(5), 3), None);
    assert_eq!(program(MONDAY + Duration::from_secs(5), 4), Some(3));
    assert_eq!(program(MONDAY - Duration::from_secs(5), 5), Some(3), "what was seen stays");
    assert_eq!(program(MONDAY + Duration::from_secs(6), 6), Some(3));
    assert_eq!(program(MONDAY + WEEK, 0), Some(15));
}

#[test]
fn a_state_that_nobody_asks_for_is_kept_as_long_as_it_means_something() {
    let folder = Folder::new();
    let (_, store) = at(MONDAY + DAY);
    let periods = open(&store, &folder);
    let (_weekly, ids) = (periods.settled("http_requests_total", Window::Week), periods.unique("ids"));
    request(&store, "/", 5);
    ids.record("a");
    periods.shutdown().unwrap();

    let (_, store) = at(MONDAY + 8 * DAY);
    open(&store, &folder).shutdown().unwrap();
    let periods = open(&store, &folder);
    assert_eq!(periods.settled("http_requests_total", Window::Week).figure(), Some(5));
    assert_eq!(periods.unique("ids").completed(Window::Week), Some(1));
    periods.shutdown().unwrap();

    let (_, store) = at(MONDAY + 200 * DAY);
    open(&store, &folder).shutdown().unwrap();
    let length = std::fs::metadata(folder.path().join("state")).unwrap().len();
    assert_eq!(length, 44, "head, fingerprint, two empty lists, checksum");
}

#[test]
fn few_are_left_out_and_the_others_are_rounded() {
    let (clock, store) = at(MONDAY);
    let periods = Periods::builder().store(store.clone()).open().unwrap();
    let of = |least, multiple| {
        periods.settled_by("http_requests_total", Window::Day, ["path"]).at_least(least).round_to(multiple)
    };
    let (plain, careful, careful_as_whole) =
        (of(0, 0), of(10, 5), periods.settled("http_requests_total", Window::Day).at_least(13));
    request(&store, "/a", 9);
    request(&store, "/b", 10);
    request(&store, "/c", 13);
    clock.advance(DAY);
    let label = |path: &str| [path.to_owned()];
    assert_eq!(plain.figures(), [(label("/a"), 9), (label("/b"), 10), (label("/c"), 13)]);
    assert_eq!(careful.figures(), [(label("/b"), 10), (label("/c"), 15)]);
    assert_eq!(careful_as_whole.figure(), Some(32));
    request(&store, "/", 12);
    clock.advance(DAY);
    assert_eq!(careful_as_whole.figure(), None);
}

#[test]
fn what_a_removed_series_counted_before_is_in_the_figure_once() {
    let (clock, store) = at(MONDAY);
    let periods = Periods::builder().store(store.clone()).open().unwrap();
    let daily = periods.settled("removed", Window::Day);
    for round in 0..5 {
        store.scope(|| u64_counter!("removed", "", 2, "who" => String::from("a")));
        store.scope(|| u64_counter!("removed", "", 1, "who" => String::from("b")));
        periods.flush().unwrap();
        assert!(store.remove("removed", [KeyValue::new("who", "a")]), "{round}");
        // Its start tells a series from the one before.
        clock.advance(Duration::from_millis(1));
    }
    clock.advance(DAY);
    assert_eq!(daily.figure(), Some(15));
}

#[test]
fn totals_that_others_keep_may_fall_or_be_away_for_a_while() {
    let (clock, store) = at(MONDAY);
    let total = std::sync::Arc::new(std::sync::Mutex::new(Some(100)));
    let said = total.clone();
    let _hits = store.scope(|| {
        HITS.observe(move |o| {
            if let Some(total) = *said.lock().unwrap() {
                o.set(total);
            }
        })
    });
    let periods = Periods::builder().store(store.clone()).open().unwrap();
    let daily = periods.settled("hits", Window::Day);
    for now in [Some(103), None, None, None, None, Some(104), Some(2), Some(5)] {
        *total.lock().unwrap() = now;
        periods.flush().unwrap();
    }
    clock.advance(DAY);
    assert_eq!(
        daily.figure(),
        Some(3 + 1 + 3),
        "what was there when counting began does not count, nor what it fell to"
    );
}

#[test]
fn more_label_sets_than_there_is_room_for_are_one() {
    let (clock, store) = at(MONDAY);
    let periods = Periods::builder().store(store.clone()).open().unwrap();
    let daily = periods.settled_by("http_requests_total", Window::Day, ["path"]);
    store.set_limits(5_000, 10_000);
    (0..1_500).for_each(|n| request(&store, &format!("/{n}"), 2));
    clock.advance(DAY);
    let figures = daily.figures();
    assert_eq!((figures.len(), figures.iter().map(|(_, count)| count).sum::<u64>()), (1_001, 3_000));
    assert!(figures.contains(&(["other".to_owned()], 1_000)));
}

#[test]
fn nothing_leaves_but_what_is_settled_and_no_id_is_anywhere() {
    let folder = Folder::new();
    let (clock, store) = at(MONDAY);
    let ids = ["qqqqqqqqqqqqq", "ppppppppppppp"];
    let entered = store.enter();
    let periods = open(&store, &folder);
    let count: UniqueCount = periods.unique("short_ids");
    let _shown = (
        count.observe(&IDS),
        count.settled(Window::Week).observe(&IDS_WEEKLY),
        periods.settled("http_requests_total", Window::Week).observe(&REQUESTS_WEEKLY),
    );
    ids.iter().for_each(|id| count.record(id));
    request(&store, "/{mailbox}", 2);
    IN_FLIGHT.add(1);
    let resource = ResourceAttributes::only(["service.name"]);
    let filter = Filter::new().include("http_requests_weekly").include("unique_short_ids_weekly");
    let projection = Projection::new().filter(filter);
    let names: [&str; 0] = [];
    assert_lets_out!(projection, names);
    clock.advance(WEEK);
    assert_lets_out!(projection, ["http_requests_weekly", "unique_short_ids_weekly"]);
    assert_lets_out!(
        Projection::new(),
        [
            "http_requests_in_flight",
            "http_requests_total{path}",
            "http_requests_weekly",
            "unique_short_ids{interval}",
            "unique_short_ids_weekly"
        ]
    );

    let exporter = Otlp::to("http://vendor:4318").projection(projection).resource(resource);
    let config =
        Config::builder().environment(false).service("mailroom", "1").resource_attribute("host.name", "h");
    let config = config.exporter("vendor", exporter).build().unwrap();
    let audit = Audit::of_exporter(&config, "vendor", &store).unwrap();
    assert_eq!(audit.resource, [("service.name".to_owned(), "mailroom".to_owned())]);
    assert!(audit.metrics.iter().all(|metric| metric.attributes.is_empty()));

    let debug = format!("{periods:?} {count:?} {:?}", count.settled(Window::Week));
    periods.shutdown().unwrap();
    let files = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path());
    let contents: Vec<Vec<u8>> = files.map(|file| std::fs::read(file).unwrap()).collect();
    assert_eq!(contents.len(), 3, "state, key, lock");
    for id in ids {
        assert!(!debug.contains(id), "{debug}");
        let is_in = |bytes: &Vec<u8>| bytes.windows(id.len()).any(|part| part == id.as_bytes());
        assert!(!contents.iter().any(is_in));
    }
    drop(entered);
}
