//! Counting how many different ones came, over hours, days, weeks and months.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use metercast::{ObservableGauge, Observation, labels};

use crate::history::{DAYS, HOURS, HOURS_OF_A_DAY, History, is_in};
use crate::key::Key;
use crate::live::Live;
use crate::settled::Settled;
use crate::sketch::{Grain, Sketch, Union};
use crate::time::Time;
use crate::window::{HOUR, Window};

labels! {
    /// Over how long a [`UniqueCount`] looks back, as the label of a gauge.
    pub enum Interval {
        /// Since the hour that runs began.
        Hourly,
        /// 24 hours.
        Daily,
        /// 7 days.
        Weekly,
        /// 30 days.
        Monthly,
    }
}

/// How a [`UniqueCount`] counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct UniqueOptions {
    exact: u32,
    precision: u8,
}

impl UniqueOptions {
    /// Exactly up to 1,024 in a period, and with a standard error of 0.81 % beyond.
    pub fn new() -> UniqueOptions {
        UniqueOptions { exact: 1_024, precision: 14 }
    }

    /// Counts exactly up to so many in a period, at most 16,384; 0 never does. Each takes 8 bytes, in each hour and each day that is
    /// kept.
    pub fn exact_up_to(mut self, most: u32) -> UniqueOptions {
        self.exact = most.min(16_384);
        self
    }

    /// Counts beyond that by 2^`precision` registers of a byte, from 10 to 16: the standard error is 1.04 / sqrt(2^`precision`), 3.3 %
    /// for 10, 0.81 % for 14, 0.41 % for 16. Two in three numbers are off by no more, and 997 in 1,000 by no more than three times
    /// that.
    pub fn precision(mut self, precision: u8) -> UniqueOptions {
        self.precision = precision.clamp(10, 16);
        self
    }

    pub(crate) fn grain(self) -> Grain {
        Grain { precision: self.precision, exact: self.exact }
    }
}

impl Default for UniqueOptions {
    fn default() -> UniqueOptions {
        UniqueOptions::new()
    }
}

/// Counts different ones: users, addresses, mailboxes. Made by [`Periods::unique`](crate::Periods::unique). Clones count together.
///
/// What is recorded is hashed at once, with the key of the [`Periods`](crate::Periods), and forgotten: ids are in no label, no log, no file. Each hour has a
/// sketch of its own, kept for 7 days, and each day one, kept for 90.
#[derive(Clone)]
pub struct UniqueCount(Arc<Unique>);

pub(crate) struct Unique {
    name: String,
    grain: Grain,
    key: Key,
    time: Time,
    /// Since when it counts, in seconds since 1970.
    since: u64,
    live: RwLock<Live>,
    /// Hours that are over, for whoever looks at the history next.
    over: Mutex<Vec<Live>>,
    history: Mutex<History>,
}

/// So many hours may wait to become history. More come only of a clock that goes to and fro, and are dropped.
const MOST_WAITING: usize = 64;

impl UniqueCount {
    /// Counts this one, in the hour that it is. It costs a keyed hash and a look at the clock, takes no lock that is held for longer than
    /// it takes to begin an hour, and cannot fail.
    ///
    /// ```
    /// use metercast_periods::{Periods, Window};
    ///
    /// let periods = Periods::builder().open()?;
    /// let visitors = periods.unique("visitors");
    /// for visitor in ["ada", "bob", "ada"] {
    ///     visitors.record(visitor);
    /// }
    /// assert_eq!(visitors.count(Window::Day), 2);
    /// # Ok::<(), metercast_periods::PeriodsError>(())
    /// ```
    #[inline]
    pub fn record(&self, id: impl AsRef<[u8]>) {
        self.0.record(id.as_ref());
    }

    /// How many different ones came in the last hour, 24 hours, 7 days or 30 days, the hour that runs (of 30 days: the day that runs)
    /// being the last of them. Of an hour these are those since it began.
    pub fn count(&self, window: Window) -> u64 {
        self.0.look_back(window)
    }

    /// How many different ones came in the last hour, day, week or month of the calendar that is over; `None` if that was over when
    /// counting began.
    pub fn completed(&self, window: Window) -> Option<u64> {
        self.0.completed(window)
    }

