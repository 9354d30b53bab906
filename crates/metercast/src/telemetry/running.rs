//! What runs: every exporter of a configuration, and how it becomes that of another.
//!
//! A change of the configuration, the first among them, is a transaction: everything that can fail is prepared, then
//! committed, which cannot fail; what is not needed any more ends in the background.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
#[cfg(feature = "config")]
use std::path::PathBuf;
#[cfg(feature = "serve")]
use std::sync::TryLockError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use super::all::{at_once, summary};
use super::deadline;
use super::difference;
use super::error::{FlushError, ReloadError, StartError};
use super::exporter::Exporter;
use super::prepare::{Before, Prepared};
use super::reloaded::Reloaded;
use super::retire::{End, Retiring};
use super::said::Said;
#[cfg(feature = "otlp")]
use super::told::Told;
use crate::config::Config;
use crate::dynamic::Installed;
#[cfg(feature = "otlp")]
use crate::export::otlp::Heritage;
use crate::health::Health;
#[cfg(feature = "live")]
use crate::live::{ExporterFacts, Facts, Live, Wished};
use crate::log::{Level, Log};
use crate::observer;
use crate::own;
use crate::reader::Reader;
#[cfg(feature = "serve")]
use crate::serve::{Calls, Reload, Reloading, Wish};
#[cfg(all(unix, feature = "otlp"))]
use crate::signal::Signals;

/// Who reloads when a file has changed. Files are touched for no reason too, which is not worth a line.
pub(super) const BY_WATCH: &str = "a change of its file";

/// Who reloads when it is known of more files that they matter: one of them may have changed before it was. That it comes to
/// the same is not worth a line.
pub(super) const BY_SECOND_LOOK: &str = "a second look at its files";

/// How a program reads its configuration.
pub(super) type Next = Box<dyn Fn() -> Result<(Config, Then), ReloadError> + Send + Sync>;

/// What a program does when a configuration holds.
pub(super) type Then = Box<dyn FnOnce()>;

/// Everything that runs, shared with the threads that wait for a reason to flush or to reload.
pub(crate) struct Running {
    reader: Reader,
    /// Whether the program is ready, if it says so.
    #[cfg_attr(not(feature = "serve"), allow(dead_code, reason = "nobody asks"))]
    health: Option<Health>,
    /// What is read again, if the program does that itself.
    next: Option<Next>,
    /// Held while the configuration changes: one change follows the other.
    turn: Mutex<()>,
    /// Held for moments.
    state: Mutex<State>,
    /// What people are shown.
    #[cfg(feature = "live")]
    live: Live,
    /// For those who are to call back.
    #[cfg_attr(not(any(feature = "serve", feature = "otlp")), allow(dead_code, reason = "nobody does"))]
    myself: Weak<Running>,
}

struct State {
    /// `None` until the start is over.
    config: Option<Config>,
    exporters: BTreeMap<String, Exporter>,
    instruments: Installed,
    /// What could not start, and why.
    failed: BTreeMap<String, String>,
    retiring: Vec<Retiring>,
    /// What pushes of deltas had told when they ended, by name: if one comes back it goes on there.
    #[cfg(feature = "otlp")]
    told: Told,
    /// What was said of the last reload.
    last_reload: Option<Said>,
    #[cfg(feature = "live")]
    last_reload_at: Option<std::time::SystemTime>,
    is_over: bool,
    #[cfg(all(unix, feature = "otlp"))]
    signals: Option<Signals>,
}

/// A change that was made, or that would be. Whoever takes what is said may want to make another, so it is said later.
struct Changed {
    reloaded: Reloaded,
    warnings: Vec<String>,
    /// What no thread could be had for.
    ends: Vec<End>,
}

