//! The instruments of a configuration, and how they take the place of those of another.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use metercast_core::{InstrumentError, Store};

use super::definition::Definition;
use super::plan::Plan;
use super::stage::{Identity, Stages};
use crate::log::Log;

/// What a configuration defines, stage by stage. Equal if the instruments are.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Instruments {
    pub(crate) stages: Stages,
    pub(crate) definitions: BTreeMap<&'static str, Vec<Definition>>,
}

/// What was put in place and is to be taken out again; so much of it as is there by then.
#[derive(Default)]
pub(crate) struct Installed {
    stages: Stages,
    plans: BTreeMap<&'static str, Arc<Plan>>,
}

/// Instruments that are made, and not used yet.
pub(crate) struct Prepared {
    stages: Stages,
    plans: BTreeMap<&'static str, Arc<Plan>>,
    names: BTreeMap<String, Identity>,
}

impl Instruments {
    /// Makes all that can fail. If nothing is to be measured, no operation is looked at.
    ///
    /// # Errors
    ///
    /// The process has as many instruments as it may.
    pub(crate) fn prepare(&self, is_enabled: bool) -> Result<Prepared, InstrumentError> {
        let (mut plans, mut names) = (BTreeMap::new(), BTreeMap::new());
        for (stage, definitions) in &self.definitions {
            if is_enabled && !definitions.is_empty() {
                plans.insert(*stage, Arc::new(Plan::new(definitions.iter())?));
            }
            names
                .extend(definitions.iter().map(|definition| (definition.name.clone(), identity(definition))));
        }
        Ok(Prepared { stages: self.stages.clone(), plans, names })
    }

    /// How often instruments are defined.
    pub(crate) fn count(&self) -> usize {
        self.definitions.values().map(Vec::len).sum()
    }

    /// What a name has been since the program started, if that is something else than this definition makes of it.
    pub(crate) fn contradicts(&self, definition: &Definition) -> Option<String> {
        let new = identity(definition);
        self.stages.names(|names| {
            let known = names.get(&definition.name).filter(|known| **known != new)?;
            let (kind, _, unit) = known;
            let unit = if unit.is_empty() { "no unit".to_owned() } else { format!("the unit {unit:?}") };
            Some(format!(
                "was a {kind} with {unit} before, and a metric stays what it is as long as the program runs"
            ))
        })
    }
}

impl Installed {
    /// Takes all of these out, as they are over: nothing is measured by them any more, and what they counted stays. What somebody else
    /// has put in their place stays, too.
    pub(crate) fn uninstall(self) {
        self.stages.uninstall(&self.plans);
    }
}

impl Prepared {
    /// Puts these in place of those of the configuration before, which were `installed`. Returns what is to be warned of; this log gets
    /// what comes later.
    pub(crate) fn commit(
        self,
        store: &Store,
        log: &Log,
        before: Option<&Instruments>,
        installed: &mut Installed,
    ) -> Vec<String> {
        let Prepared { stages, plans, names } = self;
        let old: BTreeSet<&str> = before
            .into_iter()
            .flat_map(|before| before.definitions.values().flatten())
            .map(|definition| definition.name.as_str())
            .collect();
        // Before they are recorded into.
        names.keys().filter(|name| !old.contains(name.as_str())).for_each(|name| store.restore(name));
        let warnings = stages.install(&plans, log);
        store.scope(|| plans.values().for_each(|plan| plan.zero()));
        let before = std::mem::replace(installed, Installed { stages: stages.clone(), plans });
        if before.stages != stages {
            before.uninstall();
        }
        old.iter().filter(|name| !names.contains_key(**name)).for_each(|name| store.withdraw(name));
        stages.names(|known| known.extend(names));
        warnings
    }
}

/// What an instrument is as long as the program runs.
fn identity(definition: &Definition) -> Identity {
    (definition.kind, definition.number(), definition.unit.clone())
}
