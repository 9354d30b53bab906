//! `memory`: what a series and an unused instrument take, each measured in a process of its own.

use std::hint::black_box;

use crate::child::{self, Answer};
use crate::heap;
use crate::inputs::Labels;
use crate::report::{Report, Row};
use crate::subjects::{self, FLOOR, Kind, Offer, Purpose, Subject};

const GROUP: &str = "memory";

const CASES: [(&str, Option<Kind>, usize); 3] = [
    ("counter/100k", Some(Kind::Counter), 100_000),
    ("histogram/10k", Some(Kind::Histogram), 10_000),
    ("instrument/unused", None, 1000),
];

pub(super) fn run(report: &mut Report) {
    for (case, ..) in CASES {
        for subject in subjects::ALL.iter().map(|subject| subject.name()).filter(|name| *name != FLOOR) {
            match child::ask(&["memory", case, subject]) {
                Ok(Answer::Values(values)) => {
                    report.add(Row::value(GROUP, case, subject, values[0], "bytes"));
                }
                Ok(Answer::No) => {}
                Ok(Answer::NotYet(why)) => report.not_yet(GROUP, case, subject, &why),
                Err(trouble) => report.trouble(trouble),
            }
        }
    }
}

/// Bytes for each series or instrument.
pub(crate) fn in_child(case: &str, subject: &dyn Subject) -> Result<Answer, String> {
    let found = CASES.iter().find(|(name, ..)| *name == case).ok_or_else(|| format!("no case {case}"))?;
    let (_, kind, number) = *found;
    // What the measuring itself allocates the first time is there before it counts.
    live()?;
    drop(Labels::of_series(number));
    let before = live()?;
    let (kept, static_bytes): (Box<dyn std::any::Any>, u64) = match kind {
        Some(kind) => match subject.registry(kind, number, Purpose::Memory) {
            Offer::Yes(registry) => {
                (0..number).for_each(|index| registry.record(&Labels::of_series(index)));
                registry.keep_up();
                (Box::new(registry), 0)
            }
            Offer::No => return Ok(Answer::No),
            Offer::NotYet(why) => return Ok(Answer::NotYet(why.to_owned())),
        },
        None => match subject.unused(number) {
            Offer::Yes(unused) => (unused.kept, unused.static_bytes),
            Offer::No => return Ok(Answer::No),
            Offer::NotYet(why) => return Ok(Answer::NotYet(why.to_owned())),
        },
    };
    let taken = live()?.saturating_sub(before);
    drop(black_box(kept));
    Ok(Answer::Values(vec![taken as f64 / number as f64 + static_bytes as f64]))
}

fn live() -> Result<u64, String> {
    heap::live().ok_or_else(|| "the heap cannot be looked at on this system".to_owned())
}
