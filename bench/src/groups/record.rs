//! `record`: what one recording costs.

use std::sync::Arc;

use crate::child::Answer;
use crate::inputs::Picks;
use crate::measure::{Crew, Effort, Rounds, calibrate, cpus, pin};
use crate::report::{Report, Row};
use crate::subjects::{self, Expect, Offer, Recording, Subject, What};

const GROUP: &str = "record";

/// One recording, made in one way.
#[derive(Clone, Copy)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) what: What,
    pub(super) threads: usize,
    pub(super) exporters: usize,
}

const fn case(name: &'static str, what: What, threads: usize) -> Case {
    Case { name, what, threads, exporters: 1 }
}

/// Cases that are compared with each other are measured in the same rounds.
const SETS: [&[Case]; 14] = [
    &[case("counter/none/1t", What::Counter, 1)],
    &[case("counter/none/2t", What::Counter, 2)],
    &[
        case("counter/dynamic3/1t", What::CounterDynamic, 1),
        Case { name: "counter/dynamic3/1t/exporters2", what: What::CounterDynamic, threads: 1, exporters: 2 },
        Case { name: "counter/dynamic3/1t/exporters3", what: What::CounterDynamic, threads: 1, exporters: 3 },
    ],
    &[case("counter/dynamic3/2t", What::CounterDynamic, 2)],
    &[case("counter/typed3/1t", What::CounterTyped, 1)],
    &[case("counter/bound/1t", What::CounterBound, 1)],
    &[case("histogram/dynamic3/1t", What::HistogramDynamic, 1)],
    &[case("histogram/dynamic3/2t", What::HistogramDynamic, 2)],
    &[case("histogram/bound/1t", What::HistogramBound, 1)],
    &[case("gauge/none/1t", What::Gauge, 1)],
    &[case("counter/off/1t", What::CounterOff, 1)],
    &[case("unique/exact/1t", What::UniqueExact, 1)],
    &[case("unique/estimated/1t", What::UniqueEstimated, 1)],
    &[case("unique/estimated/2t", What::UniqueEstimated, 2)],
];

pub(super) fn run(effort: &Effort, report: &mut Report) {
    run_sets(GROUP, &SETS, subjects::ALL, effort, report);
}

/// Measures these subjects; the cases of a set in the same rounds.
pub(super) fn run_sets(
    group: &'static str,
    sets: &[&[Case]],
    subjects: &[&dyn Subject],
    effort: &Effort,
    report: &mut Report,
) {
    for set in sets {
        match Crew::new(set[0].threads) {
            Some(crew) => run_set(group, set, subjects, &crew, effort, report),
            None => report.skip(group, set[0].name, "everybody", "there are not so many processors"),
        }
    }
}

fn run_set(
    group: &'static str,
    set: &[Case],
    subjects: &[&dyn Subject],
    crew: &Crew,
    effort: &Effort,
    report: &mut Report,
) {
    let mut entries = Vec::new();
    for case in set {
        for subject in subjects {
            match subject.recording(case.what, case.exporters) {
                Offer::Yes(recording) => entries.push(Entry::new(case.name, subject.name(), recording, crew)),
                Offer::No => {}
                Offer::NotYet(why) => report.not_yet(group, case.name, subject.name(), why),
            }
        }
    }
    let spreads = Rounds::exactly(effort.rounds).run(entries.len(), |index| entries[index].batch(crew));
    for (entry, spread) in entries.iter().zip(spreads) {
        report.add(Row::spread(group, entry.case, entry.subject, spread, "ns/op"));
        if let Err(trouble) = entry.check() {
            report.trouble(format!("{group} {} {}: {trouble}", entry.case, entry.subject));
        }
    }
}

/// One subject of a case.
struct Entry {
    case: &'static str,
    subject: &'static str,
    recording: Arc<dyn Recording>,
    /// How many recordings make a batch.
    times: u64,
    /// What the subject had before, and what was recorded since.
    before: u64,
    recorded: u64,
}

impl Entry {
    fn new(case: &'static str, subject: &'static str, recording: Box<dyn Recording>, crew: &Crew) -> Entry {
        let recording: Arc<dyn Recording> = recording.into();
        let before = recording.total();
        let mut recorded = 0;
        let times = calibrate(|times| {
            recorded += times * crew.size() as u64;
            crew.run(&recording, times)
        });
        Entry { case, subject, recording, times, before, recorded }
    }

    /// Nanoseconds for each recording.
    fn batch(&mut self, crew: &Crew) -> f64 {
        self.recording.keep_up();
        self.recorded += self.times * crew.size() as u64;
        crew.run(&self.recording, self.times).as_secs_f64() * 1e9 / self.times as f64
    }

    /// Whether everything that was recorded is there.
    fn check(&self) -> Result<(), String> {
        let expected = match self.recording.expect() {
            Expect::More => self.before + self.recorded,
            Expect::Exactly(value) => value,
        };
        let total = self.recording.total();
        if total == expected { Ok(()) } else { Err(format!("has {total} where {expected} is right")) }
    }
}

/// Records so often on one thread and measures nothing: for a tool that counts instructions.
pub(crate) fn repeat(case: &str, subject: &dyn Subject, times: &str) -> Result<Answer, String> {
    let found = SETS
        .into_iter()
        .flatten()
        .find(|found| found.name == case)
        .ok_or_else(|| format!("no case {case}"))?;
    let times = times.parse().map_err(|error| format!("{times}: {error}"))?;
    pin(cpus().last().copied().unwrap_or_default());
    Ok(match subject.recording(found.what, found.exporters) {
        Offer::Yes(recording) => {
            recording.run(times, &mut Picks::new(0));
            Answer::Values(vec![recording.total() as f64])
        }
        Offer::No => Answer::No,
        Offer::NotYet(why) => Answer::NotYet(why.to_owned()),
    })
}

/// Records a little in each case and looks whether it is there.
#[cfg(test)]
pub(super) fn has_what_it_was_given(sets: &[&[Case]], subjects: &[&dyn Subject]) {
    for case in sets.iter().copied().flatten() {
        for subject in subjects {
            let Offer::Yes(recording) = subject.recording(case.what, case.exporters) else { continue };
            let before = recording.total();
            recording.run(1000, &mut Picks::new(0));
            let expected = match recording.expect() {
                Expect::More => before + 1000,
                Expect::Exactly(value) => value,
            };
            assert_eq!(recording.total(), expected, "{} {}", case.name, subject.name());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subject_has_what_it_was_given() {
        has_what_it_was_given(&SETS, subjects::ALL);
    }
}
