//! The flush when the process is asked to end by SIGTERM.
//!
//! There is one handler for the process, installed when there first is something to flush, and for good: taking it away
//! again would leave the signal ignored. As long as nothing runs it does what would have happened without it.

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals as Received;

use super::{end, is_handled};
use crate::config::OnSigterm;

/// Something to flush on SIGTERM, until it is dropped: metrics, or the traces of `metercast-tracing`.
#[doc(hidden)]
pub struct Signals {
    id: u64,
}

/// What the handler of the process knows.
struct Process {
    /// Whether the program handled or ignored the signal before we did; `None` before we do.
    handled_before: Option<bool>,
    entries: Vec<Entry>,
    next_id: u64,
}

#[derive(Clone)]
struct Entry {
    id: u64,
    on_sigterm: OnSigterm,
    flush: Arc<dyn Fn() + Send + Sync>,
    /// Tells people.
    warn: Arc<dyn Fn(&str) + Send + Sync>,
}

static PROCESS: Mutex<Process> =
    Mutex::new(Process { handled_before: None, entries: Vec::new(), next_id: 0 });

/// Told when an entry goes.
static GONE: Condvar = Condvar::new();

/// How long `OnSigterm::Auto` waits for the program to end by itself before it ends it. A program may handle the signal
/// without our knowing, and should not be cut short while it drains; one that does not should not linger.
const GRACE: Duration = Duration::from_secs(10);

/// Said before the process is ended, for it may come as a surprise to a program that drains for longer.
const ENDED: &str = "SIGTERM: nobody has shut metercast down within 10 s, so the process is ended; on_sigterm = \"flush\" leaves that to the \
                     program";

fn process() -> MutexGuard<'static, Process> {
    PROCESS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Signals {
    /// Installs the handler of the process, unless there is one.
    ///
    /// # Errors
    ///
    /// The system gives no handler or no thread.
    pub fn prepare() -> io::Result<()> {
        let mut process = process();
        if process.handled_before.is_none() {
            let handled_before = is_handled(SIGTERM);
            let received = Received::new([SIGTERM])?;
            std::thread::Builder::new().name("metercast-sigterm".to_owned()).spawn(move || wait(received))?;
            process.handled_before = Some(handled_before);
        }
        Ok(())
    }

    /// From now on this is flushed, by the handler that was installed, which says by `warn` if it has to end the process.
    pub fn start(
        on_sigterm: OnSigterm,
        flush: impl Fn() + Send + Sync + 'static,
        warn: impl Fn(&str) + Send + Sync + 'static,
    ) -> Signals {
        let mut process = process();
        let id = process.next_id;
        process.next_id += 1;
        process.entries.push(Entry { id, on_sigterm, flush: Arc::new(flush), warn: Arc::new(warn) });
        Signals { id }
    }
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signals").field("id", &self.id).finish()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        // What is dropped with it is somebody's code, and may ask for the lock.
        let _gone = {
            let entries = &mut process().entries;
            entries.iter().position(|entry| entry.id == self.id).map(|at| entries.remove(at))
        };
        GONE.notify_all();
    }
}

/// The thread that waits for the signal.
fn wait(mut received: Received) {
    for _ in received.forever() {
        let (entries, handled_before) = {
            let process = process();
            (process.entries.clone(), process.handled_before.unwrap_or(true))
        };
        flush(&entries);
        let nobody = entries.is_empty();
        if entries.iter().any(|entry| entry.on_sigterm == OnSigterm::Exit) || (nobody && !handled_before) {
            end(SIGTERM);
        } else if entries.iter().any(|entry| entry.on_sigterm == OnSigterm::Auto) && !handled_before {
            // Until the program has shut metercast down, which says that it is ending, or was given time enough.
            drop(entries);
            let (process, waited) = GONE
                .wait_timeout_while(process(), GRACE, |process| !process.entries.is_empty())
                .unwrap_or_else(PoisonError::into_inner);
            let left = process.entries.clone();
            drop(process);
            if waited.timed_out() {
                flush(&left);
                if let Some(entry) = left.first() {
                    let _ = catch_unwind(AssertUnwindSafe(|| (entry.warn)(ENDED)));
                }
                end(SIGTERM);
            }
        }
    }
}

/// Flushes all of them side by side: together they take no longer than the one that takes longest.
fn flush(entries: &[Entry]) {
    let Some((first, others)) = entries.split_first() else { return };
    std::thread::scope(|scope| {
        for entry in others {
            let thread = std::thread::Builder::new().name("metercast-sigterm".to_owned());
            if thread.spawn_scoped(scope, || entry.flush()).is_err() {
                // Without a thread it takes its turn.
                entry.flush();
            }
        }
        first.flush();
    });
}

impl Entry {
    /// The thread goes on whatever a log function does.
    fn flush(&self) {
        let _ = catch_unwind(AssertUnwindSafe(|| (self.flush)()));
    }
}
