//! Which part of the CPUs the process has used since the reading before.

use std::time::Duration;

use super::reading::{Reading, Usage};

/// The parts used by the program and by the system for it, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Utilization {
    pub(super) user: f64,
    pub(super) system: f64,
}

/// Remembers the reading before.
#[derive(Debug, Default)]
pub(super) struct Since {
    uptime: Duration,
    user: Duration,
    system: Duration,
    last: Option<Utilization>,
}

/// Readings that are nearer to each other are one: what was used in between is too little to be told from nothing.
const SHORTEST: Duration = Duration::from_secs(1);

impl Since {
    /// Since the reading before, which was at least a second ago, of so many CPUs; at first, since the process began.
    pub(super) fn utilization(&mut self, reading: &Reading, cpus: usize) -> Option<Utilization> {
        let (Some(Usage { user, system, .. }), Some(uptime)) = (reading.usage, reading.uptime) else {
            return self.last;
        };
        let elapsed = uptime.saturating_sub(self.uptime);
        if elapsed < SHORTEST && (self.last.is_some() || elapsed.is_zero()) {
            return self.last;
        }
        let of = |used: Duration, before: Duration| {
            used.saturating_sub(before).as_secs_f64() / elapsed.as_secs_f64() / cpus.max(1) as f64
        };
        let last = Utilization { user: of(user, self.user), system: of(system, self.system) };
        *self = Since { uptime, user, system, last: Some(last) };
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(uptime: f64, user: f64, system: f64) -> Reading {
        let usage = Usage {
            user: Duration::from_secs_f64(user),
            system: Duration::from_secs_f64(system),
            minor_faults: 0,
            major_faults: 0,
            voluntary_switches: 0,
            involuntary_switches: 0,
        };
        Reading { usage: Some(usage), uptime: Some(Duration::from_secs_f64(uptime)), ..Reading::default() }
    }

    #[test]
    fn it_is_the_part_of_all_cpus_since_a_reading_that_is_not_too_near() {
        let mut since = Since::default();
        let some = |user, system| Some(Utilization { user, system });
        assert_eq!(since.utilization(&reading(10.0, 4.0, 2.0), 2), some(0.2, 0.1), "since it began");
        assert_eq!(since.utilization(&reading(10.5, 4.5, 2.0), 2), some(0.2, 0.1), "too near");
        assert_eq!(since.utilization(&reading(12.0, 6.0, 2.0), 2), some(0.5, 0.0));
        assert_eq!(since.utilization(&Reading::default(), 2), some(0.5, 0.0), "nothing is known");
        assert_eq!(since.utilization(&reading(11.0, 5.0, 1.0), 2), some(0.5, 0.0), "a clock went back");
        assert_eq!(since.utilization(&reading(14.0, 6.0, 2.0), 0), some(0.0, 0.0));
        assert_eq!(Since::default().utilization(&reading(0.0, 0.0, 0.0), 1), None);
    }
}
