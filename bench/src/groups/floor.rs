//! `floor`: the loop, a locked add and a copy, without any library.

use std::cell::Cell;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::inputs::Labels;
use crate::measure::{BATCH, Crew, Effort, Rounds, calibrate, pinned};
use crate::report::{Report, Row};
use crate::subjects::{FLOOR, Recording, picked, plain};

const GROUP: &str = "floor";

pub(super) fn run(effort: &Effort, report: &mut Report) {
    loops(1, effort, report);
    loops(2, effort, report);
    pinned(|| copies(effort, report));
}

fn loops(threads: usize, effort: &Effort, report: &mut Report) {
    let Some(crew) = Crew::new(threads) else {
        return report.skip(GROUP, "2t", FLOOR, "there are not so many processors");
    };
    let recordings = [
        ("loop/empty", empty()),
        ("loop/input", input()),
        ("add/plain", add(|total| total.store(total.load(Ordering::Relaxed) + 1, Ordering::Relaxed))),
        (
            "add/locked",
            add(|total| {
                total.fetch_add(1, Ordering::Relaxed);
            }),
        ),
        ("add/own", add_own()),
        ("clock", clock()),
    ];
    let times = recordings.each_ref().map(|(_, recording)| calibrate(|times| crew.run(recording, times)));
    let spreads = Rounds::exactly(effort.rounds).run(recordings.len(), |index| {
        crew.run(&recordings[index].1, times[index]).as_secs_f64() * 1e9 / times[index] as f64
    });
    for ((name, _), spread) in recordings.iter().zip(spreads) {
        report.add(Row::spread(GROUP, &format!("{name}/{threads}t"), FLOOR, spread, "ns/op"));
    }
}

fn empty() -> Arc<dyn Recording> {
    Arc::from(plain(|| {}, || 0).boxed())
}

fn input() -> Arc<dyn Recording> {
    let op = |labels: &Labels, amount: f64| {
        black_box((labels, amount));
    };
    Arc::from(picked(op, || 0).boxed())
}

fn add(op: impl Fn(&AtomicU64) + Send + Sync + 'static) -> Arc<dyn Recording> {
    let total = Arc::new(AtomicU64::new(0));
    let of = Arc::clone(&total);
    Arc::from(plain(move || op(&total), move || of.load(Ordering::Relaxed)).boxed())
}

/// A plain add to a word of the thread's own, found through a thread-local pointer.
fn add_own() -> Arc<dyn Recording> {
    thread_local! {
        static OWN: Cell<Option<&'static AtomicU64>> = const { Cell::new(None) };
    }
    let op = || match OWN.get() {
        Some(total) => total.store(total.load(Ordering::Relaxed) + 1, Ordering::Relaxed),
        None => OWN.set(Some(Box::leak(Box::default()))),
    };
    Arc::from(plain(op, || 0).boxed())
}

fn clock() -> Arc<dyn Recording> {
    let op = || {
        black_box(Instant::now());
    };
    Arc::from(plain(op, || 0).boxed())
}

fn copies(effort: &Effort, report: &mut Report) {
    const SIZES: [(&str, usize); 3] =
        [("memcpy/64k", 64 << 10), ("memcpy/8m", 8 << 20), ("memcpy/80m", 80 << 20)];
    let mut pages = SIZES.map(|(_, size)| (vec![b'x'; size], vec![0u8; size]));
    let rounds = Rounds::within(effort.rounds, effort.budget);
    let spreads = rounds.run(SIZES.len(), |index| {
        let (from, to) = &mut pages[index];
        batch(|| copy(from, to))
    });
    for ((name, _), spread) in SIZES.iter().zip(spreads) {
        report.add(Row::spread(GROUP, name, FLOOR, spread, "ms"));
    }
}

/// Copies a page into memory that is there already.
pub(super) fn copy(from: &[u8], to: &mut [u8]) {
    black_box(&mut *to).copy_from_slice(black_box(from));
    black_box(to);
}

/// Milliseconds for each of as many as fit a batch, at least one.
pub(super) fn batch(mut f: impl FnMut()) -> f64 {
    let begun = Instant::now();
    let mut done = 0;
    loop {
        f();
        done += 1;
        let took = begun.elapsed();
        if took >= BATCH {
            return took.as_secs_f64() * 1e3 / f64::from(done);
        }
    }
}
