//! `stall`: how long a recording can take while all series are read and new ones are made.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::child::{self, Answer};
use crate::inputs::{Labels, Picks};
use crate::measure::{Effort, Latencies, cpus, pin};
use crate::page::Total;
use crate::report::{Report, Row};
use crate::subjects::{self, FLOOR, Kind, Offer, Purpose, Registry, SERIES, Subject};

const GROUP: &str = "stall";

/// The series that are there before.
const SERIES_BEFORE: usize = 100_000;

/// Every so many recordings one makes a new series.
const NEW: u64 = 1000;

/// The figures of one subject, in the order in which a child gives them.
const CASES: [(&str, &str); 5] = [
    ("create_while_scraping/p99999", "us"),
    ("create_while_scraping/max", "us"),
    ("create_while_scraping/over50us", "1/s"),
    ("create_while_scraping/records", "1/s"),
    ("create_while_scraping/scrapes", "1/s"),
];

pub(super) fn run(effort: &Effort, report: &mut Report) {
    if cpus().len() < 2 {
        return report.skip(GROUP, CASES[0].0, "everybody", "there is one processor only");
    }
    let time = effort.stall.as_millis().to_string();
    for subject in subjects::ALL.iter().map(|subject| subject.name()) {
        match child::ask(&["stall", &time, subject]) {
            Ok(Answer::Values(values)) => {
                for ((case, unit), value) in CASES.iter().zip(values) {
                    report.add(Row::value(GROUP, case, subject, value, unit));
                }
            }
            Ok(Answer::No) => {}
            Ok(Answer::NotYet(why)) => report.not_yet(GROUP, CASES[0].0, subject, &why),
            Err(trouble) => report.trouble(trouble),
        }
    }
}

/// Runs for so many milliseconds; the values of [`CASES`].
pub(crate) fn in_child(time: &str, subject: &dyn Subject) -> Result<Answer, String> {
    let time = Duration::from_millis(time.parse().map_err(|error| format!("{time}: {error}"))?);
    let &[first, .., last] = cpus() else {
        return Err("there is one processor only".to_owned());
    };
    // Far more new series than any subject makes in the time.
    let most = SERIES_BEFORE + 20_000 * (time.as_secs() as usize + 1);
    let registry = match subject.registry(Kind::Counter, most, Purpose::Page) {
        Offer::Yes(registry) => registry,
        Offer::No => return Ok(Answer::No),
        Offer::NotYet(why) => return Ok(Answer::NotYet(why.to_owned())),
    };
    let registry = &*registry;
    let old: Vec<_> = (0..SERIES_BEFORE).map(Labels::of_series).collect();
    old.iter().for_each(|labels| registry.record(labels));
    let mut scrapes = 0;
    let recorded = std::thread::scope(|scope| {
        let recorder = scope.spawn(|| {
            pin(last);
            record(registry, &old, most, time)
        });
        pin(first);
        while !recorder.is_finished() {
            registry.page(&mut |piece| {
                black_box(piece);
            });
            scrapes += 1;
        }
        recorder.join()
    });
    let recorded = recorded.map_err(|_| "the recording thread has panicked")?;
    if subject.name() != FLOOR {
        recorded.check(registry)?;
    }
    let per_second = |number: u64| number as f64 / time.as_secs_f64();
    let latencies = &recorded.latencies;
    Ok(Answer::Values(vec![
        latencies.quantile(0.99999) as f64 / 1e3,
        latencies.longest() as f64 / 1e3,
        per_second(latencies.over()),
        per_second(recorded.records),
        per_second(scrapes),
    ]))
}

struct Recorded {
    latencies: Latencies,
    records: u64,
    series: usize,
}

fn record(registry: &dyn Registry, old: &[Labels], most: usize, time: Duration) -> Recorded {
    let mut picks = Picks::new(3);
    let mut recorded = Recorded { latencies: Latencies::new(), records: 0, series: old.len() };
    let begun = Instant::now();
    let mut now = begun;
    while now - begun < time {
        let new = (recorded.records % NEW == NEW - 1 && recorded.series < most).then(|| {
            recorded.series += 1;
            Labels::of_series(recorded.series - 1)
        });
        let labels = new.as_ref().unwrap_or_else(|| &old[picks.below(old.len())]);
        let before = Instant::now();
        registry.record(black_box(labels));
        now = Instant::now();
        recorded.latencies.add((now - before).as_nanos() as u64);
        recorded.records += 1;
    }
    recorded
}

impl Recorded {
    fn check(&self, registry: &dyn Registry) -> Result<(), String> {
        let mut page = Vec::new();
        registry.page(&mut |piece| page.extend_from_slice(piece));
        let expected = Total { series: self.series, sum: self.records + SERIES_BEFORE as u64 };
        let found = Total::of_page(&page, SERIES, false);
        if found == expected { Ok(()) } else { Err(format!("wrote {found:?} where {expected:?} is right")) }
    }
}