#[cfg(feature = "otlp")]
impl State {
    /// What a push of this name has told that is gone, or about to go; nothing if it is new. `None` before all has started.
    fn heritage(&mut self, name: &str) -> Option<Heritage> {
        self.config.as_ref()?;
        if let Some(told) = self.told.take(name) {
            return Some(Box::new(move || Some(told)));
        }
        let retiring = self.retiring.iter_mut().rev().find(|retiring| retiring.name() == name);
        Some(retiring.and_then(Retiring::heritage).unwrap_or_else(|| Box::new(|| None)))
    }
}

impl Running {
    /// Starts what `config` asks for.
    pub(super) fn start(
        config: Config,
        reader: Reader,
        health: Option<Health>,
        next: Option<Next>,
    ) -> Result<Arc<Running>, StartError> {
        if let Some(health) = &health {
            health.log_to(reader.log());
        }
        let running = Arc::new_cyclic(|myself| Running {
            #[cfg(feature = "live")]
            live: Live::new(reader.clone(), health.clone(), {
                let myself: Weak<Running> = Weak::clone(myself);
                move || myself.upgrade()?.facts()
            }),
            reader,
            health,
            next,
            turn: Mutex::default(),
            state: Mutex::new(State {
                config: None,
                exporters: BTreeMap::new(),
                instruments: Installed::default(),
                failed: BTreeMap::new(),
                retiring: Vec::new(),
                #[cfg(feature = "otlp")]
                told: Told::default(),
                last_reload: None,
                #[cfg(feature = "live")]
                last_reload_at: None,
                is_over: false,
                #[cfg(all(unix, feature = "otlp"))]
                signals: None,
            }),
            myself: Weak::clone(myself),
        });
        let warnings = config.warnings().to_vec();
        let changed = running.change(config, true).map_err(|error| {
            // What is passed over may be why it cannot start, such as a table whose name is misspelt.
            running.warn(&warnings);
            error.into_start()
        })?;
        running.conclude(changed);
        running.say_start();
        Ok(running)
    }

    /// Goes on with the configuration that `next` makes of the one that holds. `by` says in the log who wants it. Waits for
    /// another reload that is under way.
    pub(crate) fn reload<E: Into<ReloadError>>(
        &self,
        by: &str,
        next: impl FnOnce(&Config) -> Result<Config, E>,
    ) -> Result<Reloaded, ReloadError> {
        self.reload_in_turn(self.turn(), by, |config| {
            Ok((next(config).map_err(Into::into)?, Box::new(|| {})))
        })
    }

    /// Reads file and environment again, and goes on with what they say now.
    pub(crate) fn reread(&self, by: &str) -> Result<Reloaded, ReloadError> {
        self.reload_in_turn(self.turn(), by, |config| self.read(config))
    }

