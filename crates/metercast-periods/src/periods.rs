//! Counting over periods as a whole: what is counted, by which clock, and the file that it is kept in.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use metercast::log::{Level, Log};
use metercast::{Store, Witness};

use crate::error::PeriodsError;
use crate::history::History;
use crate::key::Key;
use crate::settled::{Counted, CountedOf, Counts, Settled};
use crate::state::{State, StateFile, UniqueState};
use crate::ticker::Ticker;
use crate::time::Time;
use crate::totals::{Before, Totals};
use crate::unique::{Unique, UniqueCount, UniqueOptions};
use crate::window::Window;

/// Counts over hours, days, weeks and months: how many different ones came, and what came to counters until a period was over.
///
/// It is opened once and kept until the program ends. With a [state file](PeriodsBuilder::state) counting goes on where it was when the
/// program starts again; without one it begins anew. Time is that of the store.
///
/// Dropping it writes the state a last time. [`shutdown`](Self::shutdown) does too, and returns what went wrong.
#[must_use = "counting ends when it is dropped"]
pub struct Periods {
    inner: Arc<Inner>,
    ticker: Option<Ticker>,
}

/// How to count; see [`Periods::builder`].
#[derive(Debug)]
#[must_use]
pub struct PeriodsBuilder {
    store: Store,
    state: Option<PathBuf>,
    every: Duration,
    log: Log,
}

/// What is counted.
pub(crate) struct Inner {
    store: Store,
    time: Time,
    log: Log,
    every: Duration,
    key: Key,
    witness: Witness,
    counts: Mutex<All>,
    file: Option<Mutex<StateFile>>,
    /// Whether it was said that the file cannot be written.
    is_troubled: AtomicBool,
}

#[derive(Default)]
struct All {
    uniques: BTreeMap<String, Arc<Unique>>,
    counted: BTreeMap<CountedOf, Arc<Counted>>,
    before: Before,
    /// What was in the file and nobody has asked for yet.
    unclaimed: State,
}

impl Periods {
    /// Counts in memory, in the current store, unless something else is said.
    pub fn builder() -> PeriodsBuilder {
        PeriodsBuilder {
            store: Store::current(),
            state: None,
            every: Duration::from_secs(60),
            log: Log::default(),
        }
    }

    /// Counts different ones under this name, exactly up to 1,024 in a period; see [`UniqueOptions::new`].
    pub fn unique(&self, name: &str) -> UniqueCount {
        self.unique_with(name, UniqueOptions::new())
    }

    /// Counts different ones under this name. Asked for again, it is the one that there is, as it was asked for first. The name tells it from others in the
    /// state file; what that has of another precision is forgotten.
    pub fn unique_with(&self, name: &str, options: UniqueOptions) -> UniqueCount {
        let mut all = self.inner.counts();
        let All { uniques, unclaimed, .. } = &mut *all;
        if let Some(unique) = uniques.get(name) {
            return UniqueCount::of(Arc::clone(unique));
        }
        let grain = options.grain();
        let now = self.inner.time.seconds();
        let known = unclaimed.uniques.remove(name);
        if let Some(known) = known.as_ref().filter(|known| known.precision != grain.precision) {
            let line = format!(
                "periods: {name:?} is counted with precision {} instead of {}; it begins anew",
                grain.precision, known.precision
            );
            self.inner.log.write(Level::Warn, &line);
        }
        let known = known.filter(|known| known.precision == grain.precision);
        let (since, history) =
            known.map_or_else(|| (now, History::default()), |known| (known.since, known.history));
        let (key, time) = (self.inner.key.clone(), self.inner.time.clone());
        let unique = Arc::new(Unique::new(name, grain, key, time, since.min(now), history));
        uniques.insert(name.to_owned(), Arc::clone(&unique));
        UniqueCount::of(unique)
    }

    /// What comes to the counter of this name from now on, over a period: all its series together.
    pub fn settled(&self, counter: &str, window: Window) -> Settled {
        self.settled_by(counter, window, [])
    }

    /// The same, apart by the values of these labels, of which a gauge can show three. Of more than 1,000 sets of values in a period
    /// the rest is one, `other`.
    pub fn settled_by<const LABELS: usize>(
        &self,
        counter: &str,
        window: Window,
        labels: [&str; LABELS],
    ) -> Settled<LABELS> {
        let labels = labels.map(str::to_owned).to_vec();
        let of = CountedOf { counter: counter.to_owned(), window, labels };
        Settled::of_counter(self.inner.counted(&of))
    }

    /// Looks at the clock and at the counters, and writes the state if there is a file for it.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn flush(&self) -> Result<(), PeriodsError> {
        self.inner.look();
        self.inner.write()
    }

    /// Ends counting, and writes the state a last time.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn shutdown(mut self) -> Result<(), PeriodsError> {
        drop(self.ticker.take());
        self.flush()
    }
}

impl Drop for Periods {
    fn drop(&mut self) {
        if self.ticker.take().is_some() {
            self.inner.look();
            self.inner.write_or_say();
        }
    }
}

impl fmt::Debug for Periods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.inner.counts();
        let uniques: Vec<&String> = all.uniques.keys().collect();
        let settled: Vec<&CountedOf> = all.counted.keys().collect();
        f.debug_struct("Periods")
            .field("uniques", &uniques)
            .field("settled", &settled)
            .finish_non_exhaustive()
    }
}

impl PeriodsBuilder {
    /// Counts what is in this store, by its clock.
    pub fn store(mut self, store: Store) -> PeriodsBuilder {
        self.store = store;
        self
    }

