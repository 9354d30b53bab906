//! Work at an interval: asking for what nobody says by himself.

use std::fmt;
use std::future::{Future, poll_fn};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use metercast_core::{Store, StoreFutureExt};
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// No interval is shorter: a `0` in a configuration is a mistake, not a wish for a busy loop.
const SHORTEST: Duration = Duration::from_secs(1);

/// No time is longer, as Tokio's own: what is later than a clock can say is no time to wait for.
const LONGEST: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// Asks for something at an interval, on Tokio: a sample at once, and then one after each interval.
///
/// A sample that comes late, since the one before took long or the machine slept, is taken once; those missed are left out. One that
/// panics is left out as well, and the next one comes as if nothing had been. Everything is recorded into the store that is current
/// where sampling starts.
///
/// ```
/// use std::time::Duration;
/// use metercast_clients::Sampler;
///
/// metercast::metrics! {
///     /// Entries of the queue
///     static QUEUE: Gauge<u64> = "queue.entries";
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let queue = std::sync::Arc::new(std::sync::Mutex::new(vec![1, 2, 3]));
/// let sampling = Sampler::every(Duration::from_secs(10)).start({
///     let queue = queue.clone();
///     move || QUEUE.set(queue.lock().map_or(0, |queue| queue.len() as u64))
/// });
/// let snapshot = metercast::InMemoryReader::new(metercast::Store::current()).collect();
/// assert_eq!(snapshot.family("queue.entries").unwrap().series[0].point, metercast::snapshot::Point::U64(3));
/// drop(sampling); // no more samples
/// # }
/// ```
#[must_use = "a sampler does nothing until it is started"]
pub struct Sampler {
    interval: Duration,
    jitter: Duration,
    turn: Option<Turn>,
}

/// Says whether to sample.
type Turn = Box<dyn FnMut() -> bool + Send>;

impl Sampler {
    /// Samples after each interval, of at least a second and at most 30 years: what is shorter or longer is that.
    pub fn every(interval: Duration) -> Sampler {
        Sampler { interval: interval.clamp(SHORTEST, LONGEST), jitter: Duration::ZERO, turn: None }
    }

    /// The first sample comes after a random time of up to `up_to`, not at once, so that many programs that were started together do
    /// not ask together. It is at most 30 years.
    pub fn jitter(mut self, up_to: Duration) -> Sampler {
        self.jitter = up_to.min(LONGEST);
        self
    }

    /// Samples only when this is true, which is asked for each time: such as whether this process is the leader of many that would
    /// measure the same. It is not sampled if this panics.
    pub fn only_if(mut self, turn: impl FnMut() -> bool + Send + 'static) -> Sampler {
        self.turn = Some(Box::new(turn));
        self
    }

    /// How long it is from one sample to the next.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// Starts to sample by a function, which must not block. Without jitter the first sample is taken when this returns.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime, or in one without timers.
    pub fn start(self, mut sample: impl FnMut() + Send + 'static) -> Sampling {
        self.run(move |is_turn| {
            if is_turn {
                sample();
            }
        })
    }

    /// Starts to sample by a function that is told whether it is its turn.
    pub(crate) fn run(mut self, mut sample: impl FnMut(bool) + Send + 'static) -> Sampling {
        let mut turn = self.turn.take();
        // A panic is told by the panic hook; nothing here is left half done by one.
        let mut once = move || {
            let is_turn = is_turn(&mut turn);
            let _ = catch_unwind(AssertUnwindSafe(|| sample(is_turn)));
        };
        let at_once = self.jitter.is_zero();
        if at_once {
            once();
        }
        self.spawn(!at_once, move || {
            once();
            std::future::ready(())
        })
    }

    /// Starts to sample by a future, such as a query. Without jitter the first begins at once. The next one comes after it has
    /// ended, however long that takes. Ending the sampling drops it where it waits.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime, or in one without timers.
    pub fn start_async<F>(mut self, mut sample: impl FnMut() -> F + Send + 'static) -> Sampling
    where
        F: Future<Output = ()> + Send,
    {
        let mut turn = self.turn.take();
        self.spawn(true, move || {
            let is_turn = is_turn(&mut turn);
            let sample = is_turn.then(|| catch_unwind(AssertUnwindSafe(&mut sample)).ok()).flatten();
            async move {
                if let Some(sample) = sample {
                    unharmed(sample).await;
                }
            }
        })
    }

    /// Calls `once` now, or after an interval, and after each interval from then on.
    fn spawn<F>(self, now: bool, mut once: impl FnMut() -> F + Send + 'static) -> Sampling
    where
        F: Future<Output = ()> + Send,
    {
        let first = if now { part(self.jitter) } else { self.interval };
        let mut ticks = interval_at(Instant::now() + first, self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let task = async move {
            loop {
                ticks.tick().await;
                once().await;
            }
        };
        Sampling { task: tokio::spawn(task.in_store(Store::current())).abort_handle() }
    }
}

impl fmt::Debug for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sampler { interval, jitter, turn } = self;
        let mut debug = f.debug_struct("Sampler");
        debug.field("interval", interval).field("jitter", jitter).field("only_if", &turn.is_some()).finish()
    }
}

/// Samples that are being taken, until this is dropped.
///
/// Dropping does not wait: a sample that is under way on another thread goes on to where it waits next.
#[must_use = "dropping it ends the sampling at once; keep it, or call `forever`"]
#[derive(Debug)]
pub struct Sampling {
    task: AbortHandle,
}

impl Sampling {
    /// Goes on for as long as the runtime lives.
    pub fn forever(self) {
        std::mem::forget(self);
    }

    /// Whether there will be no more samples: the runtime is gone.
    pub fn is_over(&self) -> bool {
        self.task.is_finished()
    }
}

impl Drop for Sampling {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Whether to sample: whoever panics when he is asked says no.
fn is_turn(turn: &mut Option<Turn>) -> bool {
    turn.as_mut().is_none_or(|turn| catch_unwind(AssertUnwindSafe(turn)).unwrap_or(false))
}

/// Waits for a future that may panic.
async fn unharmed(future: impl Future<Output = ()>) {
    let mut future = pin!(future);
    poll_fn(|context| {
        // After a panic it is not polled again.
        catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))).unwrap_or(Poll::Ready(()))
    })
    .await;
}

/// A random part of a duration. The standard library's hashers have keys that nobody can foretell.
fn part(of: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish();
    of.mul_f64((random >> 11) as f64 / (1_u64 << 53) as f64)
}