    /// [Rereads](Self::reread) since files have changed, and refuses those that were emptied: somebody may be about to write
    /// them.
    #[cfg(feature = "config")]
    pub(super) fn reread_changed(&self, by: &str) -> Result<Reloaded, ReloadError> {
        self.reload_in_turn(self.turn(), by, |config| {
            let written = config.reread_written()?;
            if self.next.is_some() { self.read(config) } else { Ok((written, Box::new(|| {}))) }
        })
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What there is to be read again.
    fn read(&self, config: &Config) -> Result<(Config, Then), ReloadError> {
        match &self.next {
            Some(next) => next(),
            None => Ok((config.reread()?, Box::new(|| {}))),
        }
    }

    fn reload_in_turn(
        &self,
        turn: MutexGuard<'_, ()>,
        by: &str,
        next: impl FnOnce(&Config) -> Result<(Config, Then), ReloadError>,
    ) -> Result<Reloaded, ReloadError> {
        // What the program does here may panic, which is for whoever asked for the reload; it is said and measured like all that goes wrong.
        let read = catch_unwind(AssertUnwindSafe(|| self.next(next)));
        let result = read.map(|read| {
            let (config, then) = read?;
            let files = config.files().into_iter().chain(config.tls_files(|_| true)).collect();
            let changed = self.change(config, true).map_err(|error| error.in_files(files))?;
            Ok((changed, catch_unwind(AssertUnwindSafe(then))))
        });
        // Whoever takes what is said may have reasons to reload.
        drop(turn);
        let (said, result) = match result {
            Ok(Ok((changed, then))) => {
                let reloaded = self.conclude(changed);
                match then {
                    Ok(()) => (Said::made(&reloaded), Ok(Ok(reloaded))),
                    Err(panic) => (Said::halved(&reloaded, &*panic), Err(panic)),
                }
            }
            Ok(Err(error)) => (Said::refused(&error), Ok(Err(error))),
            Err(panic) => (Said::unread(&*panic), Err(panic)),
        };
        self.say_reload(by, &said);
        result.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// What a reload would do: everything that can fail is tried.
    pub(super) fn plan(&self, config: Config) -> Result<Reloaded, ReloadError> {
        self.plan_in_turn(self.turn(), |_| Ok((config, Box::new(|| {}))))
    }

    /// The same of what file and environment say now.
    pub(super) fn plan_reread(&self) -> Result<Reloaded, ReloadError> {
        self.plan_in_turn(self.turn(), |config| self.read(config))
    }

    fn plan_in_turn(
        &self,
        turn: MutexGuard<'_, ()>,
        next: impl FnOnce(&Config) -> Result<(Config, Then), ReloadError>,
    ) -> Result<Reloaded, ReloadError> {
        match catch_unwind(AssertUnwindSafe(|| self.next(next))) {
            Ok(next) => self.change(next?.0, false).map(|changed| changed.reloaded),
            Err(panic) => {
                // Whoever takes what is said may have reasons to ask for another.
                drop(turn);
                let line = Said::unread(&*panic).line;
                self.log().write(Level::Error, &format!("what a reload would do is not known: {line}"));
                resume_unwind(panic)
            }
        }
    }

    fn next(
        &self,
        next: impl FnOnce(&Config) -> Result<(Config, Then), ReloadError>,
    ) -> Result<(Config, Then), ReloadError> {
        // Files are read without the lock.
        let config = self.state().config.clone().ok_or(ReloadError::stopped())?;
        next(&config)
    }

    fn warn(&self, warnings: &[String]) {
        for warning in warnings {
            self.log().write_once(Level::Warn, warning);
        }
    }

    /// What is left to do when a change is made and the next may begin. Returns what was changed.
    fn conclude(&self, changed: Changed) -> Reloaded {
        self.warn(&changed.warnings);
        changed.ends.into_iter().for_each(End::run);
        changed.reloaded
    }

    /// The transaction. Only whoever has the turn may begin one.
    fn change(&self, config: Config, commits: bool) -> Result<Changed, ReloadError> {
        #[cfg(feature = "serve")]
        let closing = self.state().retiring.iter().filter_map(Retiring::listener).collect();
        let (old, exporters, failed) = {
            let state = self.state();
            if state.is_over {
                return Err(ReloadError::stopped());
            }
            (state.config.clone(), state.exporters.clone(), state.failed.clone())
        };
        let before = Before {
            exporters: &exporters,
            failed: old.is_some().then_some(&failed),
            reader: &self.reader,
            #[cfg(feature = "serve")]
            calls: Calls {
                reload: Some(self.reload_by_request()),
                health: self.health.clone(),
                #[cfg(feature = "live")]
                live: Some(self.live.clone()),
            },
            #[cfg(feature = "serve")]
            closing,
        };
        let mut prepared = before.prepare(&config).map_err(ReloadError::exporters)?;
        let measures_the_same =
            |old: &Config| old.defined() == config.defined() && old.is_enabled() == config.is_enabled();
        if !old.as_ref().is_some_and(measures_the_same) {
            let instruments = config.defined().prepare(config.is_enabled());
            prepared.instruments = Some(instruments.map_err(|error| ReloadError::program(Box::new(error)))?);
        }
        let settings = old.as_ref().map_or_else(Vec::new, |old| difference::of_all(old, &config));
        let reloaded = Reloaded::new(std::mem::take(&mut prepared.changes), settings);
        if !commits {
            return Ok(Changed { reloaded, warnings: Vec::new(), ends: Vec::new() });
        }
        #[cfg(all(unix, feature = "otlp"))]
        if listens_to_sigterm(&config, &prepared) {
            Signals::prepare().map_err(ReloadError::sigterm)?;
        }
        let mut state = self.state();
        if state.is_over {
            drop(state);
            return Err(ReloadError::stopped());
        }
        let mut warnings = config.warnings().to_vec();
        #[cfg(feature = "live")]
        let wished = Wished::of(&config);
        let (removed, ends) = self.commit(&mut state, config, prepared, &mut warnings);
        drop(state);
        // It asks for the state.
        #[cfg(feature = "live")]
        self.live.settle(wished);
        // The threads of what was removed have ended or are told to.
        drop(exporters);
        drop(removed);
        Ok(Changed { reloaded, warnings, ends })
    }

    /// The second part of the transaction, which cannot fail. Returns what is to be dropped without the lock,
    /// and the ends that no thread could be had for; adds what is to be warned of.
    fn commit(
        &self,
        state: &mut State,
        config: Config,
        mut prepared: Prepared,
        warnings: &mut Vec<String>,
    ) -> (Vec<Box<dyn Send>>, Vec<End>) {
        let store = self.reader.store();
        let was_enabled = state.config.as_ref().map(Config::is_enabled);
        match (was_enabled, config.is_enabled()) {
            (Some(false), true) => store.set_enabled(true),
            (_, false) => store.set_enabled(false),
            _ => {}
        }
        if config.is_enabled() && was_enabled != Some(true) {
            observer::install(store);
        }
        store.set_exemplars(config.exemplars());
        self.reader.measure(config.self_metrics());
        if let Some(instruments) = prepared.instruments.take() {
            let before = state.config.as_ref().map(Config::defined);
            warnings.extend(instruments.commit(store, self.log(), before, &mut state.instruments));
        }
        #[cfg(all(unix, feature = "otlp"))]
        let listens_to_sigterm = listens_to_sigterm(&config, &prepared);
        let until = deadline(config.shutdown_timeout());
        let (ended, retiring): (Vec<_>, _) =
            std::mem::take(&mut state.retiring).into_iter().partition(Retiring::has_ended);
        state.retiring = retiring;
        #[cfg(feature = "otlp")]
        ended.iter().filter_map(Retiring::told).for_each(|(name, told)| state.told.keep(name, told));
        let mut exporters = BTreeMap::new();
        for (name, step) in prepared.steps {
            #[cfg(feature = "otlp")]
            let step = step.going_on(|| state.heritage(&name));
            exporters.insert(name, step.commit(until));
        }
        let mut ends = Vec::new();
        let old = std::mem::replace(&mut state.exporters, exporters);
        for (name, exporter) in old {
            if !state.exporters.values().any(|kept| kept.is(&exporter)) {
                let (retiring, end) = Retiring::start(&name, exporter, until);
                state.retiring.push(retiring);
                ends.extend(end);
            }
        }
        self.reader.settle_exporters(|name| state.exporters.contains_key(name));
        state.failed = prepared.failed;
        let mut dropped: Vec<Box<dyn Send>> = vec![Box::new(ended)];
        #[cfg(all(unix, feature = "otlp"))]
        {
            let signals = listens_to_sigterm.then(|| {
                let (running, timeout) = (Weak::clone(&self.myself), config.shutdown_timeout());
                let (log, warned) = (self.log().clone(), self.log().clone());
                let flush = move || {
                    let Some(running) = running.upgrade() else { return };
                    if let Err(error) = running.flush(deadline(timeout))
                        // Else the program shuts down meanwhile, which pushes for the last time itself and says what failed.
                        && !running.state().is_over
                    {
                        error.log(&log);
                    }
                };
                Signals::start(config.on_sigterm(), flush, move |line| warned.write(Level::Warn, line))
            });
            dropped.push(Box::new(std::mem::replace(&mut state.signals, signals)));
        }
        dropped.push(Box::new(state.config.replace(config)));
        (dropped, ends)
    }

    /// What listeners call where they may.
    #[cfg(feature = "serve")]
    fn reload_by_request(&self) -> Reload {
        let myself = Weak::clone(&self.myself);
        Arc::new(move |wish| {
            let Some(running) = myself.upgrade() else {
                return Reloading::Refused("metercast was shut down\n".to_owned());
            };
            // Who waits here keeps pages from being written.
            let turn = match running.turn.try_lock() {
                Ok(turn) => turn,
                Err(TryLockError::Poisoned(turn)) => turn.into_inner(),
                Err(TryLockError::WouldBlock) => {
                    return Reloading::Busy("another reload is under way; try again later\n".to_owned());
                }
            };
            if wish == Wish::Plan {
                let planned = running.plan_in_turn(turn, |config| running.read(config));
                return planned.map_or_else(
                    |error| Reloading::Refused(format!("{error}\n")),
                    |planned| Reloading::Done {
                        text: planned.lines().map(|line| line + "\n").collect(),
                        changes: planned.json(),
                    },
                );
            }
            match running.reload_in_turn(turn, "POST /-/reload", |config| running.read(config)) {
                Ok(reloaded) => Reloading::Done { text: format!("{reloaded}\n"), changes: reloaded.json() },
                Err(error) => Reloading::Refused(format!("{error}\n")),
            }
        })
    }

    fn log(&self) -> &Log {
        self.reader.log()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say_start(&self) {
        let state = self.state();
        let Some(config) = state.config.clone() else { return };
        let (exporters, failed) = (state.exporters.clone(), state.failed.clone());
        drop(state);
        for (name, cause) in failed {
            let line = format!("exporter {name:?} {cause}");
            if config.is_private(&name) {
                self.log().hushed().write(Level::Error, &line);
            } else {
                self.log().write(Level::Error, &format!("{line}; the others run"));
            }
        }
        if config.is_enabled() {
            self.log().write(Level::Info, &summary(&exporters));
        }
    }

    /// Says that somebody may reload, so that it is known when that was last.
    pub(super) fn say_reloadable(&self) {
        let state = self.state();
        if state.config.as_ref().is_some_and(Config::self_metrics) {
            drop(state);
            own::reloaded(self.reader.store(), true);
        }
    }

    fn say_reload(&self, by: &str, said: &Said) {
        let mut state = self.state();
        let is_measured = !state.is_over && state.config.as_ref().is_some_and(Config::self_metrics);
        let before = state.last_reload.replace(said.clone());
        #[cfg(feature = "live")]
        {
            state.last_reload_at = Some(std::time::SystemTime::now());
        }
        drop(state);
        if is_measured {
            own::reloaded(self.reader.store(), said.is_success());
        }
        said.write(self.log(), by, before.as_ref());
    }

    /// The files that matter to the configuration that holds; those that its exporters encrypt with only if they do not run.
    #[cfg(feature = "config")]
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let state = self.state();
        let Some(config) = &state.config else { return Vec::new() };
        config.files().into_iter().chain(config.tls_files(|name| state.failed.contains_key(name))).collect()
    }

    /// What people are shown of what runs. `None` before all has started, and once it is over.
    #[cfg(feature = "live")]
    fn facts(&self) -> Option<Facts> {
        let state = self.state();
        let config = state.config.clone().filter(|_| !state.is_over)?;
        let running = state.exporters.iter().map(|(name, exporter)| {
            let facts = ExporterFacts::of(name, &exporter.config, exporter.is_private, exporter.url());
            let stopped = (!exporter.is_alive()).then(|| "its thread has died; the log says why".to_owned());
            ExporterFacts { stopped, ..facts }
        });
        let failed = state.failed.iter().filter_map(|(name, cause)| {
            let facts = ExporterFacts::of(name, config.exporter(name)?, config.is_private(name), None);
            Some(ExporterFacts { stopped: Some(cause.clone()), ..facts })
        });
        let mut exporters: Vec<_> = running.chain(failed).collect();
        exporters.sort_by(|a, b| a.name.cmp(&b.name));
        let reload = state.last_reload.clone().zip(state.last_reload_at);
        let reload = reload.map(|(said, at)| (said.is_success(), said.line, at));
        drop(state);
        Some(Facts { config, exporters, reload })
    }

    /// The configuration that holds.
    pub(super) fn config(&self) -> Option<Config> {
        self.state().config.clone()
    }

    /// What could not start though the user asked for it.
    pub(super) fn failed(&self) -> Vec<(String, String)> {
        let state = self.state();
        let is_private = |name: &str| state.config.as_ref().is_some_and(|config| config.is_private(name));
        let failed = state.failed.iter().filter(|(name, _)| !is_private(name));
        failed.map(|(name, cause)| (name.clone(), cause.clone())).collect()
    }

    /// The address of the first listener.
    pub(super) fn scrape_address(&self) -> Option<SocketAddr> {
        #[cfg(feature = "serve")]
        {
            let state = self.state();
            let mut listeners =
                state.exporters.values().filter(|one| !one.is_private).filter_map(Exporter::listener);
            listeners.next().map(|listener| listener.address())
        }
        #[cfg(not(feature = "serve"))]
        None
    }

    /// The URL of the first page for people.
    #[cfg(feature = "live")]
    pub(super) fn live_url(&self) -> Option<String> {
        self.state().exporters.values().filter(|one| !one.is_private).find_map(Exporter::live_url)
    }

    /// The URL of the first page.
    pub(super) fn scrape_url(&self) -> Option<String> {
        #[cfg(feature = "serve")]
        return self.state().exporters.values().filter(|one| !one.is_private).find_map(Exporter::url);
        #[cfg(not(feature = "serve"))]
        None
    }

    /// Lets all hand over at once, until `deadline`.
    pub(crate) fn flush(&self, deadline: Instant) -> Result<(), FlushError> {
        let exporters = self.state().exporters.clone();
        let failures = at_once(&exporters, |exporter| exporter.flush(deadline));
        if failures.is_empty() { Ok(()) } else { Err(FlushError::new(failures)) }
    }

    /// Lets all hand over for the last time and stops, until `deadline`. A reload that is being prepared comes too late.
    pub(super) fn shutdown(&self, deadline: Instant) -> Result<(), FlushError> {
        let (exporters, retiring, instruments, was_disabled) = {
            let mut state = self.state();
            state.is_over = true;
            let was_disabled = state.config.as_ref().is_some_and(|config| !config.is_enabled());
            let retiring = std::mem::take(&mut state.retiring);
            let instruments = std::mem::take(&mut state.instruments);
            (std::mem::take(&mut state.exporters), retiring, instruments, was_disabled)
        };
        let mut failures = at_once(&exporters, |exporter| exporter.shutdown(deadline));
        failures.extend(retiring.into_iter().filter_map(|retiring| retiring.wait(deadline).err()));
        exporters.values().for_each(|exporter| exporter.conclude(deadline));
        // The listeners with them.
        drop(exporters);
        #[cfg(feature = "live")]
        self.live.stop();
        instruments.uninstall();
        if was_disabled {
            self.reader.store().set_enabled(true);
        }
        // Last, so that a signal that comes meanwhile finds that the program is still ending.
        #[cfg(all(unix, feature = "otlp"))]
        {
            let signals = self.state().signals.take();
            drop(signals);
        }
        if failures.is_empty() { Ok(()) } else { Err(FlushError::new(failures)) }
    }
}

/// Whether SIGTERM is to be waited for: there is something to flush then, and the program does not want to be left alone.
#[cfg(all(unix, feature = "otlp"))]
fn listens_to_sigterm(config: &Config, prepared: &Prepared) -> bool {
    config.on_sigterm() != crate::config::OnSigterm::Ignore
        && prepared.steps.values().any(super::step::Step::is_periodic)
}
