//! Different ones are counted over hours, days, weeks and months, whatever the clock does.

use std::time::{Duration, UNIX_EPOCH};

use metercast::{MockClock, Store};
use metercast_periods::{Periods, UniqueCount, UniqueOptions, Window};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
/// Friday, 1 March 2024.
const MARCH: Duration = Duration::from_secs(1_709_251_200);
const ALL: [Window; 4] = [Window::Hour, Window::Day, Window::Week, Window::Month];

fn counting(time: Duration) -> (MockClock, Periods, UniqueCount) {
    let clock = MockClock::at(UNIX_EPOCH + time);
    let periods = Periods::builder().store(Store::with_clock(&clock)).open().unwrap();
    let ids = periods.unique("ids");
    (clock, periods, ids)
}

fn counts(ids: &UniqueCount) -> [u64; 4] {
    ALL.map(|window| ids.count(window))
}

fn completed(ids: &UniqueCount) -> [Option<u64>; 4] {
    ALL.map(|window| ids.completed(window))
}

#[test]
fn one_who_comes_again_and_again_is_one_and_goes_out_of_sight_in_time() {
    let (clock, _periods, ids) = counting(MARCH);
    (0..10).for_each(|_| ids.record("a"));
    assert_eq!(counts(&ids), [1; 4]);
    clock.advance(HOUR);
    assert_eq!(counts(&ids), [0, 1, 1, 1]);
    ids.record("b");
    ids.record("a");
    assert_eq!(counts(&ids), [2; 4]);
    clock.advance(23 * HOUR);
    assert_eq!(counts(&ids), [0, 2, 2, 2], "the last 24 hours");
    clock.advance(HOUR);
    assert_eq!(counts(&ids), [0, 0, 2, 2]);
    clock.advance(6 * DAY - HOUR);
    assert_eq!(counts(&ids), [0, 0, 2, 2], "the last 168 hours");
    clock.advance(HOUR);
    assert_eq!(counts(&ids), [0, 0, 0, 2]);
    clock.advance(22 * DAY);
    assert_eq!(counts(&ids), [0, 0, 0, 2], "the last 30 days");
    clock.advance(DAY);
    assert_eq!(counts(&ids), [0; 4]);
}

#[test]
fn a_period_that_is_over_is_complete_and_one_before_the_beginning_is_none() {
    // A Friday at 22:30, the last but one day of a month of 31.
    let (clock, _periods, ids) = counting(MARCH + 28 * DAY + 22 * HOUR + HOUR / 2);
    assert_eq!(completed(&ids), [None; 4]);
    ids.record("a");
    clock.advance(HOUR);
    assert_eq!(completed(&ids), [Some(1), None, None, None]);
    ids.record("b");
    clock.advance(HOUR);
    assert_eq!(completed(&ids), [Some(1), Some(2), None, None], "Saturday");
    ids.record("c");
    clock.advance(DAY);
    ids.record("d");
    clock.advance(DAY);
    assert_eq!(completed(&ids), [Some(0), Some(1), Some(4), Some(4)], "Monday, 1 April");
    // To the last hour of April, through days on which nobody comes.
    clock.advance(30 * DAY - HOUR);
    assert_eq!(completed(&ids), [Some(0), Some(0), Some(0), Some(4)]);
    clock.advance(HOUR);
    assert_eq!(completed(&ids), [Some(0); 4]);
}

#[test]
fn many_are_counted_within_the_error_and_over_all_periods() {
    let (clock, _periods, ids) = counting(MARCH);
    for hour in 0..48_u32 {
        // 1,500 an hour, of whom 500 were there in the hour before.
        (hour * 1_000..hour * 1_000 + 1_500).for_each(|id| ids.record(id.to_le_bytes()));
        let is_near = |counted: u64, true_count: u32| {
            let off = counted.abs_diff(u64::from(true_count)) as f64;
            assert!(off < f64::from(true_count) * 0.0081 * 5.0, "{counted} of {true_count}");
        };
        is_near(ids.count(Window::Hour), 1_500);
        is_near(ids.count(Window::Week), hour * 1_000 + 1_500);
        clock.advance(HOUR);
    }
}

