//! Panics, where they are counted, and what becomes of the hook that there was.

use std::panic::{catch_unwind, set_hook};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use metercast::snapshot::Point;
use metercast::{InMemoryReader, Store, StoreFutureExt};
use metercast_process::panics;

/// How often the hook ran that was there before.
static BEFORE: AtomicUsize = AtomicUsize::new(0);

/// Returns the line where it panics.
fn panic_here() -> u32 {
    let line = line!() + 1;
    let _ = catch_unwind(|| panic!("on purpose"));
    line
}

/// The panics of a store, by their place.
fn counted(store: &Store) -> Vec<(String, u64)> {
    let snapshot = InMemoryReader::new(store.clone()).collect();
    let Some(family) = snapshot.family("panics") else { return Vec::new() };
    let value = |point: &Point| match point {
        Point::U64(value) => *value,
        other => panic!("{other:?}"),
    };
    family.series.iter().map(|series| (series.labels.to_string(), value(&series.point))).collect()
}

// One test, as there is one hook in a process.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn each_panic_is_counted_by_its_place_and_the_hook_that_was_there_runs_too() {
    let expected = set_hook_that_counts();
    let (one, other) = (Store::new(), Store::new());
    let line = panic_here();
    assert_eq!((expected(), counted(&one)), (1, vec![]), "nobody counts yet");

    // Asked for the first time while a thread panics, which may not change the hook.
    struct Asks(Store);
    impl Drop for Asks {
        fn drop(&mut self) {
            self.0.scope(panics).forever();
        }
    }
    let early = Store::new();
    let _ = catch_unwind(|| {
        let _asks = Asks(early.clone());
        panic!("on purpose");
    });
    assert_eq!((expected(), counted(&early)), (2, vec![]));

    let of_one = one.scope(panics);
    let again = one.scope(panics);
    let of_other = other.scope(panics);
    let place = format!("{{location=\"{}:{line}\"}}", file!());
    thread::spawn(panic_here).join().unwrap();
    assert_eq!(expected(), 3);
    assert_eq!(counted(&early), [(place.clone(), 1)], "from the next call on");
    assert_eq!(counted(&one), [(place.clone(), 1)], "once, though two count in it");
    assert_eq!(counted(&other), [(place.clone(), 1)]);

    // In the scope of one of them it is that one's, on whatever thread.
    one.scope(panic_here);
    let task = tokio::spawn(async { _ = panic_here() }.in_store(one.clone()));
    task.await.unwrap();
    assert_eq!((counted(&one), counted(&other)), (vec![(place.clone(), 3)], vec![(place.clone(), 1)]));
    // In that of another it is everybody's.
    Store::new().scope(panic_here);
    assert_eq!((counted(&one), counted(&other)), (vec![(place.clone(), 4)], vec![(place.clone(), 2)]));

    // A task that panics.
    let task = tokio::spawn(async { panic!("in a task") }.in_store(other.clone()));
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(counted(&other).len(), 2);

    drop((of_one, again));
    panic_here();
    assert_eq!(counted(&one), [(place.clone(), 4)]);
    assert!(counted(&other).contains(&(place, 3)));
    drop(of_other);
    panic_here();
    assert_eq!(counted(&other).iter().map(|(_, count)| count).sum::<u64>(), 4);
    assert_eq!(expected(), 9, "the hook that was there ran each time");
}

/// Counts quietly from now on.
fn set_hook_that_counts() -> impl Fn() -> usize {
    let usual = std::panic::take_hook();
    set_hook(Box::new(move |info| {
        BEFORE.fetch_add(1, Relaxed);
        let text = info.payload().downcast_ref::<&str>().copied();
        if !matches!(text, Some("on purpose" | "in a task")) {
            usual(info);
        }
    }));
    || BEFORE.load(Relaxed)
}
