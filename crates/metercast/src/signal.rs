//! The flush when the process is asked to end by SIGTERM.
//!
//! There is one handler for the process, installed when there first is something to flush, and for good: taking it away
//! again would leave the signal ignored. As long as nothing runs it does what would have happened without it.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals as Received;

use crate::config::OnSigterm;
use crate::log::{Level, Log};
use crate::telemetry::{Running, deadline};

/// Something to flush on SIGTERM, until it is dropped.
pub(crate) struct Signals {
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
    timeout: Duration,
    running: Arc<Running>,
    log: Log,
}

static PROCESS: Mutex<Process> =
    Mutex::new(Process { handled_before: None, entries: Vec::new(), next_id: 0 });

/// Told when an entry goes.
static GONE: Condvar = Condvar::new();

/// How long `OnSigterm::Auto` waits for the program to end by itself before it ends it. A program may handle the signal
/// without our knowing, and should not be cut short while it drains; one that does not should not linger.
const GRACE: Duration = Duration::from_secs(10);

fn process() -> MutexGuard<'static, Process> {
    PROCESS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Signals {
    /// `None` if there is nothing to flush, or the program is to be left alone.
    pub(crate) fn start(
        on_sigterm: OnSigterm,
        timeout: Duration,
        running: &Arc<Running>,
        log: &Log,
    ) -> io::Result<Option<Signals>> {
        if on_sigterm == OnSigterm::Ignore || !running.has_pushes() {
            return Ok(None);
        }
        let mut process = process();
        if process.handled_before.is_none() {
            let handled_before = is_handled();
            let received = Received::new([SIGTERM])?;
            std::thread::Builder::new().name("metercast-sigterm".to_owned()).spawn(move || wait(received))?;
            process.handled_before = Some(handled_before);
        }
        let id = process.next_id;
        process.next_id += 1;
        process.entries.push(Entry {
            id,
            on_sigterm,
            timeout,
            running: Arc::clone(running),
            log: log.clone(),
        });
        Ok(Some(Signals { id }))
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        process().entries.retain(|entry| entry.id != self.id);
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
        entries.iter().for_each(Entry::flush);
        let nobody = entries.is_empty();
        if entries.iter().any(|entry| entry.on_sigterm == OnSigterm::Exit) || (nobody && !handled_before) {
            end();
        } else if entries.iter().any(|entry| entry.on_sigterm == OnSigterm::Auto) && !handled_before {
            // Until the program has shut metercast down, which says that it is ending, or was given time enough.
            drop(entries);
            let (process, waited) = GONE
                .wait_timeout_while(process(), GRACE, |process| !process.entries.is_empty())
                .unwrap_or_else(PoisonError::into_inner);
            let left = process.entries.clone();
            drop(process);
            if waited.timed_out() {
                left.iter().for_each(Entry::flush);
                end();
            }
        }
    }
}

impl Entry {
    /// The thread goes on whatever a log function does.
    fn flush(&self) {
        let _ = catch_unwind(AssertUnwindSafe(|| {
            if let Err(error) = self.running.flush(deadline(self.timeout)) {
                self.log.write(Level::Error, &error.to_string());
            }
        }));
    }
}

/// Ends the process as if we had never listened: by the signal, so that its parent sees that.
fn end() {
    let _ = signal_hook::low_level::emulate_default_handler(SIGTERM);
}

/// Whether the program handles or ignores SIGTERM already. Linux says so in the bit masks of `/proc/self/status`;
/// where nothing says so, it is taken to, since ending a process that wants to end by itself would be worse.
fn is_handled() -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return true };
    ["SigCgt:", "SigIgn:"].iter().any(|mask| {
        status
            .lines()
            .find_map(|line| line.strip_prefix(mask))
            .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
            .is_none_or(|mask| mask & (1 << (SIGTERM - 1)) != 0)
    })
}
