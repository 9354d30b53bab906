//! Callbacks that say a value when a store is read: who is registered, and who runs them.
//!
//! No lock is held while a callback runs. Whoever reads first runs all callbacks, one after the other; who reads
//! meanwhile waits for that and shares what they said. Only a callback that reads never waits.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use super::Store;
use super::guarded::guarded;
use super::observed::{Observed, Points};
use crate::definition::{Definition, Place};

/// What an instrument makes of the closure that it is given: says its values into the first points. The second are
/// those that it said the last time.
pub(crate) type Callback = Box<dyn FnMut(&mut Points, &Points) + Send>;

/// Says everything anew, of as many metrics as it knows. It is given what it said the last time.
pub(crate) type Run = Box<dyn FnMut(&[Arc<Points>]) -> Vec<Arc<Points>> + Send>;

/// The callbacks of a store.
pub(crate) struct Observables(OnceLock<Arc<Shared>>);

/// Shared with the handles, which may outlive the store and do not keep it.
pub(crate) struct Shared {
    registrations: Mutex<Registrations>,
    /// Who runs them, if not whoever reads.
    runner: Mutex<Option<Runner>>,
    flight: Mutex<Flight>,
    landed: Condvar,
}

/// Runs all callbacks of a store that it finds not running, in a way of its own: on a thread with a time limit.
#[doc(hidden)]
pub type Runner = Arc<dyn Fn(&Store, &[Arc<Registration>]) + Send + Sync>;

#[derive(Default)]
struct Registrations {
    /// Counts up, so that the order of the keys is that of registration.
    next: u64,
    live: BTreeMap<u64, Arc<Registration>>,
}

/// The run of all callbacks that readers share.
#[derive(Default)]
struct Flight {
    number: u64,
    /// Whether one is under way.
    up: bool,
    /// How many readers wait for it.
    waiting: usize,
    /// What came out of the last one.
    last: Arc<Observed>,
}

thread_local! {
    /// How many callbacks this thread is in.
    static INSIDE: Cell<u32> = const { Cell::new(0) };
}

impl Observables {
    pub(crate) const fn new() -> Observables {
        Observables(OnceLock::new())
    }

    /// Registers a callback; the key with which [`Shared::remove`] ends it.
    pub(crate) fn register(
        &self,
        definition: &'static Arc<Definition>,
        place: Place,
        mut callback: Callback,
    ) -> (Weak<Shared>, u64) {
        let nothing = Points::new(definition);
        let run = move |before: &[Arc<Points>]| {
            let mut points = Points::new(definition);
            callback(&mut points, before.first().map_or(&nothing, |before| before));
            vec![points.finished()]
        };
        self.register_run(definition.name, place, Box::new(run))
    }

    /// The same for one that says the values of any metrics; `name` is what it is called.
    pub(crate) fn register_run(&self, name: &'static str, place: Place, run: Run) -> (Weak<Shared>, u64) {
        let shared = self.0.get_or_init(Shared::new);
        let registration = Arc::new(Registration::new(name, place, run));
        let mut registrations = lock(&shared.registrations);
        let key = registrations.next;
        registrations.next += 1;
        registrations.live.insert(key, registration);
        (Arc::downgrade(shared), key)
    }

    /// Lets somebody else run the callbacks from now on, or again whoever reads.
    pub(crate) fn set_runner(&self, runner: Option<Runner>) {
        *lock(&self.0.get_or_init(Shared::new).runner) = runner;
    }

    /// All that are registered, oldest first.
    pub(crate) fn registrations(&self) -> Vec<Arc<Registration>> {
        self.0.get().map(|shared| shared.registrations()).unwrap_or_default()
    }

    /// What all callbacks and the gauge sets of `store` say now. Runs each callback once, or shares a run that is
    /// under way.
    pub(crate) fn run(&self, store: &Store) -> Arc<Observed> {
        let inner = store.inner();
        let Some(shared) = self.0.get().filter(|_| inner.is_enabled()) else { return self.last(store) };
        let mut flight = lock(&shared.flight);
        if flight.up {
            // A callback must not wait for callbacks, since they may be waiting for it.
            if INSIDE.get() > 0 {
                return shared.gather(&mut flight, store);
            }
            let number = flight.number;
            flight.waiting += 1;
            while flight.up && flight.number == number {
                flight = shared.landed.wait(flight).unwrap_or_else(PoisonError::into_inner);
            }
            flight.waiting -= 1;
            return Arc::clone(&flight.last);
        }
        flight.up = true;
        flight.number += 1;
        drop(flight);
        let crash = Crash(shared);
        let registrations = shared.registrations();
        let runner = lock(&shared.runner).clone();
        match runner {
            Some(runner) => runner(store, &registrations),
            None => registrations.iter().for_each(|registration| drop(registration.run(store))),
        }
        mem::forget(crash);
        // In one step with the landing: who unregisters and then reads either is seen here or flies anew.
        let mut flight = lock(&shared.flight);
        let observed = shared.gather(&mut flight, store);
        shared.land(&mut flight);
        observed
    }