    /// Keeps the state in this file, in a folder that is there. Three more are beside it: `.key` with the key that ids are hashed with,
    /// `.lock`, by which a second process that uses the file is found out, and `.bad` if the file could not be read. All are for the
    /// eyes of the owner.
    pub fn state(mut self, path: impl AsRef<Path>) -> PeriodsBuilder {
        self.state = Some(path.as_ref().to_owned());
        self
    }

    /// Looks at the counters, and writes the state if it is another, so often: each minute, unless something else is said; at least a
    /// second. What came since is lost if the program is killed.
    pub fn every(mut self, interval: Duration) -> PeriodsBuilder {
        self.every = interval.max(Duration::from_secs(1));
        self
    }

    /// Writes there what went wrong.
    pub fn log(mut self, log: Log) -> PeriodsBuilder {
        self.log = log;
        self
    }

    /// Begins to count. A state file that cannot be read as one (it was cut off, changed, or belongs to something else) is a warning, and
    /// is kept beside the new one.
    ///
    /// # Errors
    ///
    /// Another process uses the file, the system does not let us read or write it, or has no thread or random numbers for us.
    pub fn open(self) -> Result<Periods, PeriodsError> {
        let PeriodsBuilder { store, state, every, log } = self;
        let mut warn = |line: String| log.write(Level::Warn, &format!("periods: {line}"));
        let (key, mut unclaimed, file) = match state {
            None => (Key::random().map_err(PeriodsError::random)?, State::default(), None),
            Some(path) => {
                let mut file = StateFile::take(&path)?;
                let key = file.key(&mut warn)?;
                let mut state = file.read(&mut warn)?;
                if state.fingerprint != key.fingerprint() && !state.uniques.is_empty() {
                    warn(format!(
                        "{}: has hashes made with another key; different ones are counted anew",
                        path.display()
                    ));
                    state.uniques.clear();
                }
                (key, state, Some(Mutex::new(file)))
            }
        };
        let time = Time::of(&store);
        unclaimed.tidy(time.seconds());
        let witness = store.witness();
        let counts = Mutex::new(All { unclaimed, ..All::default() });
        let is_troubled = AtomicBool::new(false);
        let inner = Arc::new(Inner { store, time, log, every, key, witness, counts, file, is_troubled });
        let ticker = Ticker::start(&inner).map_err(PeriodsError::Thread)?;
        Ok(Periods { inner, ticker: Some(ticker) })
    }
}

impl Inner {
    fn counts(&self) -> MutexGuard<'_, All> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn time(&self) -> &Time {
        &self.time
    }

    pub(crate) fn every(&self) -> Duration {
        self.every
    }

    fn counted(&self, of: &CountedOf) -> Arc<Counted> {
        let names = {
            let all = self.counts();
            if let Some(counted) = all.counted.get(of) {
                return Arc::clone(counted);
            }
            let known = all.counted.keys().map(|of| of.counter.clone());
            known.chain([of.counter.clone()]).collect::<BTreeSet<String>>()
        };
        // What came until now belongs to those that there are.
        let totals = Totals::read(&self.store, &names, &self.witness);
        let now = self.time.seconds();
        let mut all = self.counts();
        all.advance(&totals, now);
        let All { counted, unclaimed, .. } = &mut *all;
        let fresh = || {
            let counts = unclaimed.counted.remove(of);
            let counts = counts.unwrap_or_else(|| Counts { since: now, windows: BTreeMap::new() });
            Arc::new(Counted::new(of.clone(), Counts { since: counts.since.min(now), ..counts }, now))
        };
        Arc::clone(counted.entry(of.clone()).or_insert_with(fresh))
    }

    /// Looks at the clock and at the counters.
    pub(crate) fn look(&self) {
        let names: BTreeSet<String> = self.counts().counted.keys().map(|of| of.counter.clone()).collect();
        // Nothing is locked: the store may run our own callbacks.
        let totals = Totals::read(&self.store, &names, &self.witness);
        let now = self.time.seconds();
        self.counts().advance(&totals, now);
    }

    /// Writes the state if there is a file for it.
    pub(crate) fn write(&self) -> Result<(), PeriodsError> {
        let Some(file) = &self.file else { return Ok(()) };
        // First, so that of two who write the later has the newer.
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.time.seconds();
        let mut state = {
            let mut all = self.counts();
            all.unclaimed.tidy(now);
            all.unclaimed.drop_empty();
            let mut state = all.unclaimed.clone();
            state.counted.extend(all.counted.iter().map(|(of, counted)| (of.clone(), counted.counts())));
            let uniques: Vec<Arc<Unique>> = all.uniques.values().cloned().collect();
            drop(all);
            state.uniques.extend(uniques.iter().map(|unique| {
                let (precision, since, history) =
                    (unique.precision(), unique.since(), unique.whole_history());
                (unique.name().to_owned(), UniqueState { precision, since, history })
            }));
            state
        };
        state.fingerprint = self.key.fingerprint();
        file.write(&state)
    }

    /// The same, and a line in the log the first time that it fails.
    pub(crate) fn write_or_say(&self) {
        match self.write() {
            Ok(()) => self.is_troubled.store(false, Ordering::Relaxed),
            Err(error) => {
                if !self.is_troubled.swap(true, Ordering::Relaxed) {
                    self.log.write(Level::Error, &format!("periods: counts are not kept: {error}"));
                }
            }
        }
    }
}

impl All {
    /// Gives what came to whom it belongs.
    fn advance(&mut self, totals: &Totals, now: u64) {
        let mut came: BTreeMap<String, Vec<_>> = BTreeMap::new();
        self.before.advance(totals, |name, labels, count| {
            came.entry(name.to_owned()).or_default().push((labels.clone(), count));
        });
        for (of, counted) in &self.counted {
            let came = came.get(&of.counter).into_iter().flatten();
            counted.add(came.map(|(labels, count)| (labels, *count)), now);
        }
    }
}
