//! What each metric was at over the last hours: read from the store once a second, in memory that has a bound.

mod amount;
mod followed;
mod line;
mod metric;
mod quantile;

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use metercast_core::{Definition, Store};

pub(super) use amount::{Amount, LINES, Now, OVERFLOW, amount_of, is_counted, lines_of};
use followed::Followed;
pub(super) use line::{BYTES, SECONDS, STEP, STEPS};
pub(super) use metric::Metric;
use metric::{Room, Times};

use super::selected::Selected;

/// The history of every metric of a store.
#[derive(Debug)]
pub(super) struct History {
    room: Room,
    /// When it began: the moment from which seconds are counted.
    began: Option<(Instant, SystemTime)>,
    /// The reading before, and the one at the last step.
    second: Before,
    step: Before,
    pub(super) metrics: BTreeMap<Name, Metric>,
    followed: Followed,
    /// Of the store, at the last reading.
    pub(super) series: u64,
    pub(super) series_limit: u32,
}

/// A name, and that of its scope where this is a name space.
pub(super) type Name = (String, String);

#[derive(Clone, Copy, Debug)]
struct Before {
    number: u64,
    at: Instant,
}

/// The values of some lines, the oldest first.
pub(super) struct Values {
    /// Seconds from one to the next.
    pub(super) step: u64,
    /// When the last one ended.
    pub(super) until: SystemTime,
    pub(super) lines: Vec<(&'static str, Vec<f64>)>,
}

impl History {
    /// One with nothing in it, and room for so many lines.
    pub(super) fn new(limit: usize) -> History {
        let none = Before { number: 0, at: Instant::now() };
        History {
            room: Room::new(limit),
            began: None,
            second: none,
            step: none,
            metrics: BTreeMap::new(),
            followed: Followed::default(),
            series: 0,
            series_limit: 0,
        }
    }

    /// From now on there may be so many lines. Those that are there stay.
    pub(super) fn set_limit(&mut self, limit: usize) {
        self.room.limit = limit;
    }

    /// Reads the store. The first time it learns what there is; then it knows of each second that has passed what it brought.
    /// Within a second of the time before it does nothing, and says so.
    pub(super) fn read(&mut self, store: &Store) -> bool {
        let at = store.now();
        let is_first = self.began.is_none();
        let (began, _) = *self.began.get_or_insert_with(|| (at, store.time()));
        let second = at.saturating_duration_since(began).as_secs();
        if !is_first && second <= self.second.number {
            return false;
        }
        let step = second / STEP;
        let times = Times {
            second: (self.second.number, second),
            of_second: at.saturating_duration_since(self.second.at).as_secs_f64(),
            step: (!is_first && step > self.step.number).then_some((self.step.number, step)),
            of_step: at.saturating_duration_since(self.step.at).as_secs_f64(),
        };
        (self.series, self.room.left_out) = (0, 0);
        store.read(|reading| {
            self.series_limit = reading.limit();
            for family in reading.families() {
                let amount = Amount::of(&family, |_| true);
                if amount.series == 0 {
                    continue;
                }
                self.series += amount.series;
                let name = name(family.definition());
                self.followed.read(&name, &family, &times, &mut self.room);
                let metric = self.metrics.entry(name).or_insert_with(|| Metric::new(family.definition()));
                metric.limit = family.limit();
                metric.read(amount, !is_first, &times, &mut self.room);
                if is_first {
                    metric.begin_step();
                }
            }
        });
        if self.room.left_out > 0 {
            // Whole metrics come first.
            self.followed.clear(&mut self.room);
        }
        self.followed.put_gone(&times);
        self.put_gone(&times);
        if is_first || times.step.is_some() {
            self.step = Before { number: step, at };
        }
        self.second = Before { number: second, at };
        true
    }

    /// Nothing is known now of what is not there any more. After six hours it is forgotten, and sooner if its lines are needed.
    fn put_gone(&mut self, times: &Times) {
        let (is_full, second) = (self.room.left_out > 0, times.second.1);
        self.metrics.retain(|_, metric| {
            if metric.seen == second {
                return true;
            }
            if is_full || second - metric.seen > STEPS as u64 * STEP {
                self.room.lines -= metric.count_lines();
                return false;
            }
            metric.put_gone(times);
            true
        });
    }

    /// Keeps the history of those series of a metric that are asked for by labels, from the next reading on; those that were asked for last.
    pub(super) fn follow(&mut self, name: &Name, selected: &Selected) {
        if let Some(metric) = self.metrics.get(name) {
            self.followed.follow(name, selected, &metric.definition, &mut self.room);
        }
    }

    /// The series that are [followed](History::follow).
    pub(super) fn followed(&self, name: &Name, selected: &Selected) -> Option<&Metric> {
        self.followed.get(name, selected)
    }

    /// Those that were there at the last reading, by name.
    pub(super) fn present(&self) -> impl Iterator<Item = (&Name, &Metric)> {
        self.metrics.iter().filter(|(_, metric)| metric.is_present())
    }

    /// How many lines there are, may be, and had no room.
    pub(super) fn lines(&self) -> (usize, usize, usize) {
        (self.room.lines, self.room.limit, self.room.left_out)
    }

    /// When the first reading was.
    pub(super) fn since(&self) -> Option<SystemTime> {
        self.began.map(|(_, time)| time)
    }

    /// When the last reading was.
    pub(super) fn time(&self) -> Option<SystemTime> {
        let (began, time) = self.began?;
        Some(time + self.second.at.saturating_duration_since(began))
    }

    /// What the lines of a metric were in the last `count` seconds.
    pub(super) fn seconds(&self, metric: &Metric, count: usize) -> Values {
        let until = self.second.number;
        let lines = metric.each_line(|line| line.seconds(until, count).collect());
        Values { step: 1, until: self.at(until), lines }
    }

    /// The same in the last `count` steps. One that has not ended is not among them.
    pub(super) fn steps(&self, metric: &Metric, count: usize) -> Values {
        let until = self.step.number;
        let lines = metric.each_line(|line| line.steps(until, count).collect());
        Values { step: STEP, until: self.at(until * STEP), lines }
    }

    fn at(&self, second: u64) -> SystemTime {
        self.began.map_or(SystemTime::UNIX_EPOCH, |(_, time)| time + Duration::from_secs(second))
    }
}

/// What a metric is found by.
pub(super) fn name(definition: &Definition) -> Name {
    let scope = if definition.has_scope_of_its_own() { definition.scope().name } else { "" };
    (definition.name().to_owned(), scope.to_owned())
}

#[cfg(test)]
mod tests;