    /// Shows [`count`](Self::count) of all four periods in a gauge, until what is returned is dropped.
    ///
    /// ```
    /// use metercast_periods::{Interval, Periods};
    ///
    /// metercast::metrics! {
    ///     /// Different mailboxes of late
    ///     static UNIQUE_IDS: ObservableGauge<u64> = "unique_short_ids" { labels: { interval: Interval } };
    /// }
    ///
    /// # metercast::testing::isolated(|_| {
    /// let periods = Periods::builder().open()?;
    /// let ids = periods.unique("short_ids");
    /// let _shown = ids.observe(&UNIQUE_IDS);
    /// ids.record("qqqqqqqqqqqqq");
    /// metercast::assert_gauge!("unique_short_ids", 1, "interval" => "hourly");
    /// metercast::assert_gauge!("unique_short_ids", 1, "interval" => "monthly");
    /// # Ok::<(), metercast_periods::PeriodsError>(())
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn observe(&self, gauge: &'static ObservableGauge<u64, (Interval,)>) -> Observation {
        let unique = Arc::clone(&self.0);
        gauge.observe(move |o| {
            o.set(unique.look_back(Window::Hour), (Interval::Hourly,));
            o.set(unique.look_back(Window::Day), (Interval::Daily,));
            o.set(unique.look_back(Window::Week), (Interval::Weekly,));
            o.set(unique.look_back(Window::Month), (Interval::Monthly,));
        })
    }

    /// [`completed`](Self::completed) as a figure that may leave.
    pub fn settled(&self, window: Window) -> Settled {
        Settled::of_unique(Arc::clone(&self.0), window)
    }

    pub(crate) fn of(unique: Arc<Unique>) -> UniqueCount {
        UniqueCount(unique)
    }
}

impl fmt::Debug for UniqueCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UniqueCount").field("name", &self.0.name).finish_non_exhaustive()
    }
}

impl Unique {
    pub(crate) fn new(
        name: &str,
        grain: Grain,
        key: Key,
        time: Time,
        since: u64,
        history: History,
    ) -> Unique {
        let live = RwLock::new(Live::new(grain, history.hour(time.seconds() / HOUR), &Sketch::EMPTY));
        let (name, over, history) = (name.to_owned(), Mutex::default(), Mutex::new(history));
        Unique { name, grain, key, time, since, live, over, history }
    }

    #[inline]
    fn record(&self, id: &[u8]) {
        let hash = self.key.hash(id);
        let hour = self.time.seconds() / HOUR;
        {
            let live = self.live();
            if is_in(hour, live.hour) {
                return live.add(hash);
            }
        }
        self.begin(hour);
        // Should another have begun again, which a clock that goes to and fro may do, it is counted there.
        self.live().add(hash);
    }

    /// Begins the hour that it is, though nobody came in it yet: whoever comes while the clock is set back a little is of that hour then,
    /// and what was seen of the one before stays as it is.
    fn close_hour(&self) {
        let hour = self.time.seconds() / HOUR;
        if hour > self.live().hour {
            self.begin(hour);
        }
    }

    fn live(&self) -> RwLockReadGuard<'_, Live> {
        self.live.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins an hour.
    #[cold]
    fn begin(&self, hour: u64) {
        let mut next = Live::new(self.grain, hour, &Sketch::EMPTY);
        {
            let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
            if is_in(hour, live.hour) {
                return;
            }
            std::mem::swap(&mut *live, &mut next);
        }
        let mut before = next;
        // The clock was wrong: those came before now, and nobody knows when.
        before.hour = before.hour.min(hour);
        {
            let mut over = self.over.lock().unwrap_or_else(PoisonError::into_inner);
            if over.len() < MOST_WAITING {
                over.push(before);
            }
        }
        // Whoever holds it may take long, and will find what waits, or the next one does.
        if let Ok(mut history) = self.history.try_lock() {
            self.settle(&mut history);
        }
    }

    /// Makes hours that are over history.
    fn settle(&self, history: &mut History) {
        let over = std::mem::take(&mut *self.over.lock().unwrap_or_else(PoisonError::into_inner));
        for live in over {
            history.add(self.grain, live.hour, &live.sketch());
        }
        // The hour that runs may be a little ahead of the clock.
        history.tidy(self.hour());
    }

    /// The hour that it is.
    fn hour(&self) -> u64 {
        let (hour, live) = (self.time.seconds() / HOUR, self.live().hour);
        if is_in(hour, live) { live } else { hour }
    }

