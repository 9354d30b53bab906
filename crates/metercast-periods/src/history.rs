//! The hours and days that are over, as sketches.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::sketch::{Grain, Sketch, Union, union};
use crate::time::SLACK;
use crate::window::{DAY, HOUR};

/// How long hours and days are kept: 7 days, and 90 days.
pub(crate) const HOURS: u64 = 7 * 24;
pub(crate) const DAYS: u64 = 90;

pub(crate) const HOURS_OF_A_DAY: u64 = DAY / HOUR;

/// Sketches of hours and of days, by their numbers since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct History {
    pub(crate) hours: BTreeMap<u64, Sketch>,
    pub(crate) days: BTreeMap<u64, Sketch>,
}

impl History {
    /// Adds what came in an hour to it and to its day.
    pub(crate) fn add(&mut self, grain: Grain, hour: u64, sketch: &Sketch) {
        if sketch.is_empty() {
            return;
        }
        for (of, index) in [(&mut self.hours, hour), (&mut self.days, hour / HOURS_OF_A_DAY)] {
            let known = of.entry(index).or_insert(Sketch::EMPTY);
            *known = union(grain, [&*known, sketch]);
        }
    }

    /// The hour that runs by this clock: the last one that is known, if the clock is a little back.
    pub(crate) fn hour(&self, clock: u64) -> u64 {
        let last = self.hours.last_key_value().map(|(hour, _)| *hour);
        last.filter(|last| is_in(clock, *last)).unwrap_or(clock)
    }

    /// Forgets what is older than it is kept for, and what cannot be, since it is later than this hour.
    pub(crate) fn tidy(&mut self, hour: u64) {
        let day = hour / HOURS_OF_A_DAY;
        self.hours.retain(|index, _| *index <= hour && index + HOURS > hour);
        self.days.retain(|index, _| *index <= day && index + DAYS > day);
    }

    /// Adds all of these hours to a union.
    pub(crate) fn hours_to(&self, union: &mut Union, hours: Range<u64>) {
        range(&self.hours, hours).for_each(|sketch| union.add(sketch));
    }

    /// Adds all of these days to a union.
    pub(crate) fn days_to(&self, union: &mut Union, days: Range<u64>) {
        range(&self.days, days).for_each(|sketch| union.add(sketch));
    }
}

/// Whether what comes in this hour is counted in the one that runs.
pub(crate) fn is_in(hour: u64, live: u64) -> bool {
    hour <= live && live - hour <= SLACK / HOUR
}

fn range(of: &BTreeMap<u64, Sketch>, range: Range<u64>) -> impl Iterator<Item = &Sketch> {
    of.range(range.start..range.end.max(range.start)).map(|(_, sketch)| sketch)
}
