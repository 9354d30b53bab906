//! One check: made at an interval by a thread of its own, which waits for nobody else and for whom nobody waits.

use std::any::Any;
use std::fmt::{self, Display, Write};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use metercast_core::Store;

use super::drive::drive;
use super::{Health, INTERVAL, Shared, TIMEOUT};

/// No interval is shorter: a `0` in a configuration is a mistake, not a wish for a busy loop.
const SHORTEST: Duration = Duration::from_secs(1);

/// The most bytes of what a check says, and of its name.
const TEXT: usize = 256;
const NAME: usize = 128;

/// A check to be made at an interval; see [`Health::check`].
#[must_use = "nothing is checked until `run` or `run_async`"]
#[derive(Debug)]
pub struct Check<'a> {
    health: &'a Health,
    name: String,
    interval: Duration,
    timeout: Duration,
    is_optional: bool,
}

impl<'a> Check<'a> {
    pub(super) fn new(health: &'a Health, name: &str) -> Check<'a> {
        let name = cut(name, NAME).to_owned();
        Check { health, name, interval: INTERVAL, timeout: TIMEOUT, is_optional: false }
    }

    /// How long it is from the end of a check to the next; 15 seconds unless said, and at least one.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval.max(SHORTEST);
        self
    }

    /// How long a check may take before it counts as down; 3 seconds unless said.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The component is ready without it: it is a gauge, and a line in the log.
    pub fn optional(mut self) -> Self {
        self.is_optional = true;
        self
    }

    /// Checks by a function, which may block: at once, and after each interval, until what is returned is dropped. An error says what
    /// is wrong: its text stands in the readiness, which everybody may read, up to 256 bytes of it.
    ///
    /// One that takes longer than its timeout is down, and is not made again until it has returned. One that panics is down too.
    pub fn run<E: Display>(self, mut check: impl FnMut() -> Result<(), E> + Send + 'static) -> Checking {
        self.start(move |_, _| check().map_err(|error| bounded(&error)))
    }

