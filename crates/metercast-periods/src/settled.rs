//! Figures of the last period that is over: nothing of the one that runs leaves.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metercast::label::Label;
use metercast::{LabelSet, ObservableGauge, Observation};

use crate::time::SLACK;
use crate::unique::Unique;
use crate::window::Window;

/// The figures of the last hour, day, week or month of the calendar that is over, of a counter
/// ([`Periods::settled`](crate::Periods::settled)) or of a count of different ones ([`UniqueCount::settled`](crate::UniqueCount::settled)).
///
/// What came in the period that runs is nowhere to be seen, so nobody can tell who came by looking before and after. A figure stays as it
/// is until the next period is over. With labels there is a figure for each of their values; by default there are none, and all series
/// are summed.
///
/// There is no figure of a period that was over when counting began; one in which counting began has the figure of what was left of it.
#[derive(Clone)]
#[must_use = "a figure leaves where a gauge shows it"]
pub struct Settled<const LABELS: usize = 0> {
    source: Source,
    at_least: u64,
    round_to: u64,
}

#[derive(Clone)]
enum Source {
    Counter(Arc<Counted>),
    Unique(Arc<Unique>, Window),
}

/// A figure with the values of its labels.
pub(crate) type Figure = (Vec<String>, u64);

impl<const LABELS: usize> Settled<LABELS> {
    pub(crate) fn of_counter(counted: Arc<Counted>) -> Settled<LABELS> {
        Settled { source: Source::Counter(counted), at_least: 0, round_to: 1 }
    }

    /// Leaves out figures of less than this, 0 among them: few are too easily somebody.
    pub fn at_least(mut self, least: u64) -> Self {
        self.at_least = least;
        self
    }

    /// Rounds figures to the nearest multiple of this, up if it is halfway. Whether a figure is left out is decided before.
    pub fn round_to(mut self, multiple: u64) -> Self {
        self.round_to = multiple.max(1);
        self
    }

    /// The figures, each with the values of its labels, sorted by these. The value of a label that a series does
    /// not have is empty.
    pub fn figures(&self) -> Vec<([String; LABELS], u64)> {
        let figures = match &self.source {
            Source::Counter(counted) => counted.figures(),
            Source::Unique(unique, window) => {
                unique.completed(*window).into_iter().map(|count| (Vec::new(), count)).collect()
            }
        };
        let large = figures.into_iter().filter(|(_, count)| *count >= self.at_least);
        large
            .filter_map(|(labels, count)| Some((labels.try_into().ok()?, round(count, self.round_to))))
            .collect()
    }

    /// Shows the figures in a gauge, until what is returned is dropped.
    ///
    /// ```
    /// use std::time::{Duration, UNIX_EPOCH};
    /// use metercast::{MockClock, Store, assert_gauge, assert_gauge_not_exists, u64_counter};
    /// use metercast_periods::{Periods, Window};
    ///
    /// metercast::metrics! {
    ///     /// Entries in the last week that is over
    ///     static ENTRIES_WEEKLY: ObservableGauge<u64> = "entries_weekly";
    ///     /// The same by version
    ///     static ENTRIES_BY_VERSION: ObservableGauge<u64> = "entries_by_version_weekly" { labels: { version: &str } };
    /// }
    ///
    /// let clock = MockClock::at(UNIX_EPOCH + Duration::from_secs(1_700_000_000)); // a Tuesday
    /// let store = Store::with_clock(&clock);
    /// # store.scope(|| {
    /// let periods = Periods::builder().store(store.clone()).open()?;
    /// let weekly = periods.settled("entries", Window::Week).at_least(10).round_to(5);
    /// let by_version = periods.settled_by("entries", Window::Week, ["version"]).at_least(10);
    /// let _shown = (weekly.observe(&ENTRIES_WEEKLY), by_version.observe(&ENTRIES_BY_VERSION));
    ///
    /// u64_counter!("entries", "Entries", 11, "version" => "1");
    /// u64_counter!("entries", "Entries", 2, "version" => "2");
    /// assert_gauge_not_exists!("entries_weekly");
    /// clock.advance(Duration::from_secs(7 * 86_400));
    /// assert_gauge!("entries_weekly", 15);
    /// assert_gauge!("entries_by_version_weekly", 11, "version" => "1");
    /// assert_gauge_not_exists!("entries_by_version_weekly", "version" => "2");
    /// # Ok::<(), metercast_periods::PeriodsError>(())
    /// # }).unwrap();
    /// ```
    #[track_caller]
    pub fn observe<G: FigureGauge<LABELS>>(&self, gauge: &'static G) -> Observation {
        gauge.show(self.clone())
    }
}

