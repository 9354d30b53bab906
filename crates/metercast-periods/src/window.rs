//! The periods of the calendar, in UTC: which one a time is in, and when it begins.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A period of the calendar, in UTC, so that no summer time makes one longer or shorter. Leap seconds belong to the second before, as
/// in Unix time.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use metercast_periods::Window;
///
/// // Thursday, 29 February 2024, 12:30.
/// let time = UNIX_EPOCH + Duration::from_secs(1_709_209_800);
/// let begins = |window: Window| window.start(window.index(time)).duration_since(UNIX_EPOCH).unwrap().as_secs();
/// assert_eq!(begins(Window::Hour), 1_709_208_000); // 12:00
/// assert_eq!(begins(Window::Day), 1_709_164_800); // 00:00
/// assert_eq!(begins(Window::Week), 1_708_905_600); // Monday, 26 February
/// assert_eq!(begins(Window::Month), 1_706_745_600); // 1 February
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Window {
    /// From minute 0 to minute 59.
    Hour,
    /// From midnight to midnight.
    Day,
    /// From Monday to Sunday.
    Week,
    /// From the first of a month to its last day.
    Month,
}

pub(crate) const HOUR: u64 = 3_600;
pub(crate) const DAY: u64 = 24 * HOUR;

/// Monday, 5 January 1970, is the first day of week 1.
const DAYS_BEFORE_MONDAY: u64 = 3;

impl Window {
    /// The number of the period that a time is in. Numbers go up by one from each period to the next; times before 1970 are in
    /// the first.
    pub fn index(self, time: SystemTime) -> u64 {
        self.index_at(seconds(time))
    }

    /// When the period of this number begins, which is when the one before is over. Beyond what the system can say it is
    /// some time that is far away.
    pub fn start(self, index: u64) -> SystemTime {
        let mut seconds = self.start_at(index);
        loop {
            match UNIX_EPOCH.checked_add(Duration::from_secs(seconds)) {
                Some(time) => return time,
                None => seconds /= 2,
            }
        }
    }

    /// The same with a time in seconds since 1970.
    pub(crate) fn index_at(self, seconds: u64) -> u64 {
        match self {
            Window::Hour => seconds / HOUR,
            Window::Day => seconds / DAY,
            Window::Week => (seconds / DAY + DAYS_BEFORE_MONDAY) / 7,
            Window::Month => month_of(seconds / DAY),
        }
    }

    /// The same in seconds since 1970.
    pub(crate) fn start_at(self, index: u64) -> u64 {
        match self {
            Window::Hour => index.saturating_mul(HOUR),
            Window::Day => index.saturating_mul(DAY),
            Window::Week => index.saturating_mul(7).saturating_sub(DAYS_BEFORE_MONDAY).saturating_mul(DAY),
            Window::Month => first_day_of(index).saturating_mul(DAY),
        }
    }

    /// For a state file.
    pub(crate) fn code(self) -> u8 {
        match self {
            Window::Hour => 0,
            Window::Day => 1,
            Window::Week => 2,
            Window::Month => 3,
        }
    }

    pub(crate) fn of_code(code: u8) -> Option<Window> {
        [Window::Hour, Window::Day, Window::Week, Window::Month].get(usize::from(code)).copied()
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Window::Hour => "hour",
            Window::Day => "day",
            Window::Week => "week",
            Window::Month => "month",
        })
    }
}

/// Seconds since 1970, 0 before.
pub(crate) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Days from 1 March of the year 0 to 1 January 1970. Years that begin in March have their leap day at the end.
const DAYS_TO_1970: u64 = 719_468;
const DAYS_IN_400_YEARS: u64 = 146_097;

/// Months since January 1970 of a day since then.
fn month_of(day: u64) -> u64 {
    let day = day.saturating_add(DAYS_TO_1970);
    let (eras, day) = (day / DAYS_IN_400_YEARS, day % DAYS_IN_400_YEARS);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    // From March of the year 0 to January 1970 there are 1969 years and 10 months.
    ((eras * 400 + year) * 12 + month).saturating_sub(1_969 * 12 + 10)
}

/// The first day of a month, both counted from January 1970.
fn first_day_of(month: u64) -> u64 {
    // Further than a time can be.
    let month = month.min(u64::MAX / 100) + 1_969 * 12 + 10;
    let (year, month) = (month / 12, month % 12);
    let (eras, year) = (year / 400, year % 400);
    let day = 365 * year + year / 4 - year / 100 + (153 * month + 2) / 5;
    (eras * DAYS_IN_400_YEARS + day).saturating_sub(DAYS_TO_1970)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Window; 4] = [Window::Hour, Window::Day, Window::Week, Window::Month];

    #[test]
    fn every_period_begins_where_the_one_before_ends() {
        // The seconds around each midnight of 800 years.
        for day in 0..292_200_u64 {
            for second in [day * DAY, (day + 1) * DAY - 1] {
                for window in [Window::Week, Window::Month] {
                    let index = window.index_at(second);
                    let (start, end) = (window.start_at(index), window.start_at(index + 1));
                    assert!(
                        start <= second && second < end,
                        "{window} {index} of {second}: {start} to {end}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_end_of_all_times_is_no_panic() {
        for window in ALL {
            for seconds in [0, u64::MAX / 2, u64::MAX - 1, u64::MAX] {
                let index = window.index_at(seconds);
                window.start_at(index);
                window.start(index + 1);
                window.start(u64::MAX);
            }
            assert_eq!(window.index(UNIX_EPOCH - Duration::from_secs(5)), window.index(UNIX_EPOCH));
            assert_eq!(Window::of_code(window.code()), Some(window));
        }
        assert_eq!(Window::of_code(4), None);
    }
}
