//! What each metric was at over the last hours: read from the store once a second, in memory that has a bound.

mod amount;
mod line;
mod quantile;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use metercast_core::{Definition, Store};

pub(super) use amount::{Amount, LINES, Now, OVERFLOW, amount_of, is_counted, lines_of};
use line::Line;
pub(super) use line::{BYTES, SECONDS, STEP, STEPS};

/// The history of every metric of a store.
#[derive(Debug)]
pub(super) struct History {
    /// How many lines there may be, and are.
    limit: usize,
    lines: usize,
    /// For how many there was no room at the last reading.
    left_out: usize,
    /// When it began: the moment from which seconds are counted.
    began: Option<(Instant, SystemTime)>,
    /// The reading before, and the one at the last step.
    second: Before,
    step: Before,
    pub(super) metrics: BTreeMap<Name, Metric>,
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

/// One metric.
#[derive(Debug)]
pub(super) struct Metric {
    pub(super) definition: Arc<Definition>,
    /// How many series it may have.
    pub(super) limit: u32,
    /// At the last reading.
    pub(super) amount: Amount,
    pub(super) now: Now,
    /// What it was at when the last step ended.
    at_step: Amount,
    /// By their places in [`LINES`].
    lines: [Option<Line>; LINES.len()],
    /// In which second it was there last.
    seen: u64,
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
            limit,
            lines: 0,
            left_out: 0,
            began: None,
            second: none,
            step: none,
            metrics: BTreeMap::new(),
            series: 0,
            series_limit: 0,
        }
    }

    /// From now on there may be so many lines. Those that are there stay.
    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
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
        let ends_step = !is_first && step > self.step.number;
        let of_second = at.saturating_duration_since(self.second.at).as_secs_f64();
        let of_step = at.saturating_duration_since(self.step.at).as_secs_f64();
        (self.series, self.left_out) = (0, 0);
        let before = Before { number: self.second.number, at };
        store.read(|reading| {
            self.series_limit = reading.limit();
            for family in reading.families() {
                let amount = Amount::of(&family, |_| true);
                if amount.series == 0 {
                    continue;
                }
                self.series += amount.series;
                let definition = family.definition();
                let metric = self.metrics.entry(name(definition)).or_insert_with(|| Metric {
                    definition: Arc::clone(definition),
                    limit: 0,
                    amount: Amount::default(),
                    now: Now::default(),
                    at_step: Amount::default(),
                    lines: Default::default(),
                    seen: second,
                });
                (metric.limit, metric.seen) = (family.limit(), second);
                let kind = definition.kind();
                metric.now = amount.since((!is_first).then_some(&metric.amount), kind, of_second);
                metric.amount = amount;
                for place in 0..LINES.len() {
                    let value = metric.now.0[place];
                    if metric.lines[place].is_none() && (lines_of(kind).contains(&place) || value.is_some()) {
                        if self.lines < self.limit {
                            metric.lines[place] = Some(Line::new());
                            self.lines += 1;
                        } else {
                            self.left_out += 1;
                        }
                    }
                }
                metric.put(before.number, second, metric.now, Line::second);
                if ends_step {
                    let now = metric.amount.since(Some(&metric.at_step), kind, of_step);
                    metric.put(self.step.number, step, now, Line::step);
                }
                if ends_step || is_first {
                    metric.at_step = metric.amount.clone();
                }
            }
        });
        self.put_gone(before.number, second, ends_step.then_some(step));
        if ends_step || is_first {
            self.step = Before { number: step, at };
        }
        self.second = Before { number: second, at };
        true
    }

    /// Nothing is known now of what is not there any more. After six hours it is forgotten, and sooner if its lines are needed.
    fn put_gone(&mut self, before: u64, second: u64, step: Option<u64>) {
        let (last_step, is_full) = (self.step.number, self.left_out > 0);
        let mut freed = 0;
        self.metrics.retain(|_, metric| {
            if metric.seen == second {
                return true;
            }
            if is_full || second - metric.seen > STEPS as u64 * STEP {
                freed += metric.lines.iter().flatten().count();
                return false;
            }
            (metric.amount, metric.now) = (Amount::default(), Now::default());
            metric.put(before, second, Now::default(), Line::second);
            if let Some(step) = step {
                metric.at_step = Amount::default();
                metric.put(last_step, step, Now::default(), Line::step);
            }
            true
        });
        self.lines -= freed;
    }

    /// Those that were there at the last reading, by name.
    pub(super) fn present(&self) -> impl Iterator<Item = (&Name, &Metric)> {
        self.metrics.iter().filter(|(_, metric)| metric.is_present())
    }

    /// How many lines there are, may be, and had no room.
    pub(super) fn lines(&self) -> (usize, usize, usize) {
        (self.lines, self.limit, self.left_out)
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

impl Metric {
    /// Whether it was there at the last reading.
    pub(super) fn is_present(&self) -> bool {
        self.amount.series > 0
    }

    fn put(&mut self, before: u64, number: u64, now: Now, put: impl Fn(&mut Line, u64, u64, Option<f64>)) {
        for (line, value) in self.lines.iter_mut().zip(now.0) {
            if let Some(line) = line {
                put(line, before, number, value);
            }
        }
    }

    fn each_line(&self, values: impl Fn(&Line) -> Vec<f64>) -> Vec<(&'static str, Vec<f64>)> {
        let lines = LINES.iter().zip(&self.lines);
        lines.filter_map(|(name, line)| Some((*name, values(line.as_ref()?)))).collect()
    }
}

/// What a metric is found by.
pub(super) fn name(definition: &Definition) -> Name {
    let scope = if definition.has_scope_of_its_own() { definition.scope().name } else { "" };
    (definition.name().to_owned(), scope.to_owned())
}

#[cfg(test)]
mod tests;