    /// Checks by a future, such as a request, which is dropped when its time is over.
    ///
    /// Made where a Tokio runtime is current, it can use what that has (connections, timers), and needs none otherwise. It is polled on a
    /// thread of its own, so that a runtime that is busy, or one that the future blocks, does no harm.
    ///
    /// ```
    /// # #[tokio::main(flavor = "multi_thread", worker_threads = 1)] async fn main() {
    /// use std::time::Duration;
    /// use metercast::Health;
    ///
    /// let health = Health::new();
    /// let check = health.check("queue").timeout(Duration::from_millis(20)).run_async(|| async {
    ///     tokio::time::sleep(Duration::from_secs(3600)).await;
    ///     Ok::<(), std::io::Error>(())
    /// });
    /// assert_eq!(health.check_now().error(), Some("queue: no answer within 20ms"));
    /// # drop(check);
    /// # }
    /// ```
    pub fn run_async<F, E>(self, mut check: impl FnMut() -> F + Send + 'static) -> Checking
    where
        F: Future<Output = Result<(), E>>,
        E: Display,
    {
        #[cfg(any(feature = "serve", feature = "otlp"))]
        let runtime = tokio::runtime::Handle::try_current().ok();
        self.start(move |entry, deadline| {
            #[cfg(any(feature = "serve", feature = "otlp"))]
            let _context = runtime.as_ref().map(tokio::runtime::Handle::enter);
            // Of what was given up in time it is said elsewhere that it was.
            drive(entry, check(), deadline).map_or(Ok(()), |result| result.map_err(|error| bounded(&error)))
        })
    }

    fn start(
        self,
        mut check: impl FnMut(&Arc<Entry>, Instant) -> Result<(), String> + Send + 'static,
    ) -> Checking {
        let Check { health: Health(shared), name, interval, timeout, is_optional } = self;
        let state = Mutex::new(State::default());
        let store = shared.store.clone();
        let entry = Arc::new(Entry {
            name,
            is_optional,
            interval,
            timeout,
            store: store.clone(),
            state,
            changed: Condvar::new(),
        });
        shared.entries().push(Arc::clone(&entry));
        let (of_thread, health) = (Arc::clone(&entry), Arc::downgrade(shared));
        let work = move || {
            let looks = Arc::downgrade(&of_thread);
            let _looks = store.clock().map(|clock| {
                clock.on_advance(move || _ = looks.upgrade().map(|entry| entry.wake_up(|_| ())))
            });
            while let Some(deadline) = of_thread.begin() {
                let result = catch_unwind(AssertUnwindSafe(|| store.scope(|| check(&of_thread, deadline))));
                of_thread.finish(result.unwrap_or_else(|panic| Err(panicked(panic))));
                // The log hears of it now, and not only when somebody asks.
                if let Some(health) = health.upgrade() {
                    health.status(&of_thread);
                }
            }
        };
        let thread = std::thread::Builder::new().name("metercast-check".into()).spawn(work);
        if let Err(error) = thread {
            entry.finish(Err(format!("no thread can be had for it: {error}")));
        }
        Checking { entry, health: Arc::downgrade(shared) }
    }
}

/// A check that is made until this is dropped; then it is no part of the health any more. Dropping does not wait: one that is under way
/// goes on to its end, or to where it waits next.
#[must_use = "dropping it ends the check at once; keep it, or call `forever`"]
pub struct Checking {
    entry: Arc<Entry>,
    health: Weak<Shared>,
}

impl Checking {
    /// Checks for as long as the health lives.
    ///
    /// What the check holds lives as long. So it must not hold what the program waits for at its end, such as the `Sender` of a channel
    /// whose receiver it drains: let it hold a weak handle (`Weak`, `WeakSender`), and be down when there is nothing behind it.
    pub fn forever(mut self) {
        self.health = Weak::new();
    }
}

impl Drop for Checking {
    fn drop(&mut self) {
        if let Some(health) = self.health.upgrade() {
            health.entries().retain(|entry| !Arc::ptr_eq(entry, &self.entry));
            self.entry.end();
        }
    }
}

impl fmt::Debug for Checking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checking").field("subsystem", &self.entry.name).finish_non_exhaustive()
    }
}

/// A check, as its thread, those who ask and those who wait share it.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) is_optional: bool,
    interval: Duration,
    timeout: Duration,
    store: Store,
    /// Held for moments.
    state: Mutex<State>,
    /// Something of it has changed, or time has passed on a clock that stands still.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// What it said last; nothing before its first answer.
    last: Option<Result<(), String>>,
    /// Since when it is under way.
    began: Option<Instant>,
    /// When it is due again.
    due: Option<Instant>,
    /// How many have begun, and how many have ended.
    begun: u64,
    done: u64,
    /// Somebody wants it to be made now.
    is_asked: bool,
    /// Whether it may be polled again, where it is a future.
    is_woken: bool,
    is_over: bool,
    /// Whether it was up when somebody looked last.
    was_up: Option<bool>,
}

/// How a check stands.
pub(super) enum Status {
    Up,
    Down(String),
}

impl Entry {
    /// How it stands, and whether that is worth a line in the log: it has failed, or has recovered.
    pub(super) fn status(&self) -> (Status, bool) {
        let now = self.store.now();
        let mut state = self.state();
        let is_late = state.began.is_some_and(|began| now.saturating_duration_since(began) >= self.timeout);
        let status = match &state.last {
            _ if is_late => Status::Down(self.late()),
            Some(Ok(())) => Status::Up,
            Some(Err(error)) => Status::Down(error.clone()),
            None => return (Status::Down("not checked yet".to_owned()), false),
        };
        let is_up = matches!(status, Status::Up);
        let was_up = state.was_up.replace(is_up);
        (status, was_up.map_or(!is_up, |was_up| was_up != is_up))
    }

