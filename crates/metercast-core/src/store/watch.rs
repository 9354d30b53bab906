//! Who records outside of every scope, and where: noted for tests, at no cost to anybody while nobody watches.

use std::collections::HashMap;
use std::panic::Location;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Thread, ThreadId};

use super::{GLOBAL, Inner};
use crate::definition::{Descriptor, Place};
use crate::{local, lock};

/// Notes every recording that lands in the [global store](super::Store::global) for as long as it lives: what tests want to
/// know, whose own recordings belong to a scope. What is recorded is kept as ever, and noted as well. Recording outside of
/// scopes is slower meanwhile, since all of it takes the slow path and a lock; recording into other stores is not.
///
/// Noted are recordings of all instruments and call sites, through handles too, guards and timers when they are made,
/// and observations when they are registered. Not noted is what was under way when the watch began, and what a guard or a timer
/// does when it ends, for that belongs to its beginning. At most 1,000 different ones are kept.
///
/// ```
/// use metercast_core::{Store, Watch, u64_counter};
///
/// let watch = Watch::begin();
/// Store::new().scope(|| u64_counter!("orders", "Orders placed", 1));
/// assert!(watch.noted().is_empty());
/// u64_counter!("orders", "Orders placed", 1);
/// let noted = &watch.noted()[0];
/// assert_eq!((noted.metric, noted.count), ("orders", 1));
/// assert!(noted.place.file.ends_with(".rs"));
/// ```
#[derive(Debug)]
pub struct Watch {
    number: u64,
}

/// Recordings of one metric from one place by one thread, as a [`Watch`] noted them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Noted {
    /// The name of the metric.
    pub metric: &'static str,
    /// Where it was recorded.
    pub place: Place,
    /// Who recorded; `None` if that thread was just ending.
    pub thread: Option<Thread>,
    /// How many recordings there were.
    pub count: u64,
}

/// The notes of all watches.
#[derive(Default)]
struct Notes {
    /// In the order of their numbers, of watches that live.
    watches: Vec<u64>,
    /// In the order of their first recording.
    noted: Vec<OfWatches>,
    index: HashMap<(&'static str, Place, Option<ThreadId>), usize>,
}

/// What was noted, and how many there had been when each watch began that did not begin before all of them.
struct OfWatches {
    noted: Noted,
    before: Vec<(u64, u64)>,
}

static NOTES: Mutex<Option<Notes>> = Mutex::new(None);

/// How many different ones are kept, until no watch lives.
const MOST: usize = 1_000;

impl Watch {
    /// A watch of what is recorded from now on.
    #[must_use = "a watch ends when it is dropped"]
    pub fn begin() -> Watch {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Relaxed);
        with_notes(|notes| {
            let notes = notes.get_or_insert_default();
            for of_watches in &mut notes.noted {
                of_watches.before.push((number, of_watches.noted.count));
            }
            notes.watches.push(number);
            if notes.watches.len() == 1 {
                GLOBAL.begin_watch();
            }
        });
        Watch { number }
    }

    /// What was recorded since this watch began, in the order of the first.
    pub fn noted(&self) -> Vec<Noted> {
        with_notes(|notes| {
            let all = notes.iter().flat_map(|notes| &notes.noted);
            let since = all.map(|of_watches| {
                let before = of_watches.before.iter().find(|(number, _)| *number == self.number);
                let count = of_watches.noted.count - before.map_or(0, |(_, count)| *count);
                Noted { count, ..of_watches.noted.clone() }
            });
            since.filter(|noted| noted.count > 0).collect()
        })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        with_notes(|all| {
            let Some(notes) = all else { return };
            notes.watches.retain(|number| *number != self.number);
            for of_watches in &mut notes.noted {
                of_watches.before.retain(|(number, _)| *number != self.number);
            }
            if notes.watches.is_empty() {
                GLOBAL.end_watch();
                *all = None;
            }
        });
    }
}

impl Inner {
    /// Notes a recording that lands here, if somebody watches. Runs where locks and memory may be taken.
    #[inline]
    pub(crate) fn note(&self, descriptor: &'static Descriptor, place: impl FnOnce() -> Place) {
        if self.is_watched() {
            note(descriptor, place());
        }
    }
}

#[cold]
fn note(descriptor: &'static Descriptor, place: Place) {
    // The standard library does not say which thread it is once that has ended.
    let thread = local::will_see_the_end().then(thread::current);
    // Recording waits for nobody for long.
    let Some(mut notes) = lock::patiently(&NOTES) else { return };
    let Some(Notes { noted, index, .. }) = notes.as_mut() else { return };
    let key = (descriptor.name, place, thread.as_ref().map(Thread::id));
    if let Some(at) = index.get(&key) {
        noted[*at].noted.count += 1;
    } else if noted.len() < MOST {
        index.insert(key, noted.len());
        let first = Noted { metric: descriptor.name, place, thread, count: 1 };
        noted.push(OfWatches { noted: first, before: Vec::new() });
    }
}

/// Runs `f` with the notes, while an allocator that records on this thread does without them; with nothing if it is such an allocator that asks.
fn with_notes<R: Default>(f: impl FnOnce(&mut Option<Notes>) -> R) -> R {
    local::slowly(|| f(&mut NOTES.lock().unwrap_or_else(PoisonError::into_inner))).unwrap_or_default()
}

impl From<&'static Location<'static>> for Place {
    fn from(location: &'static Location<'static>) -> Place {
        Place { file: location.file(), line: location.line() }
    }
}