#[test]
fn fewer_registers_and_no_exact_counting_are_a_choice() {
    let clock = MockClock::at(UNIX_EPOCH + MARCH);
    let periods = Periods::builder().store(Store::with_clock(&clock)).open().unwrap();
    let rough = periods.unique_with("rough", UniqueOptions::new().exact_up_to(0).precision(1));
    let exact = periods.unique_with("exact", UniqueOptions::new().exact_up_to(u32::MAX));
    for id in 0..16_384_u32 {
        rough.record(id.to_le_bytes());
        exact.record(id.to_le_bytes());
    }
    assert_eq!(exact.count(Window::Hour), 16_384);
    let off = rough.count(Window::Hour).abs_diff(16_384);
    assert!(off > 0 && off < 16_384 / 6, "precision 10, of which the error is 3.3 %: {off}");
    assert_eq!(periods.unique("exact").count(Window::Hour), 16_384, "it is the one that there is");
}

#[test]
fn a_clock_that_jumps_between_two_starts_does_no_harm() {
    let folder = conformance::program::Folder::new();
    let open = |time: Duration| {
        let store = Store::with_clock(&MockClock::at(UNIX_EPOCH + time));
        Periods::builder().store(store).state(folder.path().join("state")).open().unwrap()
    };
    let at = |time: Duration, id: &str| {
        let periods = open(time);
        let ids = periods.unique("ids");
        ids.record(id);
        let (counted, is_over) = (counts(&ids), completed(&ids));
        periods.shutdown().unwrap();
        (counted, is_over)
    };
    assert_eq!(at(MARCH, "a").0, [1; 4]);
    assert_eq!(at(MARCH + 10 * HOUR, "b").0, [1, 2, 2, 2]);
    // Ten years ahead: what is too old then is forgotten.
    assert_eq!(at(MARCH + 3_650 * DAY, "c").0, [1; 4]);
    // And back: what is not yet is forgotten.
    assert_eq!(at(MARCH + 11 * HOUR, "d"), ([1; 4], [Some(0), None, None, None]));
    // Before all times.
    assert_eq!(at(Duration::ZERO, "e").0, [1; 4]);
    assert_eq!(at(Duration::from_secs(1 << 33), "f").0, [1; 4]);
}

#[test]
fn a_clock_that_is_a_little_back_at_the_next_start_changes_nothing() {
    let folder = conformance::program::Folder::new();
    let at = |time: Duration, id: &str| {
        let store = Store::with_clock(&MockClock::at(UNIX_EPOCH + time));
        let periods = Periods::builder().store(store).state(folder.path().join("state")).open().unwrap();
        let ids = periods.unique("ids");
        ids.record(id);
        let (counted, is_over) = (counts(&ids), ids.completed(Window::Hour));
        periods.shutdown().unwrap();
        (counted, is_over)
    };
    assert_eq!(at(MARCH - Duration::from_secs(5), "a"), ([1; 4], None));
    assert_eq!(at(MARCH + Duration::from_secs(5), "b"), ([1, 2, 2, 2], Some(1)));
    assert_eq!(at(MARCH - Duration::from_secs(5), "c"), ([2, 3, 3, 3], Some(1)), "what was seen stays");
    assert_eq!(at(MARCH + Duration::from_secs(6), "d"), ([3, 4, 4, 4], Some(1)));
}

#[test]
fn years_at_once_are_no_more_than_a_moment() {
    let (clock, periods, ids) = counting(MARCH);
    let weekly = periods.settled("nothing", Window::Week);
    for _ in 0..20 {
        ids.record("a");
        clock.advance(20 * 365 * DAY);
        assert_eq!((counts(&ids), completed(&ids)), ([0; 4], [Some(0); 4]));
        assert_eq!(weekly.figure(), Some(0));
    }
    clock.advance(Duration::MAX);
    ids.record("a");
    assert_eq!(counts(&ids), [1; 4]);
}

#[test]
fn nobody_is_lost_or_counted_twice_where_threads_count_while_hours_end() {
    let clock = MockClock::at(UNIX_EPOCH + MARCH);
    let periods = Periods::builder().store(Store::with_clock(&clock)).open().unwrap();
    let ids = periods.unique_with("ids", UniqueOptions::new().exact_up_to(16_384));
    std::thread::scope(|scope| {
        for thread in 0..4_u32 {
            let ids = &ids;
            // Each of them comes in two threads.
            scope
                .spawn(move || (0..8_000).for_each(|id| ids.record((thread / 2 * 8_000 + id).to_le_bytes())));
        }
        for _ in 0..20 {
            clock.advance(HOUR);
            assert!(ids.count(Window::Day) <= 16_000);
        }
    });
    assert_eq!((ids.count(Window::Day), ids.count(Window::Month)), (16_000, 16_000));
}