impl Settled {
    pub(crate) fn of_unique(unique: Arc<Unique>, window: Window) -> Settled {
        Settled { source: Source::Unique(unique, window), at_least: 0, round_to: 1 }
    }

    /// The figure without labels, if there is one.
    pub fn figure(&self) -> Option<u64> {
        self.figures().first().map(|(_, count)| *count)
    }
}

impl<const LABELS: usize> fmt::Debug for Settled<LABELS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, window) = match &self.source {
            Source::Counter(counted) => (&*counted.of.counter, counted.of.window),
            Source::Unique(unique, window) => (unique.name(), *window),
        };
        let Settled { at_least, round_to, .. } = self;
        let mut debug = f.debug_struct("Settled");
        debug.field("of", &name).field("window", &window).field("at_least", at_least);
        debug.field("round_to", round_to).finish_non_exhaustive()
    }
}

fn round(count: u64, multiple: u64) -> u64 {
    let rest = count % multiple;
    let down = count - rest;
    if rest >= multiple - rest { down.saturating_add(multiple) } else { down }
}

/// Which counter is counted over which period, by which labels.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CountedOf {
    pub(crate) counter: String,
    pub(crate) window: Window,
    pub(crate) labels: Vec<String>,
}

/// What came to a counter in the period that runs and in the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Since when it is counted, in seconds since 1970.
    pub(crate) since: u64,
    /// By the number of the period, and by the values of the labels.
    pub(crate) windows: BTreeMap<u64, BTreeMap<Vec<String>, u64>>,
}

impl Counts {
    /// The time that it is by this clock: the beginning of the last period that is known, if the clock is a little back.
    pub(crate) fn time(&self, window: Window, clock: u64) -> u64 {
        let last = self.windows.last_key_value().map(|(index, _)| window.start_at(*index));
        last.filter(|last| *last > clock && *last - clock <= SLACK).unwrap_or(clock)
    }
}

/// A counter that is counted over a period.
pub(crate) struct Counted {
    pub(crate) of: CountedOf,
    state: Mutex<State>,
}

struct State {
    counts: Counts,
    /// When the counter was looked at last, in seconds since 1970.
    last: u64,
}

/// The most label sets of a period; those beyond it are one.
const MOST_LABELS: usize = 1_000;

/// The value of all labels of those that are too many.
const OTHER: &str = "other";

impl Counted {
    pub(crate) fn new(of: CountedOf, counts: Counts, now: u64) -> Counted {
        let now = counts.time(of.window, now);
        let mut state = State { counts, last: now };
        state.tidy(of.window, now);
        Counted { of, state: Mutex::new(state) }
    }

    /// Adds what came since the counter was looked at last, with its labels.
    pub(crate) fn add<'l>(&self, came: impl IntoIterator<Item = (&'l LabelSet, u64)>, now: u64) {
        let mut state = self.state();
        let is_back = now.saturating_add(SLACK) < state.last;
        // It came before the period was over, or else it would have been looked at in between.
        let at = self.of.window.index_at(if is_back { now } else { state.last });
        for (labels, count) in came {
            let value = |key: &String| labels.get(key).map(ToString::to_string).unwrap_or_default();
            let mut values: Vec<String> = self.of.labels.iter().map(value).collect();
            let window = state.counts.windows.entry(at).or_default();
            if window.len() >= MOST_LABELS && !window.contains_key(&values) {
                values = vec![OTHER.to_owned(); values.len()];
            }
            let known = window.entry(values).or_insert(0);
            *known = known.saturating_add(count);
        }
        state.last = if is_back { now } else { state.last.max(now) };
        let now = state.last;
        state.tidy(self.of.window, now);
    }

    fn figures(&self) -> Vec<Figure> {
        let state = self.state();
        let window = self.of.window;
        let Some(index) = window.index_at(state.last).checked_sub(1) else { return Vec::new() };
        if window.start_at(index + 1) <= state.counts.since {
            return Vec::new();
        }
        let figures = state.counts.windows.get(&index);
        let mut figures: Vec<Figure> = figures.into_iter().flatten().map(|(l, c)| (l.clone(), *c)).collect();
        if figures.is_empty() && self.of.labels.is_empty() {
            figures.push((Vec::new(), 0));
        }
        figures
    }

    pub(crate) fn counts(&self) -> Counts {
        self.state().counts.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Forgets all but the period that runs and the one before.
    fn tidy(&mut self, window: Window, now: u64) {
        let index = window.index_at(now);
        self.counts.windows.retain(|known, _| *known <= index && known.saturating_add(1) >= index);
    }
}

