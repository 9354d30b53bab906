//! Runs the callbacks of observable instruments on a thread of its own, so that one that hangs delays no reading for long.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use metercast_core::__private::{Registration, Runner};
use metercast_core::Store;

use crate::own;

/// How long the callbacks of a store may take together.
const BUDGET: Duration = Duration::from_secs(1);

/// Lets the callbacks of `store` be run with a limit of time. What takes longer is not waited for: its last values are
/// served, it is not started again until it has returned, and `metercast.observables.late` names it.
pub(crate) fn install(store: &Store) {
    store.set_runner(Some(runner(BUDGET)));
}

fn runner(budget: Duration) -> Runner {
    let worker = Mutex::new(None);
    Arc::new(move |store, registrations| run(&worker, store, registrations, Instant::now() + budget))
}

/// A thread that runs one callback at a time. It ends when it is dropped, or when the callback that it is in returns.
struct Worker {
    jobs: Sender<(Store, Arc<Registration>)>,
    done: Receiver<()>,
}

impl Worker {
    fn start() -> Option<Worker> {
        let (jobs, to_do) = channel::<(Store, Arc<Registration>)>();
        let (did, done) = channel();
        let work = move || {
            for (store, registration) in to_do {
                registration.run(&store);
                if did.send(()).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().name("metercast-observe".into()).spawn(work).ok()?;
        Some(Worker { jobs, done })
    }

    /// Whether the callback returned in time.
    fn run(&self, store: &Store, registration: &Arc<Registration>, deadline: Instant) -> bool {
        let job = (store.clone(), Arc::clone(registration));
        self.jobs.send(job).is_ok()
            && self.done.recv_timeout(deadline.saturating_duration_since(Instant::now())).is_ok()
    }
}

fn run(
    worker: &Mutex<Option<Worker>>,
    store: &Store,
    registrations: &[Arc<Registration>],
    deadline: Instant,
) {
    let mut worker = worker.lock().unwrap_or_else(PoisonError::into_inner);
    for (at, registration) in registrations.iter().enumerate() {
        if registration.is_running() {
            own::late(store, registration.name());
            continue;
        }
        if Instant::now() >= deadline {
            // Those who come after a slow one are not late themselves; they run when they can, for the next reading.
            return run_without_us(store.clone(), registrations[at..].to_vec());
        }
        if worker.is_none() {
            *worker = Worker::start();
        }
        match &*worker {
            Some(running) if running.run(store, registration, deadline) => {}
            Some(_) => {
                own::late(store, registration.name());
                // Left to itself; the next callback gets another.
                *worker = None;
            }
            // Without a thread there is no limit either.
            None => drop(registration.run(store)),
        }
    }
}

/// Runs callbacks for whom nobody waits. Without a thread they wait for the next reading.
fn run_without_us(store: Store, registrations: Vec<Arc<Registration>>) {
    let work = move || registrations.iter().for_each(|registration| drop(registration.run(&store)));
    let _ = thread::Builder::new().name("metercast-observe".into()).spawn(work);
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, Sender};

    use metercast_core::metrics;
    use metercast_core::reading::Point;

    use super::*;

    metrics! {
        /// Says its value at once.
        static QUICK: ObservableGauge<u64> = "observer.quick";
        /// Waits for the test.
        static HANGING: ObservableGauge<u64> = "observer.hanging";
    }

    fn value(store: &Store, name: &str) -> Option<Point> {
        let families = store.collect();
        let family = families.iter().find(|family| family.definition.name() == name)?;
        Some(family.series[0].point.clone())
    }

    #[test]
    fn a_callback_that_hangs_is_left_alone_with_its_last_value_and_named() {
        let store = Store::new();
        // No time at all for whoever does not answer at once, and all the time for who does.
        store.set_runner(Some(runner(Duration::from_millis(200))));
        let (gate, wait): (Sender<()>, _) = mpsc::channel();
        let (ended, has_ended) = mpsc::channel();
        let mut round = 0u64;
        let _handles = store.scope(|| {
            let hanging = HANGING.observe(move |observer| {
                round += 1;
                if round == 2 {
                    let _ = wait.recv();
                    let _ = ended.send(());
                }
                observer.set(round);
            });
            let mut quick = 0;
            let quick = QUICK.observe(move |observer| {
                quick += 1;
                observer.set(quick);
            });
            (hanging, quick)
        });
        assert_eq!(value(&store, "observer.hanging"), Some(Point::U64(1)));
        assert_eq!(
            value(&store, "observer.hanging"),
            Some(Point::U64(1)),
            "it hangs: the last value is served"
        );
        let before = value(&store, "observer.quick");
        assert_ne!(value(&store, "observer.quick"), before, "others run on");
        assert!(matches!(value(&store, "metercast.observables.late"), Some(Point::U64(late)) if late >= 2));
        drop(gate);
        has_ended.recv().unwrap();
        while value(&store, "observer.hanging") == Some(Point::U64(1)) {
            thread::yield_now();
        }
        assert_eq!(value(&store, "observer.hanging").map(|point| point == Point::U64(1)), Some(false));
    }
}
