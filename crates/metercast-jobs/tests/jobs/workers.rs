//! Who counts as connected.

use std::time::Duration;

use metercast::{MockClock, Store, snapshot::Point};
use metercast_jobs::{WorkerSet, Workers};

use super::point;

const TTL: Duration = Duration::from_secs(3);

fn on_a_mocked_clock(test: impl FnOnce(&WorkerSet, &MockClock)) {
    let clock = MockClock::new();
    Store::with_clock(&clock).scope(|| {
        let workers = Workers::within(TTL).observe("set.workers.connected").unwrap();
        test(&workers, &clock);
    });
}

fn connected() -> Point {
    point("set.workers.connected").expect("it is there from the start")
}

#[test]
fn a_worker_is_there_until_nothing_was_heard_of_him_for_the_time() {
    on_a_mocked_clock(|workers, clock| {
        assert_eq!(connected(), Point::I64(0));
        assert!(workers.heard("a1") && workers.heard("a1") && workers.heard("a2"));
        assert_eq!(connected(), Point::I64(2));
        clock.advance(TTL / 2);
        workers.heard("a1");
        clock.advance(TTL / 2);
        assert_eq!((connected(), workers.has("a1"), workers.has("a2")), (Point::I64(1), true, false));
        workers.left("a1");
        workers.left("nobody");
        assert_eq!(connected(), Point::I64(0));
    });
}

#[test]
fn what_is_heard_late_counts_from_when_it_was_said() {
    on_a_mocked_clock(|workers, clock| {
        clock.advance(TTL);
        workers.heard("a1");
        workers.heard_before("a1", TTL / 2);
        clock.advance(TTL / 2);
        assert!(workers.has("a1"), "an older sign takes nothing back");
        workers.heard_before("a2", TTL);
        assert_eq!(workers.count(), 1);
    });
}

#[test]
fn connections_of_one_worker_count_as_one_and_need_no_heartbeat() {
    on_a_mocked_clock(|workers, clock| {
        let both = [workers.connect("a1"), workers.connect("a1")];
        workers.left("a1");
        clock.advance(TTL * 100);
        assert_eq!(connected(), Point::I64(1));
        let [first, second] = both;
        drop(first);
        assert_eq!(connected(), Point::I64(1));
        let elsewhere = std::thread::spawn(move || drop(second));
        elsewhere.join().unwrap();
        assert_eq!(connected(), Point::I64(0));
    });
}

#[test]
fn workers_are_bounded_and_those_who_are_gone_make_room() {
    on_a_mocked_clock(|workers, clock| {
        for number in 0..10_000 {
            assert!(workers.heard(&format!("w{number}")));
        }
        assert!(!workers.heard("one more") && workers.heard("w17"));
        let uncounted = workers.connect("one more");
        assert_eq!(connected(), Point::I64(10_000));
        drop(uncounted);
        clock.advance(TTL);
        assert!(workers.heard("one more"));
        assert_eq!(connected(), Point::I64(1));
    });
}

#[test]
fn the_series_is_gone_with_the_set() {
    on_a_mocked_clock(|workers, _| {
        let other = workers.clone();
        assert_eq!(other.count(), 0);
        drop(other);
        assert!(point("set.workers.connected").is_some());
    });
    Store::new().scope(|| {
        drop(Workers::within(TTL).observe("set.workers.connected").unwrap());
        assert!(point("set.workers.connected").is_none());
    });
}
