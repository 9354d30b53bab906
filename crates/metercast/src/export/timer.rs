//! A thread that does the same work at an interval, when asked, and a last time.

use std::fmt;
use std::io;
use std::process;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use metercast_core::__private::OnAdvance;
use metercast_core::MockClock;

use super::Periodic;

/// What is done at the interval.
pub(crate) trait Work: Send + 'static {
    /// What who waits is told when the deadline has come.
    const LATE: &'static str = "was not done before the deadline; give it more time";

    /// Does it once; if somebody waits for it, at most until the deadline.
    ///
    /// # Errors
    ///
    /// Why not everything was handed over.
    fn work(&mut self, deadline: Option<Instant>) -> Result<(), String>;

    /// The clock that the interval goes by, if that is not the system's.
    fn clock(&self) -> Option<MockClock> {
        None
    }

    /// It will be done from now on: asks for what it needs. Until then it asks for nothing.
    fn begin(&mut self) {}

    /// It was done a last time.
    fn conclude(&mut self) {}

    /// Takes the place of other work, which was done a last time.
    fn succeed(&mut self, other: &Self) {
        let _ = other;
    }
}

/// The handle of the thread. Dropped without [`shutdown`](Periodic::shutdown), the thread ends at once, without working a last
/// time, and is not waited for.
pub(crate) struct Timer<W> {
    /// The process that has the thread. A fork has none of it, and does nothing.
    process: u32,
    /// `None` once it was shut down.
    running: Mutex<Option<Running<W>>>,
}

struct Running<W> {
    /// What the thread waits for, and where it is handed over; or dropped.
    begin: Option<(W, Sender<(W, Instant)>)>,
    commands: Sender<Command<W>>,
    thread: JoinHandle<()>,
    /// Lets the thread look at a clock that was advanced.
    _looks: Option<OnAdvance>,
}

enum Command<W> {
    Work(Ask),
    /// Looks at the clock.
    Look,
    /// Goes on with other work.
    Change {
        work: W,
        interval: Duration,
    },
}

/// Asks for the work to be done now.
struct Ask {
    deadline: Instant,
    /// Whether the thread ends then.
    last: bool,
    /// Where the result goes.
    answer: SyncSender<Result<(), String>>,
}

const STOPPED: &str = "is not at work, as the exporter was stopped";

impl<W: Work> Timer<W> {
    /// Starts the thread, which does nothing before [`begin`](Timer::begin).
    ///
    /// # Errors
    ///
    /// The system gives no thread.
    pub(crate) fn prepare(name: &str, interval: Duration, work: W) -> io::Result<Timer<W>> {
        let (commands, received) = mpsc::channel();
        let (begin, begins) = mpsc::channel();
        let thread =
            thread::Builder::new().name(format!("metercast-{name}").replace('\0', "")).spawn(move || {
                if let Ok((work, began)) = begins.recv() {
                    run(work, interval, began, &received);
                }
            })?;
        let look = commands.clone();
        let _looks = work.clock().map(|clock| clock.on_advance(move || _ = look.send(Command::Look)));
        let running = Mutex::new(Some(Running { begin: Some((work, begin)), commands, thread, _looks }));
        Ok(Timer { process: process::id(), running })
    }

    /// Begins. The first work is due after one interval.
    pub(crate) fn begin(&self) {
        if let Some((mut work, begin)) = self.running().as_mut().and_then(|running| running.begin.take()) {
            work.begin();
            let began = now(&work);
            let _ = begin.send((work, began));
        }
    }

    /// Whether the thread takes commands. It does not once it was shut down, or has panicked.
    pub(crate) fn is_alive(&self) -> bool {
        let is_at_work = |running: &Running<W>| !running.thread.is_finished();
        !self.is_forked() && self.running().as_ref().is_some_and(is_at_work)
    }

    /// Goes on with other work, once the old one was done a last time. Does not wait for it.
    pub(crate) fn change(&self, mut work: W, interval: Duration) {
        if let Some(running) = self.running().as_ref().filter(|_| !self.is_forked()) {
            // Before the old one takes back what it asked for.
            work.begin();
            let _ = running.commands.send(Command::Change { work, interval });
        }
    }

    fn running(&self) -> std::sync::MutexGuard<'_, Option<Running<W>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_forked(&self) -> bool {
        self.process != process::id()
    }
}

fn ask<W: Work>(commands: &Sender<Command<W>>, deadline: Instant, last: bool) -> Result<(), String> {
    let (answer, answered) = mpsc::sync_channel(1);
    if commands.send(Command::Work(Ask { deadline, last, answer })).is_err() {
        return Err(STOPPED.to_owned());
    }
    match answered.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => Err(W::LATE.to_owned()),
        Err(RecvTimeoutError::Disconnected) => Err(STOPPED.to_owned()),
    }
}

impl<W: Work> Periodic for Timer<W> {
    fn flush(&self, deadline: Instant) -> Result<(), String> {
        if self.is_forked() {
            return Ok(());
        }
        let commands = self.running().as_ref().map(|running| running.commands.clone());
        commands.map_or_else(|| Err(STOPPED.to_owned()), |commands| ask(&commands, deadline, false))
    }