    fn history(&self) -> MutexGuard<'_, History> {
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        self.settle(&mut history);
        history
    }

    fn look_back(&self, window: Window) -> u64 {
        let end = self.hour() + 1;
        let day = end.div_ceil(HOURS_OF_A_DAY);
        match window {
            Window::Hour => self.over_hours(end - 1..end),
            Window::Day => self.over_hours(end.saturating_sub(HOURS_OF_A_DAY)..end),
            Window::Week => self.over_hours(end.saturating_sub(HOURS)..end),
            Window::Month => self.over_days(day.saturating_sub(30)..day),
        }
    }

    pub(crate) fn completed(&self, window: Window) -> Option<u64> {
        self.close_hour();
        let now = self.hour() * HOUR;
        let index = window.index_at(now).checked_sub(1)?;
        let (start, end) = (window.start_at(index), window.start_at(index + 1));
        if end <= self.since {
            return None;
        }
        Some(match window {
            Window::Hour => self.over_hours(start / HOUR..end / HOUR),
            _ => self.over_days(start / HOUR / HOURS_OF_A_DAY..end / HOUR / HOURS_OF_A_DAY),
        })
    }

    fn over_hours(&self, hours: Range<u64>) -> u64 {
        let mut union = self.live_if(|hour| hours.contains(&hour));
        self.history().hours_to(&mut union, hours.clone());
        union.finish().count(self.grain)
    }

    fn over_days(&self, days: Range<u64>) -> u64 {
        let mut union = self.live_if(|hour| days.contains(&(hour / HOURS_OF_A_DAY)));
        self.history().days_to(&mut union, days.clone());
        union.finish().count(self.grain)
    }

    /// What came in the hour that runs, if it is among them. To be asked for before the history: what ends in between is in both,
    /// which is the same as in one.
    fn live_if(&self, is_among: impl Fn(u64) -> bool) -> Union {
        let mut union = Union::new(self.grain);
        let live = self.live();
        if is_among(live.hour) {
            let sketch = live.sketch();
            drop(live);
            union.add(&sketch);
        }
        union
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn precision(&self) -> u8 {
        self.grain.precision
    }

    pub(crate) fn since(&self) -> u64 {
        self.since
    }

    /// All that is known now, for a state file.
    pub(crate) fn whole_history(&self) -> History {
        let (hour, sketch) = {
            let live = self.live();
            (live.hour, live.sketch())
        };
        let mut history = self.history().clone();
        history.add(self.grain, hour, &sketch);
        history
    }
}

const _: () = assert!(DAYS >= 31 + 31, "the month that is over, on the last day of the next");

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use metercast::{MockClock, Store};

    use super::*;

    #[test]
    fn what_came_by_a_clock_that_was_wrong_came_before_it_was_set_right() {
        let clock = MockClock::at(UNIX_EPOCH + Duration::from_secs(1_000 * HOUR));
        let (key, time) = (Key::random().unwrap(), Time::of(&Store::with_clock(&clock)));
        let grain = UniqueOptions::new().grain();
        let unique = Unique::new("ids", grain, key, time, 0, History::default());
        unique.record(b"a");
        // An hour back is where it is; two hours back is another hour.
        unique.begin(999);
        assert_eq!(unique.live().hour, 1_000);
        unique.begin(998);
        assert_eq!(unique.live().hour, 998);
        let history = unique.history();
        assert_eq!(history.hours.keys().collect::<Vec<_>>(), [&998]);
        drop(history);
        assert_eq!(unique.look_back(Window::Day), 1);
    }

    #[test]
    fn a_figure_that_was_seen_stays_if_the_clock_is_set_back_over_the_end_of_its_period() {
        let at =
            |seconds| Time::of(&Store::with_clock(&MockClock::at(UNIX_EPOCH + Duration::from_secs(seconds))));
        let end = 1_000 * HOUR;
        let (key, grain) = (Key::random().unwrap(), UniqueOptions::new().grain());
        let mut unique = Unique::new("ids", grain, key, at(end - 10), 0, History::default());
        unique.record(b"a");
        unique.time = at(end + 10);
        assert_eq!(unique.completed(Window::Hour), Some(1));
        unique.time = at(end - 5);
        unique.record(b"b");
        assert_eq!(unique.completed(Window::Hour), Some(1));
        unique.time = at(end + 5);
        assert_eq!(unique.completed(Window::Hour), Some(1), "or else it would tell that one came");
        assert_eq!(unique.look_back(Window::Hour), 1);
    }

    #[test]
    fn a_clock_that_goes_to_and_fro_takes_no_more_memory_than_there_is_room_for() {
        let clock = MockClock::at(UNIX_EPOCH + Duration::from_secs(1_000 * HOUR));
        let (key, time) = (Key::random().unwrap(), Time::of(&Store::with_clock(&clock)));
        let unique = Unique::new("ids", UniqueOptions::new().grain(), key, time, 0, History::default());
        let reading = unique.history();
        for turn in 0..200_u64 {
            unique.begin(if turn % 2 == 0 { 990 } else { 1_000 });
            unique.live().add(turn << 32);
        }
        assert_eq!(unique.over.lock().unwrap().len(), MOST_WAITING);
        drop(reading);
        assert!(unique.look_back(Window::Day) >= MOST_WAITING as u64 - 1);
        assert!(unique.over.lock().unwrap().is_empty());
    }
}
