//! The reload when the process gets SIGHUP, for programs that ask for it.
//!
//! There is one handler for the process, installed when it first is asked for, and for good. As long as nothing is to be
//! reloaded it does what would have happened without it.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use signal_hook::consts::SIGHUP;
use signal_hook::iterator::Signals as Received;

use super::{end, is_handled};
use crate::telemetry::Running;

/// Something to reload on SIGHUP, until it is dropped.
pub(crate) struct Hangup {
    id: u64,
}

/// What the handler of the process knows.
struct Process {
    /// Whether the program handled or ignored the signal before we did; `None` before we do.
    handled_before: Option<bool>,
    entries: Vec<(u64, Weak<Running>)>,
    next_id: u64,
}

static PROCESS: Mutex<Process> =
    Mutex::new(Process { handled_before: None, entries: Vec::new(), next_id: 0 });

fn process() -> MutexGuard<'static, Process> {
    PROCESS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hangup {
    /// # Errors
    ///
    /// The system gives no handler or no thread.
    pub(crate) fn start(running: &Arc<Running>) -> io::Result<Hangup> {
        let mut process = process();
        if process.handled_before.is_none() {
            let handled_before = is_handled(SIGHUP);
            let received = Received::new([SIGHUP])?;
            std::thread::Builder::new().name("metercast-sighup".to_owned()).spawn(move || wait(received))?;
            process.handled_before = Some(handled_before);
        }
        let id = process.next_id;
        process.next_id += 1;
        process.entries.push((id, Arc::downgrade(running)));
        Ok(Hangup { id })
    }
}

impl Drop for Hangup {
    fn drop(&mut self) {
        process().entries.retain(|(id, _)| *id != self.id);
    }
}

/// The thread that waits for the signal. Several that come during a reload are one.
fn wait(mut received: Received) {
    for _ in received.forever() {
        let (running, nobody) = {
            let process = process();
            let running: Vec<_> = process.entries.iter().filter_map(|(_, entry)| entry.upgrade()).collect();
            (running, process.entries.is_empty() && process.handled_before == Some(false))
        };
        if nobody {
            end(SIGHUP);
        }
        for running in running {
            // The thread goes on whatever a log function does. What went wrong was logged.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(running.reread("SIGHUP"))));
        }
    }
}