/// An [`ObservableGauge`] that figures with so many labels can be shown in: one of `u64` without labels, or with up to three whose type
/// is `&str`, a `one_of` or a `pattern`.
pub trait FigureGauge<const LABELS: usize> {
    /// Shows these, until what is returned is dropped.
    #[doc(hidden)]
    #[track_caller]
    fn show(&'static self, settled: Settled<LABELS>) -> Observation;
}

impl FigureGauge<0> for ObservableGauge<u64> {
    fn show(&'static self, settled: Settled) -> Observation {
        self.observe(move |o| {
            for (_, count) in settled.figures() {
                o.set(count);
            }
        })
    }
}

macro_rules! of_texts {
    ($( $labels:literal: $($label:ident $at:literal),+; )*) => { $(
        impl<$($label),+> FigureGauge<$labels> for ObservableGauge<u64, ($($label,)+)>
        where
            $($label: for<'a> Label<Value<'a> = &'a str>),+
        {
            fn show(&'static self, settled: Settled<$labels>) -> Observation {
                self.observe(move |o| {
                    for (labels, count) in settled.figures() {
                        o.set(count, ($(labels[$at].as_str(),)+));
                    }
                })
            }
        }
    )* };
}

of_texts! {
    1: A 0;
    2: A 0, B 1;
    3: A 0, B 1, C 2;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_rounded_to_the_nearest() {
        for (count, multiple, rounded) in [
            (0, 5, 0),
            (12, 5, 10),
            (13, 5, 15),
            (5, 10, 10),
            (7, 1, 7),
            (u64::MAX, 2, u64::MAX),
            (3, u64::MAX, 0),
        ] {
            assert_eq!(round(count, multiple), rounded, "{count} to {multiple}");
        }
    }

    #[test]
    fn a_clock_that_jumps_neither_shows_what_is_not_over_nor_loses_what_is() {
        let week = |number: u64| Window::Week.start_at(number);
        let of = CountedOf { counter: "c".to_owned(), window: Window::Week, labels: Vec::new() };
        let counted = Counted::new(of, Counts { since: week(90), windows: BTreeMap::new() }, week(100) + 9);
        let labels = LabelSet::default();
        let look = |count: u64, now: u64| {
            counted.add([(&labels, count)], now);
            counted.figures().first().map(|(_, figure)| *figure)
        };
        assert_eq!(look(3, week(100) + 10), Some(0));
        assert_eq!(look(4, week(101) + 10), Some(7));
        // Back by a moment, over the end of the week: what was shown stays.
        assert_eq!(look(5, week(101) - 60), Some(7));
        assert_eq!(look(1, week(101) + 20), Some(7));
        // Back by a day: the week that is not yet is forgotten, and the one that runs has what it had.
        assert_eq!(look(2, week(101) - 86_400), Some(0));
        assert_eq!(look(1, week(101) + 1), Some(10));
        // Ahead by years, and back.
        assert_eq!(look(6, week(600)), Some(0));
        assert_eq!(look(0, week(101) + 2), Some(0));
        assert_eq!(look(0, 0), None, "there was no week before");
        assert_eq!(look(0, u64::MAX), Some(0));
    }
}
