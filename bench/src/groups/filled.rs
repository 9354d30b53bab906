//! `scrape` and `otlp`: what it costs to read many series.

use std::hint::black_box;

use super::floor::{batch, copy};
use crate::heap;
use crate::inputs::Labels;
use crate::measure::{Effort, Rounds, pinned};
use crate::page::Total;
use crate::report::{Report, Row};
use crate::subjects::{self, FLOOR, Kind, Offer, Purpose, Registry, SERIES};

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    Page,
    Message,
}

const CASES: [(&str, Kind, usize); 4] = [
    ("counter/10k", Kind::Counter, 10_000),
    ("counter/100k", Kind::Counter, 100_000),
    ("counter/1m", Kind::Counter, 1_000_000),
    ("histogram/10k", Kind::Histogram, 10_000),
];

/// Every so many series one changes between two readings.
const CHANGING: usize = 100;

pub(super) fn run(output: Output, effort: &Effort, report: &mut Report) {
    for (name, kind, series) in CASES {
        pinned(|| run_case(output, name, kind, series, effort, report));
    }
}

/// One subject of a case, with all series in it.
struct Entry {
    subject: &'static str,
    registry: Box<dyn Registry>,
    recorded: u64,
    /// How often the last reading asked for memory.
    allocations: u64,
}

fn run_case(output: Output, name: &str, kind: Kind, series: usize, effort: &Effort, report: &mut Report) {
    let (group, purpose) = match output {
        Output::Page => ("scrape", Purpose::Page),
        Output::Message => ("otlp", Purpose::Message),
    };
    let mut entries = Vec::new();
    for subject in subjects::ALL.iter().filter(|subject| subject.name() != FLOOR) {
        match subject.registry(kind, series, purpose) {
            Offer::Yes(registry) => entries.push(Entry::new(subject.name(), registry, series)),
            Offer::No => {}
            Offer::NotYet(why) => report.not_yet(group, name, subject.name(), why),
        }
    }
    let changing: Vec<_> = (0..series).step_by(CHANGING).map(Labels::of_series).collect();
    let mut bytes = Vec::new();
    for entry in entries.iter().rev() {
        // What stays for the copy is from the first subject, metercast where it takes part.
        bytes = entry.read(output);
        if let Err(trouble) = check(output, kind, &bytes, series, entry.recorded) {
            report.trouble(format!("{group} {name} {}: {trouble}", entry.subject));
        }
    }
    // Not zeroes, which the system would only promise until they are written to.
    let mut copied = bytes.clone();
    let rounds = Rounds::within(effort.rounds, effort.budget);
    let spreads = rounds.run(entries.len() + 1, |index| match entries.get_mut(index) {
        Some(entry) => {
            entry.change(&changing);
            batch(|| entry.allocations = heap::allocations(|| entry.skim(output)))
        }
        None => batch(|| copy(&bytes, &mut copied)),
    });
    for (entry, spread) in entries.iter().zip(&spreads) {
        report.add(Row::spread(group, name, entry.subject, *spread, "ms"));
    }
    for entry in &entries {
        let each = entry.allocations as f64 / series as f64;
        report.add(Row::value(group, &format!("{name}/allocs"), entry.subject, each, "allocations/series"));
    }
    if let Some(spread) = spreads.last() {
        report.add(Row::spread(group, &format!("{name}/memcpy"), FLOOR, *spread, "ms"));
    }
    for entry in entries.iter().filter(|_| series <= effort.rereads) {
        if let Err(trouble) = check(output, kind, &entry.read(output), series, entry.recorded) {
            report.trouble(format!("{group} {name} {}, at the end: {trouble}", entry.subject));
        }
    }
}

impl Entry {
    fn new(subject: &'static str, registry: Box<dyn Registry>, series: usize) -> Entry {
        (0..series).for_each(|index| registry.record(&Labels::of_series(index)));
        Entry { subject, registry, recorded: series as u64, allocations: 0 }
    }

    /// Records a little, so that no page is like the one before.
    fn change(&mut self, changing: &[Labels]) {
        changing.iter().for_each(|labels| self.registry.record(labels));
        self.recorded += changing.len() as u64;
    }

    /// Reads everything and keeps nothing.
    fn skim(&self, output: Output) {
        self.each_piece(output, &mut |piece| {
            black_box(piece);
        });
    }

    fn read(&self, output: Output) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.each_piece(output, &mut |piece| bytes.extend_from_slice(piece));
        bytes
    }

    fn each_piece(&self, output: Output, read: &mut dyn FnMut(&[u8])) {
        match output {
            Output::Page => self.registry.page(read),
            Output::Message => self.registry.message(read),
        }
    }
}

fn check(output: Output, kind: Kind, bytes: &[u8], series: usize, recorded: u64) -> Result<(), String> {
    let found = match output {
        Output::Page => Total::of_page(bytes, SERIES, kind == Kind::Histogram),
        Output::Message => Total::of_message(bytes),
    };
    let expected = Total { series, sum: recorded };
    if found == expected { Ok(()) } else { Err(format!("wrote {found:?} where {expected:?} is right")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subject_writes_what_it_was_given() {
        for (output, purpose) in [(Output::Page, Purpose::Page), (Output::Message, Purpose::Message)] {
            for (subject, kind) in subjects::ALL
                .iter()
                .flat_map(|subject| [(subject, Kind::Counter), (subject, Kind::Histogram)])
            {
                let Offer::Yes(registry) = subject.registry(kind, 2500, purpose) else { continue };
                if subject.name() == FLOOR {
                    continue;
                }
                let entry = Entry::new(subject.name(), registry, 2500);
                assert_eq!(
                    check(output, kind, &entry.read(output), 2500, 2500),
                    Ok(()),
                    "{} {kind:?}",
                    subject.name()
                );
            }
        }
    }
}
