//! The stages that operations go through, and which instruments each has at the moment.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use metercast_core::{Kind, NumberType};

use super::operation::Operation;
use super::plan::Plan;
use super::selector::{Selection, Selector, Takes};
use super::source::Source;
use super::standard::{Level, Standard};
use crate::log::{self, Log};

/// A kind of operation that a configuration may define instruments for, such as the requests of a server: its name, what may be
/// asked of it, and the instruments that it knows by name.
#[derive(Clone, Debug)]
#[must_use]
pub struct Stage {
    pub(crate) name: &'static str,
    pub(crate) selectors: Vec<Selector>,
    pub(crate) standards: Vec<Standard>,
}

impl Stage {
    /// A stage of this name, with the selector `duration` alone: the seconds that an operation took. A configuration can
    /// also use `static` and `env` everywhere.
    pub fn new(name: &'static str) -> Stage {
        Stage { name, selectors: vec![Selector::duration()], standards: Vec::new() }
    }

    /// With a selector; one of the same name that was there before is no more.
    pub fn selector(mut self, selector: Selector) -> Stage {
        self.selectors.retain(|known| known.name != selector.name);
        self.selectors.push(selector);
        self
    }

    /// With an instrument that is known by name; one of the same name that was there before is no more.
    pub fn standard(mut self, standard: Standard) -> Stage {
        self.standards.retain(|known| known.name != standard.name);
        self.standards.push(standard);
        self
    }

    /// With an attribute of all instruments that are known by name up to here, which this selector has with this argument, `""` if
    /// it needs none.
    pub fn attribute(
        mut self,
        key: &'static str,
        level: Level,
        selector: &'static str,
        argument: &'static str,
    ) -> Stage {
        let standards = self.standards.into_iter();
        self.standards =
            standards.map(|standard| standard.attribute(key, level, selector, argument)).collect();
        self
    }

    /// Its name in a configuration.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// A selector of this stage with an argument.
    pub(crate) fn selection(&self, name: &str, argument: &str) -> Option<Selection> {
        let selector = self.selectors.iter().find(|selector| selector.name == name)?;
        let argument = match selector.takes {
            Takes::Truth => String::new(),
            Takes::Words(_) | Takes::Text(_) => argument.to_owned(),
        };
        Some(Selection { name: selector.name, argument, moments: selector.moments, default: None })
    }
}

/// The stages of a program, each with the instruments that the configuration in force defines for it. Shared: the
/// [configuration](crate::config::ConfigBuilder::stages) is read with it, and each layer that works through a stage asks it
/// what there is to measure.
///
/// A reload puts other instruments in place all at once. An operation that began before ends with those that it began with.
#[derive(Clone, Default)]
pub struct Stages(Arc<Inner>);

#[derive(Default)]
struct Inner {
    stages: Vec<Arc<State>>,
    /// What each name has been since the program started.
    names: Mutex<BTreeMap<String, Identity>>,
}

/// What an instrument is as long as the program runs.
pub(super) type Identity = (Kind, NumberType, String);

struct State {
    stage: Stage,
    /// What all of its instruments come to.
    whole: Arc<InForce>,
    rest: Mutex<Rest>,
}

/// What is in force for those who measure some of the instruments themselves.
#[derive(Default)]
struct Rest {
    /// By what they measure.
    parts: Vec<(Vec<&'static str>, Arc<InForce>)>,
    /// What was put in place last, and who is to hear of it.
    installed: Option<(Arc<Plan>, Log)>,
}

/// The plan that operations begin with.
#[derive(Default)]
struct InForce {
    /// Whether there are instruments: looked at before anything else.
    is_measured: AtomicBool,
    plan: RwLock<Option<Arc<Plan>>>,
}

impl InForce {
    fn set(&self, plan: Option<Arc<Plan>>) {
        let is_measured = plan.is_some();
        let mut current = self.plan.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *current, plan);
        self.is_measured.store(is_measured, Release);
        drop(current);
        // Not while others wait.
        drop(before);
    }
}

impl State {
    fn rest(&self) -> MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What there is to say of standard instruments of these names.
    fn left_out<'a>(
        &'a self,
        plan: &'a Plan,
        names: &'a [&'static str],
    ) -> impl Iterator<Item = String> + 'a {
        plan.places(names).map(|place| {
            let stage = self.stage.name;
            format!(
                "{place}: the program itself measures this beside the stage {stage:?}, so that it is counted once and as the \
                 program says; leave it out"
            )
        })
    }
}

impl Stages {
    /// These stages; of two of one name the last.
    pub fn new(stages: impl IntoIterator<Item = Stage>) -> Stages {
        let mut all: Vec<Arc<State>> = Vec::new();
        for stage in stages {
            all.retain(|known| known.stage.name != stage.name);
            all.push(Arc::new(State { stage, whole: Arc::default(), rest: Mutex::default() }));
        }
        Stages(Arc::new(Inner { stages: all, names: Mutex::default() }))
    }