    /// What the callbacks said when they last ran, and the gauge sets as they are now.
    pub(crate) fn last(&self, store: &Store) -> Arc<Observed> {
        let inner = store.inner();
        match self.0.get() {
            Some(shared) if inner.is_enabled() => shared.gather(&mut lock(&shared.flight), store),
            _ => Arc::new(Observed { by_definition: inner.gauge_sets.all() }),
        }
    }
}

impl Shared {
    fn new() -> Arc<Shared> {
        Arc::new(Shared {
            registrations: Mutex::default(),
            runner: Mutex::default(),
            flight: Mutex::default(),
            landed: Condvar::new(),
        })
    }

    fn registrations(&self) -> Vec<Arc<Registration>> {
        lock(&self.registrations).live.values().map(Arc::clone).collect()
    }

    /// Ends a registration. Does not wait if its callback runs.
    pub(crate) fn remove(&self, key: u64) {
        // Not in the condition itself, where the lock would live on while the callback is dropped.
        let removed = lock(&self.registrations).live.remove(&key);
        if let Some(registration) = removed {
            registration.end();
        }
    }

    /// Puts together what is there.
    fn gather(&self, flight: &mut Flight, store: &Store) -> Arc<Observed> {
        let sets = store.inner().gauge_sets.all();
        let mut said: HashMap<u32, Vec<Arc<Points>>> =
            sets.iter().map(|(definition, points)| (*definition, vec![Arc::clone(points)])).collect();
        for points in self.registrations().iter().flat_map(|registration| registration.last()) {
            said.entry(points.definition().id).or_default().push(points);
        }
        let merged = said.into_iter().filter_map(|(definition, points)| {
            let before = flight.last.by_definition.get(&definition).map(|points| &**points);
            let points = Points::merged(&points, before)?;
            // Sets report for themselves.
            if sets.get(&definition).is_none_or(|set| !Arc::ptr_eq(set, &points)) {
                points.report(store, before);
            }
            Some((definition, points))
        });
        let observed = Arc::new(Observed { by_definition: merged.collect() });
        flight.last = Arc::clone(&observed);
        observed
    }

    fn land(&self, flight: &mut Flight) {
        flight.up = false;
        self.landed.notify_all();
    }
}

/// Ends a flight that did not come to its end, so that nobody waits for ever.
struct Crash<'a>(&'a Shared);

impl Drop for Crash<'_> {
    fn drop(&mut self) {
        self.0.land(&mut lock(&self.0.flight));
    }
}

/// One callback, from registration to the end of its handle or its store.
///
/// For whoever runs callbacks in a way of its own, such as on a thread with a time limit; not for use by hand.
#[doc(hidden)]
pub struct Registration {
    name: &'static str,
    place: Place,
    state: Mutex<State>,
}

struct State {
    /// `None` while it runs, and when it has ended.
    callback: Option<Run>,
    running: bool,
    /// Whether its handle was dropped.
    ended: bool,
    /// Whether a panic of it was reported.
    reported: bool,
    /// By metric.
    last: Vec<Arc<Points>>,
}

impl Registration {
    fn new(name: &'static str, place: Place, callback: Run) -> Registration {
        let (running, ended, reported, last) = (false, false, false, Vec::new());
        let state = State { callback: Some(callback), running, ended, reported, last };
        Registration { name, place, state: Mutex::new(state) }
    }

    /// The metric whose values it says, or what it is called if it says those of several.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Where it was registered.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Whether it is running, on whichever thread.
    pub fn is_running(&self) -> bool {
        lock(&self.state).running
    }

    /// What it said when it last ran: nothing if it never did, panicked or has ended.
    pub fn last(&self) -> Vec<Arc<Points>> {
        lock(&self.state).last.clone()
    }

    /// Runs the callback in the scope of `store`, the one that it is registered in, and gives what it said. One that is
    /// running is not run again, nor waited for: what it last said is what there is.
    pub fn run(&self, store: &Store) -> Vec<Arc<Points>> {
        if !store.inner().is_enabled() {
            return self.last();
        }
        let mut state = lock(&self.state);
        let before = state.last.clone();
        let Some(mut callback) = state.callback.take() else { return before };
        state.running = true;
        drop(state);

        let mut points = Vec::new();
        let panic = call(store, || points = callback(&before));

        let mut state = lock(&self.state);
        state.running = false;
        let report = panic.filter(|_| !mem::replace(&mut state.reported, true));
        let ended = if state.ended {
            Some(callback)
        } else {
            state.callback = Some(callback);
            state.last.clone_from(&points);
            None
        };
        drop(state);

        if let Some(message) = report {
            let place = self.place;
            let message = format!(
                "has a callback that panicked: {message}; registered at {place}, it is left out of the readings in \
                 which it panics"
            );
            store.inner().problems.report(self.name, message);
        }
        // What it holds is somebody else's code again.
        call(store, || drop(ended));
        points
    }