    fn shutdown(&self, deadline: Instant) -> Result<(), String> {
        if self.is_forked() {
            return Ok(());
        }
        let Some(running) = self.running().take() else { return Ok(()) };
        let result = ask(&running.commands, deadline, true);
        // One that hangs cannot be waited for.
        if running.thread.is_finished() || result.is_ok() {
            let _ = running.thread.join();
        }
        result
    }
}

fn now(work: &impl Work) -> Instant {
    work.clock().map_or_else(Instant::now, |clock| clock.now())
}

fn run<W: Work>(mut work: W, mut interval: Duration, began: Instant, commands: &Receiver<Command<W>>) {
    let mut due = after(began, interval);
    loop {
        let wait = due.saturating_duration_since(now(&work));
        let received = match work.clock() {
            // The time that it takes until somebody says that it has passed is of no account.
            Some(_) if !wait.is_zero() => commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
            _ => commands.recv_timeout(wait),
        };
        match received {
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                due = next(due, interval, now(&work));
                // It has said itself what went wrong.
                let _ = work.work(None);
            }
            Ok(Command::Look) => {}
            Ok(Command::Work(Ask { deadline, last, answer })) => {
                let result = work.work(Some(deadline));
                if last {
                    work.conclude();
                }
                // Who asked may have stopped waiting.
                let _ = answer.send(result);
                if last {
                    return;
                }
            }
            Ok(Command::Change { work: mut other, interval: new }) => {
                let _ = work.work(None);
                other.succeed(&work);
                (work, interval) = (other, new);
                due = due.min(after(now(&work), interval));
            }
        }
    }
}

/// A moment that a clock can have.
fn after(now: Instant, interval: Duration) -> Instant {
    now.checked_add(interval).unwrap_or(now + Duration::from_secs(365 * 24 * 60 * 60))
}

/// The first time after `now` that is a whole number of intervals after `due`: work that took longer skips some.
fn next(due: Instant, interval: Duration, now: Instant) -> Instant {
    let late = now.saturating_duration_since(due).as_nanos() / interval.as_nanos().max(1);
    let skipped = u32::try_from(late).unwrap_or(u32::MAX).saturating_add(1);
    interval
        .checked_mul(skipped)
        .and_then(|time| due.checked_add(time))
        .unwrap_or_else(|| after(now, interval))
}

impl<W> Drop for Timer<W> {
    fn drop(&mut self) {
        let running = self.running.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Running { begin: Some(begin), thread, .. }) = running
            && self.process == process::id()
        {
            // It has not begun, so it ends at once.
            drop(begin);
            let _ = thread.join();
        }
    }
}

impl<W> fmt::Debug for Timer<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer").field("process", &self.process).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says that it was done, and which it is.
    struct Note(u8, Sender<(u8, bool)>);

    impl Work for Note {
        fn work(&mut self, deadline: Option<Instant>) -> Result<(), String> {
            self.1.send((self.0, deadline.is_some())).map_err(|error| error.to_string())
        }
    }

    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn work_is_done_at_the_interval_when_asked_and_a_last_time() {
        let (note, notes) = mpsc::channel();
        let timer = Timer::prepare("t", Duration::from_millis(1), Note(1, note.clone())).unwrap();
        timer.begin();
        for _ in 0..3 {
            assert_eq!(notes.recv(), Ok((1, false)));
        }
        timer.change(Note(2, note), YEAR);
        assert!(notes.iter().any(|(which, asked)| {
            if which == 1 {
                timer.flush(soon()).unwrap();
            }
            (which, asked) == (2, true)
        }));
        timer.flush(soon()).unwrap();
        timer.shutdown(soon()).unwrap();
        assert!(notes.iter().all(|note| note == (2, true)), "and then its thread has ended");
        timer.shutdown(soon()).unwrap();
        assert_eq!(timer.flush(soon()).unwrap_err(), STOPPED);
    }

    #[test]
    fn who_waits_does_not_wait_longer_than_the_deadline() {
        struct Hangs(Receiver<()>);
        impl Work for Hangs {
            fn work(&mut self, _: Option<Instant>) -> Result<(), String> {
                self.0.recv().map_err(|error| error.to_string())
            }
        }
        let (hold, held) = mpsc::channel();
        let timer = Timer::prepare("t", YEAR, Hangs(held)).unwrap();
        timer.begin();
        assert_eq!(timer.flush(Instant::now() + Duration::from_millis(20)).unwrap_err(), Hangs::LATE);
        assert_eq!(timer.shutdown(Instant::now() + Duration::from_millis(20)).unwrap_err(), Hangs::LATE);
        drop(hold);
    }

    #[test]
    fn work_that_took_longer_than_the_interval_skips_some() {
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        assert_eq!(next(now, second, now), now + second);
        assert_eq!(next(now, second, now + second / 2), now + second);
        assert_eq!(next(now, second, now + 3 * second + second / 2), now + 4 * second);
        assert!(next(now, Duration::MAX, now) > now);
    }
}
