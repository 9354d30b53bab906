//! The stages that operations go through, and which instruments each has at the moment.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use metercast_core::{Kind, NumberType};

use super::operation::Operation;
use super::plan::Plan;
use super::selector::{Selection, Selector, Takes};
use super::source::Source;
use super::standard::{Level, Standard};

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
    /// Whether there are instruments: looked at before anything else.
    is_measured: AtomicBool,
    plan: RwLock<Option<Arc<Plan>>>,
}

impl Stages {
    /// These stages; of two of one name the last.
    pub fn new(stages: impl IntoIterator<Item = Stage>) -> Stages {
        let mut all: Vec<Arc<State>> = Vec::new();
        for stage in stages {
            all.retain(|known| known.stage.name != stage.name);
            all.push(Arc::new(State { stage, is_measured: AtomicBool::new(false), plan: RwLock::default() }));
        }
        Stages(Arc::new(Inner { stages: all, names: Mutex::default() }))
    }

    /// What works through the stage of this name asks here; `None` if there is no such stage.
    pub fn stage(&self, name: &str) -> Option<StageHandle> {
        let known = self.0.stages.iter().find(|state| state.stage.name == name);
        known.map(|state| StageHandle(Arc::clone(state)))
    }

    pub(crate) fn each(&self) -> impl Iterator<Item = &Stage> {
        self.0.stages.iter().map(|state| &state.stage)
    }

    /// Puts these plans in place of those that there are; a stage without one has none.
    pub(super) fn install(&self, mut plans: BTreeMap<&'static str, Arc<Plan>>) {
        for state in &self.0.stages {
            let plan = plans.remove(state.stage.name);
            let is_measured = plan.is_some();
            let mut current = state.plan.write().unwrap_or_else(PoisonError::into_inner);
            let before = std::mem::replace(&mut *current, plan);
            state.is_measured.store(is_measured, Release);
            drop(current);
            // Not while others wait.
            drop(before);
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
pub struct StageHandle(Arc<State>);

impl StageHandle {
    /// An operation begins, of which this is to be seen. `None` if there are no instruments for it: then there is nothing to
    /// do, and nothing was done.
    #[inline]
    #[must_use = "what is dropped at once counts as broken off"]
    pub fn begin(&self, request: &dyn Source) -> Option<Operation> {
        if !self.0.is_measured.load(Acquire) { None } else { self.begin_measured(request) }
    }

    fn begin_measured(&self, request: &dyn Source) -> Option<Operation> {
        let plan = self.0.plan.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some(Operation::begin(plan, request))
    }

    /// The name of the stage.
    pub fn name(&self) -> &'static str {
        self.0.stage.name
    }
}

impl fmt::Debug for StageHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StageHandle").field(&self.name()).finish()
    }
}
