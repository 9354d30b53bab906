//! The edges of hours, days, weeks and months against a table that another calendar made.

use std::time::{Duration, UNIX_EPOCH};

use metercast_periods::Window;

#[test]
fn a_time_is_in_the_periods_that_another_calendar_says() {
    let table = include_str!("windows.txt");
    let mut rows = 0;
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split(" | ").collect();
        let number = |at: usize| columns[at].parse::<u64>().unwrap();
        let time = UNIX_EPOCH + Duration::from_secs(number(0));
        let windows = [Window::Hour, Window::Day, Window::Week, Window::Month];
        for (window, at) in windows.into_iter().zip(1..) {
            let start = window.start(window.index(time)).duration_since(UNIX_EPOCH).unwrap().as_secs();
            assert_eq!(start, number(at), "{window} of {line}");
        }
        rows += 1;
    }
    assert!(rows > 100, "{rows} rows");
}
