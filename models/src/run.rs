//! Runs models: the engine as it is holds in every order, and each mutant fails in one of them.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use loom::model::Builder;

use crate::mutants::MUTANTS;

thread_local! {
    /// The mutant that is tried. All of a model's threads are one thread of the system.
    static MUTANT: Cell<&'static str> = const { Cell::new("") };
}

/// Whether this mutant is tried.
pub(crate) fn is(mutant: &'static str) -> bool {
    MUTANT.get() == mutant
}

/// Mutants whose line does not stand in the engine once any more.
const MISSING: &[&str] = include!(concat!(env!("OUT_DIR"), "/missing.rs"));

/// Fewer orders than this, and the model has no race in it: its threads do not meet.
const FEWEST: usize = 100;

/// Something to be run in every order. It spawns each of its actors, and itself only joins them: what its own thread does
/// at the same time, loom does not try in other orders.
pub(crate) struct Model {
    /// How often a thread may be stopped in the middle for another.
    pub(crate) stops: usize,
    pub(crate) run: fn(),
}

impl Model {
    /// The engine as it is holds.
    #[track_caller]
    pub(crate) fn holds(&self) {
        let orders = self.try_orders();
        assert!(orders > FEWEST, "only {orders} orders were tried");
    }

    /// A mutant fails, in these words.
    #[track_caller]
    pub(crate) fn fails(&self, mutant: &'static str, words: &str) {
        let known = MUTANTS.iter().find(|known| known.name == mutant).expect("a name of mutants.rs");
        assert!(!MISSING.contains(&mutant), "{} has no line `{}`, or two of them", known.file, known.right);
        MUTANT.set(mutant);
        let result = panic::catch_unwind(AssertUnwindSafe(|| self.try_orders()));
        MUTANT.set("");
        match result {
            Ok(orders) => panic!("nobody noticed in {orders} orders that {mutant}"),
            Err(payload) => {
                let said = payload
                    .downcast_ref::<String>()
                    .map(String::as_str)
                    .or_else(|| payload.downcast_ref().copied())
                    .unwrap_or_default();
                assert!(said.contains(words), "{mutant}: failed for another reason: {said}");
            }
        }
    }

    fn try_orders(&self) -> usize {
        let orders = Arc::new(AtomicUsize::new(0));
        let (run, counted) = (self.run, Arc::clone(&orders));
        let mut builder = Builder::new();
        builder.preemption_bound = Some(self.stops);
        builder.max_branches = 20_000;
        builder.check(move || {
            counted.fetch_add(1, Relaxed);
            run();
        });
        orders.load(Relaxed)
    }
}

/// Something that the actors of a model share. When a mutant has failed it is forgotten, since loom's objects cannot be used
/// any more.
pub(crate) struct Shared<T: 'static>(Option<Arc<T>>);

impl<T> Shared<T> {
    pub(crate) fn new(value: T) -> Shared<T> {
        Shared(Some(Arc::new(value)))
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Shared<T> {
        Shared(self.0.clone())
    }
}

impl<T> std::ops::Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("it is there until it is dropped")
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::mem::forget(self.0.take());
        }
    }
}
