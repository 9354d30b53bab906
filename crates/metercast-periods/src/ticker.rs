//! Looking at the clock: at the end of each hour, and at an interval.

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use metercast::__private::OnAdvance;

use crate::periods::Inner;
use crate::window::HOUR;

/// Looks at the clock until it is dropped.
pub(crate) enum Ticker {
    /// On a thread of its own.
    Thread(Option<SyncSender<()>>, Option<JoinHandle<()>>),
    /// Whenever a test lets time pass, before exporters hand over what there is in the time that it is then.
    Mocked { _on_advance: OnAdvance },
}

/// A clock that is set while we wait is noticed after this.
const LONGEST: Duration = Duration::from_secs(60);

impl Ticker {
    /// # Errors
    ///
    /// The system gives no thread.
    pub(crate) fn start(inner: &Arc<Inner>) -> io::Result<Ticker> {
        let weak = Arc::downgrade(inner);
        if let Some(clock) = inner.time().mocked() {
            let (written, of_wake) = (Mutex::new(clock.now()), clock.clone());
            let on_advance = clock.on_advance_first(move || wake(&weak, &written, of_wake.now()));
            return Ok(Ticker::Mocked { _on_advance: on_advance });
        }
        let (end, ended) = mpsc::sync_channel::<()>(0);
        let every = inner.every();
        let thread = thread::Builder::new().name("metercast-periods".to_owned()).spawn(move || {
            let (mut written, mut hour) = (Instant::now(), hour_of(SystemTime::now()));
            loop {
                let wait = every.saturating_sub(written.elapsed()).min(until_next_hour(SystemTime::now()));
                match ended.recv_timeout(wait.min(LONGEST)) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
                }
                let Some(inner) = weak.upgrade() else { return };
                let hour_now = hour_of(SystemTime::now());
                let is_due = written.elapsed() >= every;
                if is_due || hour_now != hour {
                    inner.look();
                    hour = hour_now;
                }
                if is_due {
                    inner.write_or_say();
                    written = Instant::now();
                }
            }
        })?;
        Ok(Ticker::Thread(Some(end), Some(thread)))
    }
}

fn wake(inner: &Weak<Inner>, written: &Mutex<Instant>, now: Instant) {
    let Some(inner) = inner.upgrade() else { return };
    inner.look();
    let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
    if now.saturating_duration_since(*written) >= inner.every() {
        *written = now;
        inner.write_or_say();
    }
}

fn hour_of(time: SystemTime) -> u64 {
    crate::window::seconds(time) / HOUR
}

/// A little more than until the next hour begins, so that it has.
fn until_next_hour(time: SystemTime) -> Duration {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let into_hour = Duration::new(since.as_secs() % HOUR, since.subsec_nanos());
    Duration::from_secs(HOUR) - into_hour + Duration::from_millis(1)
}

impl Drop for Ticker {
    fn drop(&mut self) {
        if let Ticker::Thread(end, thread) = self {
            drop(end.take());
            // What it is at may be the writing of a file. It may be dropped by the thread itself, which had the last of it.
            if let Some(thread) =
                thread.take().filter(|handle| handle.thread().id() != thread::current().id())
            {
                let _ = thread.join();
            }
        }
    }
}
