//! The final flush when the process is asked to end.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use signal_hook::consts::SIGTERM;
use signal_hook::iterator::{Handle, Signals as Received};

use crate::config::OnSigterm;
use crate::log::{Level, Log};
use crate::telemetry::Running;

/// Waits for SIGTERM on a thread of its own until it is dropped.
pub(crate) struct Signals {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Signals {
    /// `None` if there is nothing to flush, or the program is to be left alone.
    pub(crate) fn start(
        on_sigterm: OnSigterm,
        timeout: Duration,
        running: &Arc<Running>,
        log: &Log,
    ) -> io::Result<Option<Signals>> {
        let ends = match on_sigterm {
            _ if !running.has_pushes() => return Ok(None),
            OnSigterm::Ignore => return Ok(None),
            OnSigterm::Exit => true,
            OnSigterm::Auto => !is_handled(),
            OnSigterm::Flush => false,
        };
        let (running, log) = (Arc::clone(running), log.clone());
        let mut received = Received::new([SIGTERM])?;
        let handle = received.handle();
        let thread = std::thread::Builder::new().name("metercast-sigterm".to_owned()).spawn(move || {
            for _ in received.forever() {
                if let Err(error) = running.flush(Instant::now() + timeout) {
                    log.write(Level::Error, &error.to_string());
                }
                if ends {
                    // As if we had never listened: the process ends by the signal, and its parent sees that.
                    let _ = signal_hook::low_level::emulate_default_handler(SIGTERM);
                }
            }
        })?;
        Ok(Some(Signals { handle, thread: Some(thread) }))
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.handle.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
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
