//! What a metric, or some of its series, came to, reading by reading.

use std::sync::Arc;

use metercast_core::Definition;

use super::amount::{Amount, LINES, Now, lines_of};
use super::line::Line;

/// One metric, or some of its series.
#[derive(Debug)]
pub(in crate::live) struct Metric {
    pub(in crate::live) definition: Arc<Definition>,
    /// How many series it may have.
    pub(in crate::live) limit: u32,
    /// At the last reading.
    pub(in crate::live) amount: Amount,
    pub(in crate::live) now: Now,
    /// What it was at when the last step ended, if that is known.
    at_step: Option<Amount>,
    /// By their places in [`LINES`].
    lines: [Option<Line>; LINES.len()],
    /// In which second it was there last.
    pub(super) seen: u64,
}

/// When a reading is, and when the one before was.
pub(super) struct Times {
    /// The numbers of the seconds of both.
    pub(super) second: (u64, u64),
    /// Seconds between them.
    pub(super) of_second: f64,
    /// The same of steps, if one has ended.
    pub(super) step: Option<(u64, u64)>,
    pub(super) of_step: f64,
}

/// How many lines there are and may be.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) limit: usize,
    pub(super) lines: usize,
    /// For how many there was no room at the last reading.
    pub(super) left_out: usize,
}

impl Room {
    pub(super) fn new(limit: usize) -> Room {
        Room { limit, lines: 0, left_out: 0 }
    }

    /// How many more there may be.
    pub(super) fn left(&self) -> usize {
        self.limit.saturating_sub(self.lines)
    }

    fn take(&mut self) -> Option<Line> {
        if self.left() == 0 {
            self.left_out += 1;
            return None;
        }
        self.lines += 1;
        Some(Line::new())
    }
}

impl Metric {
    /// One that has begun from nothing.
    pub(super) fn new(definition: &Arc<Definition>) -> Metric {
        Metric {
            definition: Arc::clone(definition),
            limit: 0,
            amount: Amount::default(),
            now: Now::default(),
            at_step: Some(Amount::default()),
            lines: Default::default(),
            seen: 0,
        }
    }

    /// Whether it was there at the last reading.
    pub(in crate::live) fn is_present(&self) -> bool {
        self.amount.series > 0
    }

    /// Takes in what it has come to. Without knowing what it was at before, nothing is known of the time between.
    pub(super) fn read(&mut self, amount: Amount, is_known: bool, times: &Times, room: &mut Room) {
        let kind = self.definition.kind();
        self.now = amount.since(is_known.then_some(&self.amount), kind, times.of_second);
        (self.amount, self.seen) = (amount, times.second.1);
        for place in 0..LINES.len() {
            let value = self.now.0[place];
            if self.lines[place].is_none() && (lines_of(kind).contains(&place) || value.is_some()) {
                self.lines[place] = room.take();
            }
        }
        self.put(times.second, self.now, Line::second);
        if !is_known {
            self.at_step = None;
        }
        if let Some(step) = times.step {
            self.put(step, self.amount.since(self.at_step.as_ref(), kind, times.of_step), Line::step);
            self.begin_step();
        }
    }

    /// A step begins with what it is at now.
    pub(super) fn begin_step(&mut self) {
        self.at_step = Some(self.amount.clone());
    }

    /// It was not there at a reading.
    pub(super) fn put_gone(&mut self, times: &Times) {
        (self.amount, self.now) = (Amount::default(), Now::default());
        self.put(times.second, Now::default(), Line::second);
        if let Some(step) = times.step {
            self.at_step = Some(Amount::default());
            self.put(step, Now::default(), Line::step);
        }
    }

    pub(super) fn count_lines(&self) -> usize {
        self.lines.iter().flatten().count()
    }

    /// The values of each line.
    pub(super) fn each_line(&self, values: impl Fn(&Line) -> Vec<f64>) -> Vec<(&'static str, Vec<f64>)> {
        let lines = LINES.iter().zip(&self.lines);
        lines.filter_map(|(name, line)| Some((*name, values(line.as_ref()?)))).collect()
    }

    fn put(
        &mut self,
        (before, number): (u64, u64),
        now: Now,
        put: impl Fn(&mut Line, u64, u64, Option<f64>),
    ) {
        for (line, value) in self.lines.iter_mut().zip(now.0) {
            if let Some(line) = line {
                put(line, before, number, value);
            }
        }
    }
}
