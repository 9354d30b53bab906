//! `bridge`: code written against other libraries' macros and types, into metercast and into their own back ends.

mod metrics;
mod opentelemetry;

use super::record::{Case, run_sets};
use crate::measure::Effort;
use crate::report::Report;
use crate::subjects::Subject;

const GROUP: &str = "bridge";

/// One library that others write against.
struct Half {
    /// Cases that are compared with each other are measured in the same rounds.
    sets: &'static [&'static [Case]],
    /// The floor, metercast below the library, and the library's own back ends.
    subjects: &'static [&'static dyn Subject],
}

const HALVES: [Half; 2] = [opentelemetry::HALF, metrics::HALF];

pub(super) fn run(effort: &Effort, report: &mut Report) {
    for half in HALVES {
        run_sets(GROUP, half.sets, half.subjects, effort, report);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::record::has_what_it_was_given;

    #[test]
    fn every_subject_has_what_it_was_given() {
        for half in HALVES {
            has_what_it_was_given(half.sets, half.subjects);
        }
    }
}