    fn end(&self) {
        let mut state = lock(&self.state);
        state.ended = true;
        state.last = Vec::new();
        let callback = state.callback.take();
        drop(state);
        drop(callback);
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Runs a callback in the scope of `store`; what it said if it panicked.
fn call(store: &Store, f: impl FnOnce()) -> Option<String> {
    INSIDE.set(INSIDE.get() + 1);
    let outcome = guarded(|| store.scope(f));
    INSIDE.set(INSIDE.get() - 1);
    outcome.err()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;
    use crate::reading::Point;

    crate::metrics! {
        /// Slow.
        static SLOW: ObservableGauge<u64> = "observables.slow";
        /// Next to it.
        static NEXT: ObservableGauge<u64> = "observables.next";
    }

    fn shared(store: &Store) -> &Shared {
        store.inner().observables.0.get().unwrap()
    }

    /// The metrics of which callbacks said something when they last ran.
    fn last(store: &Store) -> Vec<&'static str> {
        let observed = store.inner().observables.last(store);
        let said = observed.by_definition.values().filter(|points| !points.series().is_empty());
        let mut names: Vec<_> = said.map(|points| points.definition().name()).collect();
        names.sort_unstable();
        names
    }

    /// To be called in a callback: the first time it says that it is in, and comes out with the number that it is sent.
    fn gate() -> (impl FnMut() -> u64 + Send, mpsc::Receiver<()>, mpsc::Sender<u64>) {
        let (entered, is_in) = mpsc::channel();
        let (release, released) = mpsc::channel();
        let mut got = None;
        let wait = move || {
            *got.get_or_insert_with(|| {
                entered.send(()).unwrap();
                released.recv().unwrap()
            })
        };
        (wait, is_in, release)
    }

    #[test]
    fn who_reads_while_callbacks_run_waits_and_shares_what_they_say() {
        let store = Store::new();
        let (mut wait, is_in, release) = gate();
        let _observation = store.scope(|| SLOW.observe(move |o| o.set(wait())));
        thread::scope(|scope| {
            let first = scope.spawn(|| store.observed());
            is_in.recv().unwrap();
            let second = scope.spawn(|| store.observed());
            while lock(&shared(&store).flight).waiting == 0 {
                thread::yield_now();
            }
            release.send(7).unwrap();
            assert!(Arc::ptr_eq(&first.join().unwrap(), &second.join().unwrap()));
        });
    }

    #[test]
    fn callbacks_that_read_each_others_stores_do_not_wait_for_each_other() {
        let (a, b) = (Store::new(), Store::new());
        let (mut wait_a, in_a, release_a) = gate();
        let (mut wait_b, in_b, release_b) = gate();
        let _observations = [
            a.scope({
                let b = b.clone();
                move || SLOW.observe(move |o| o.set(wait_a() + b.collect().len() as u64))
            }),
            b.scope({
                let a = a.clone();
                move || SLOW.observe(move |o| o.set(wait_b() + a.collect().len() as u64))
            }),
        ];
        thread::scope(|scope| {
            let (of_a, of_b) = (scope.spawn(|| a.collect()), scope.spawn(|| b.collect()));
            in_a.recv().unwrap();
            in_b.recv().unwrap();
            // The callback of `a` reads `b` while that of `b` cannot come to its end.
            release_a.send(1).unwrap();
            assert_eq!(of_a.join().unwrap()[0].series[0].point, Point::U64(1));
            release_b.send(1).unwrap();
            assert_eq!(of_b.join().unwrap()[0].series[0].point, Point::U64(2));
        });
        // Else each would keep the other for ever.
        for store in [&a, &b] {
            shared(store).remove(0);
        }
    }

    #[test]
    fn a_callback_that_hangs_holds_up_nobody_who_runs_them_one_by_one() {
        let store = Store::new();
        let (mut wait, is_in, release) = gate();
        let mut runs = 0;
        let _observations = store.scope(|| {
            [
                SLOW.observe(move |o| o.set(wait())),
                NEXT.observe(move |o| {
                    runs += 1;
                    o.set(runs);
                }),
            ]
        });
        let [slow, next] = &store.inner().observables.registrations()[..] else {
            panic!("two are registered")
        };
        assert_eq!(slow.name(), "observables.slow");
        thread::scope(|scope| {
            let hanging = scope.spawn(|| slow.run(&store));
            is_in.recv().unwrap();
            assert!(slow.is_running() && !next.is_running());
            assert_eq!(slow.run(&store).len(), 0, "it is not run twice at once");
            next.run(&store);
            assert_eq!(last(&store), ["observables.next"]);
            release.send(7).unwrap();
            assert_eq!(hanging.join().unwrap()[0].series().len(), 1);
        });
        assert!(!slow.is_running());
        assert_eq!(last(&store), ["observables.next", "observables.slow"]);
    }

    #[test]
    fn a_flight_that_crashes_keeps_nobody_waiting() {
        let store = Store::new();
        let _observation = store.scope(|| NEXT.observe(|o| o.set(1)));
        lock(&shared(&store).flight).up = true;
        drop(Crash(shared(&store)));
        assert_eq!(store.collect().len(), 1);
    }
}