    /// What works through the stage of this name asks here; `None` if there is no such stage.
    pub fn stage(&self, name: &str) -> Option<StageHandle> {
        let known = self.0.stages.iter().find(|state| state.stage.name == name);
        known.map(|state| StageHandle {
            state: Arc::clone(state),
            in_force: Arc::clone(&state.whole),
            left_out: Vec::new(),
        })
    }

    pub(crate) fn each(&self) -> impl Iterator<Item = &Stage> {
        self.0.stages.iter().map(|state| &state.stage)
    }

    /// Puts these plans in place of those that there are; a stage without one has none. Returns what there is to say of what they
    /// have in vain, and this log gets what there is to say later.
    pub(super) fn install(&self, plans: &BTreeMap<&'static str, Arc<Plan>>, log: &Log) -> Vec<String> {
        let mut said = Vec::new();
        for state in &self.0.stages {
            let plan = plans.get(state.stage.name);
            let mut rest = state.rest();
            state.whole.set(plan.cloned());
            for (names, in_force) in &rest.parts {
                in_force.set(plan.and_then(|plan| plan.without(names)));
                said.extend(plan.into_iter().flat_map(|plan| state.left_out(plan, names)));
            }
            rest.installed = plan.map(|plan| (Arc::clone(plan), log.clone()));
        }
        said
    }

    /// Takes these plans out, unless others are in their place.
    pub(super) fn uninstall(&self, plans: &BTreeMap<&'static str, Arc<Plan>>) {
        for state in &self.0.stages {
            let mut rest = state.rest();
            let is_there = match (&rest.installed, plans.get(state.stage.name)) {
                (Some((installed, _)), Some(plan)) => Arc::ptr_eq(installed, plan),
                _ => false,
            };
            if is_there {
                state.whole.set(None);
                rest.parts.iter().for_each(|(_, in_force)| in_force.set(None));
                rest.installed = None;
            }
        }
    }

    /// What each name has been since the program started.
    pub(super) fn names<R>(&self, f: impl FnOnce(&mut BTreeMap<String, Identity>) -> R) -> R {
        f(&mut self.0.names.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl PartialEq for Stages {
    fn eq(&self, other: &Stages) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (self.0.stages.is_empty() && other.0.stages.is_empty())
    }
}

impl fmt::Debug for Stages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.each().map(Stage::name)).finish()
    }
}

/// One stage of a program, for what works through it; made by [`Stages::stage`].
#[derive(Clone)]
pub struct StageHandle {
    state: Arc<State>,
    in_force: Arc<InForce>,
    /// The instruments that somebody else measures, in order.
    left_out: Vec<&'static str>,
}

impl StageHandle {
    /// The same stage for what works beside something that records these metrics of the same operations: instruments of these names
    /// that the stage [knows](Standard) are left to that, so that nothing is counted twice under one name. A configuration that has
    /// them is told so by a warning in the log.
    pub fn beside(&self, recorded: &[&'static str]) -> StageHandle {
        let is_known = |name: &str| self.state.stage.standards.iter().any(|known| known.name == name);
        let mut left_out = self.left_out.clone();
        left_out.extend(recorded.iter().filter(|name| is_known(name)));
        left_out.sort_unstable();
        left_out.dedup();
        if left_out == self.left_out {
            return self.clone();
        }
        let state = Arc::clone(&self.state);
        let mut rest = state.rest();
        let part = rest.parts.iter().find(|(names, _)| *names == left_out);
        let (in_force, mut said) = (part.map(|(_, in_force)| Arc::clone(in_force)), Vec::new());
        let in_force = in_force.unwrap_or_else(|| {
            let in_force: Arc<InForce> = Arc::default();
            if let Some((plan, log)) = &rest.installed {
                in_force.set(plan.without(&left_out));
                said.extend(state.left_out(plan, &left_out).map(|line| (log.clone(), line)));
            }
            rest.parts.push((left_out.clone(), Arc::clone(&in_force)));
            in_force
        });
        drop(rest);
        // Whoever takes what is said may have a layer to make.
        said.iter().for_each(|(log, line)| log.write_once(log::Level::Warn, line));
        StageHandle { state, in_force, left_out }
    }

    /// An operation begins, of which this is to be seen. `None` if there are no instruments for it: then there is nothing to
    /// do, and nothing was done.
    #[inline]
    #[must_use = "what is dropped at once counts as broken off"]
    pub fn begin(&self, request: &dyn Source) -> Option<Operation> {
        if !self.in_force.is_measured.load(Acquire) { None } else { self.begin_measured(request) }
    }

    fn begin_measured(&self, request: &dyn Source) -> Option<Operation> {
        let plan = self.in_force.plan.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some(Operation::begin(plan, request))
    }

    /// The name of the stage.
    pub fn name(&self) -> &'static str {
        self.state.stage.name
    }
}

impl fmt::Debug for StageHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StageHandle").field(&self.name()).finish()
    }
}
