//! The page for people: what there is, second by second, and whether it is well.
//!
//! ```text
//! thread -> history (what each metric was at) -> events (what has changed, for all who look)
//!                    |
//! a request -> access (may they?) -> answer (which path) -> api/ (JSON), page (HTML)
//! ```

mod access;
mod answer;
mod api;
mod events;
mod facts;
mod history;
mod json;
mod page;
mod sampler;
mod selected;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use metercast_core::Store;

pub(crate) use access::{Client, is_local};
pub(crate) use answer::{Answer, has, lets_in};
use events::Events;
pub(crate) use events::Viewing;
pub(crate) use facts::{ExporterFacts, Facts, Wished};
use history::History;
use sampler::Sampler;

use crate::catalogue::Metric;
use crate::export::Timer;
use crate::health::Health;
use crate::log::Level;
use crate::reader::Reader;

/// What is shown of a program. Clones show the same.
#[derive(Clone)]
pub(crate) struct Live(Arc<Inner>);

struct Inner {
    reader: Reader,
    health: Option<Health>,
    /// What runs, and by which configuration. `None` once all is over.
    facts: Box<dyn Fn() -> Option<Facts> + Send + Sync>,
    /// What the program declares, once somebody has asked; its file does not change while it runs.
    declared: OnceLock<Result<Vec<Metric>, String>>,
    /// Held while the store is read.
    state: Mutex<State>,
    /// The thread that reads every second, once somebody has looked.
    thread: Mutex<Thread>,
    /// One request at a time: those of scrapes have the other thread for themselves.
    turn: tokio::sync::Semaphore,
    /// Who may wait for that.
    waiting: tokio::sync::Semaphore,
}

/// How many requests may be under way at once.
const WAITING: usize = 16;

struct State {
    history: History,
    events: Events,
}

enum Thread {
    NotYet,
    Runs {
        /// Ends the thread when it is dropped.
        _timer: Timer<Sampler>,
    },
    /// There is none any more, and will not be.
    Over,
}

impl Live {
    /// Shows what `reader` reads, with at most so many lines of history. Nothing runs yet.
    pub(crate) fn new(
        reader: Reader,
        health: Option<Health>,
        facts: impl Fn() -> Option<Facts> + Send + Sync + 'static,
    ) -> Live {
        let state = State { history: History::new(0), events: Events::default() };
        Live(Arc::new(Inner {
            reader,
            health,
            facts: Box::new(facts),
            declared: OnceLock::new(),
            state: Mutex::new(state),
            thread: Mutex::new(Thread::NotYet),
            turn: tokio::sync::Semaphore::new(1),
            waiting: tokio::sync::Semaphore::new(WAITING),
        }))
    }

    /// Does from now on what a configuration wishes. Where nobody can look any more, nothing runs.
    pub(crate) fn settle(&self, wished: Wished) {
        let Some(lines) = wished.lines else {
            let mut thread = self.0.thread();
            if matches!(*thread, Thread::Runs { .. }) {
                *thread = Thread::NotYet;
            }
            return;
        };
        self.0.state().history.set_limit(lines);
        if wished.always {
            self.start();
        }
    }

    /// Keeps history from now on, if it does not yet.
    pub(crate) fn start(&self) {
        let mut thread = self.0.thread();
        if !matches!(*thread, Thread::NotYet) {
            return;
        }
        match Timer::prepare("live", sampler::INTERVAL, Sampler::new(&self.0)) {
            Ok(timer) => {
                self.0.read();
                timer.begin();
                *thread = Thread::Runs { _timer: timer };
            }
            Err(error) => {
                let line = format!("the live page keeps no history: cannot start its thread: {error}");
                self.0.reader.log().write_rarely(Level::Warn, "live", &line);
                // Who looks sees at least what is so now.
                drop(thread);
                self.0.read();
            }
        }
    }

    /// Ends the thread, for good. Who looks now sees what was last.
    pub(crate) fn stop(&self) {
        let thread = std::mem::replace(&mut *self.0.thread(), Thread::Over);
        drop(thread);
        self.0.state().events.end();
    }

    fn store(&self) -> &Store {
        self.0.reader.store()
    }
}

impl Inner {
    /// Reads the store, and tells those who look what has changed.
    fn read(&self) {
        let mut state = self.state();
        let State { history, events } = &mut *state;
        if history.read(self.reader.store()) && events.has_viewers() {
            let health = api::health_now(self);
            events.tell(history, &health);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn thread(&self) -> MutexGuard<'_, Thread> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