    /// Waits until it is due. Returns until when it may take, or nothing if it is to end.
    fn begin(&self) -> Option<Instant> {
        let mut state = self.state();
        loop {
            if state.is_over {
                return None;
            }
            let now = self.store.now();
            let due = state.due.unwrap_or(now);
            if std::mem::take(&mut state.is_asked) || now >= due {
                state.began = Some(now);
                state.begun += 1;
                state.is_woken = false;
                return Some(after(now, self.timeout));
            }
            state = self.wait(state, due);
        }
    }

    /// What it came to. An answer that came too late is none.
    fn finish(&self, result: Result<(), String>) {
        let now = self.store.now();
        self.wake_up(|state| {
            let is_late =
                state.began.take().is_some_and(|began| now.saturating_duration_since(began) >= self.timeout);
            state.last = Some(if is_late { Err(self.late()) } else { result });
            state.due = Some(after(now, self.interval));
            state.done = state.begun;
        });
    }

    fn late(&self) -> String {
        format!("no answer within {:?}", self.timeout)
    }

    /// Waits until the future is to be polled again; false if its time is over.
    pub(super) fn is_woken_before(&self, deadline: Instant) -> bool {
        let mut state = self.state();
        loop {
            if state.is_over || self.store.now() >= deadline {
                return false;
            }
            if std::mem::take(&mut state.is_woken) {
                return true;
            }
            state = self.wait(state, deadline);
        }
    }

    /// The future is to be polled again.
    pub(super) fn woken(&self) {
        self.wake_up(|state| state.is_woken = true);
    }

    /// Asks for it to be made now. Returns the round that is newer than this.
    pub(super) fn ask(&self) -> u64 {
        let mut round = 0;
        self.wake_up(|state| {
            state.is_asked = true;
            round = state.begun + 1;
        });
        round
    }

    /// Waits until that round has ended, for as long as the one before and itself may take.
    pub(super) fn answered(&self, round: u64) {
        let patience = self.timeout.saturating_mul(2);
        let state = self.state();
        let is_under_way = |state: &mut State| !state.is_over && state.done < round;
        drop(self.changed.wait_timeout_while(state, patience, is_under_way));
    }

    /// It is made no more.
    pub(super) fn end(&self) {
        self.wake_up(|state| state.is_over = true);
    }

    fn wake_up(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }

    /// Waits for a change, or for the moment.
    fn wait<'s>(&self, state: MutexGuard<'s, State>, until: Instant) -> MutexGuard<'s, State> {
        if self.store.clock().is_some() {
            // Which tells when it has advanced.
            return self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let left = until.saturating_duration_since(Instant::now());
        self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// So long after a moment; what is further than a clock goes is decades away.
fn after(moment: Instant, wait: Duration) -> Instant {
    moment.checked_add(wait).unwrap_or(moment + Duration::from_secs(1 << 30))
}

/// What a check says, on one line and not too long.
pub(super) fn bounded(text: &impl Display) -> String {
    struct Bounded(String);
    impl Write for Bounded {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let fits = cut(text, TEXT - self.0.len());
            self.0.extend(fits.chars().map(|c| if c.is_control() { ' ' } else { c }));
            if fits.len() == text.len() { Ok(()) } else { Err(fmt::Error) }
        }
    }
    let mut bounded = Bounded(String::new());
    if write!(bounded, "{text}").is_err() {
        bounded.0.push('…');
    }
    bounded.0
}

/// The text up to so many bytes, and whole characters of it.
fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}

fn panicked(panic: Box<dyn Any + Send>) -> String {
    let text = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    let says = text.map_or_else(|| "panicked".to_owned(), |text| bounded(&format_args!("panicked: {text}")));
    // What it is made of may panic when it is dropped, and what that is made of again.
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(again);
    }
    says
}
