//! What one source says about instruments.

use std::collections::BTreeMap;

use super::super::place::Given;
#[cfg(feature = "config")]
use super::super::place::lay;
use crate::dynamic::{Attribute, Condition, Definition, Operand};

/// What a source says about instruments. `None` is silence.
#[derive(Debug, Default)]
pub(in crate::config) struct InstrumentsLayer {
    /// How many of `default_requirement_level`'s words, from none on.
    pub(super) level: Option<Given<usize>>,
    /// By stage and name.
    pub(super) entries: BTreeMap<(String, String), Given<Entry>>,
}

/// What is said of one instrument.
#[derive(Debug)]
#[cfg_attr(not(feature = "config"), allow(dead_code, reason = "only a file says something"))]
pub(in crate::config) enum Entry {
    /// A standard instrument that is there or not, with these differences.
    Standard { is_on: bool, attributes: Vec<(String, Toggle)>, condition: Option<Condition<Operand>> },
    /// One that the program does not know.
    Own(Box<Definition>),
}

/// What is said of an attribute of a standard instrument.
#[derive(Debug)]
#[cfg_attr(not(feature = "config"), allow(dead_code, reason = "only a file says something"))]
pub(in crate::config) enum Toggle {
    Is(bool),
    Alias(String),
    Own(Attribute),
}

#[cfg(feature = "config")]
impl InstrumentsLayer {
    /// This, and where it is silent what `below` says. An instrument is said whole.
    pub(in crate::config) fn over(self, below: Self) -> Self {
        let mut layer = Self { level: lay(self.level, below.level), entries: below.entries };
        for (name, entry) in self.entries {
            let old = layer.entries.remove(&name);
            layer.entries.extend(lay(Some(entry), old).map(|entry| (name, entry)));
        }
        layer
    }

    /// Reads the environment variables that operands name.
    pub(in crate::config) fn fill(&mut self, variable: &dyn Fn(&str) -> Option<String>) {
        let read = |operand: &mut Operand| {
            if let Operand::Variable(name, default) = operand {
                // An empty variable is unset.
                let value = variable(name).filter(|value| !value.is_empty());
                if let Some(value) = value.map(Into::into).or_else(|| default.take()) {
                    *operand = Operand::Constant(value);
                }
            }
        };
        let read_condition = |condition: &mut Option<Condition<Operand>>| {
            if let Some(condition) = condition {
                *condition = condition.map(&mut |operand| {
                    let mut operand = operand.clone();
                    read(&mut operand);
                    operand
                });
            }
        };
        for entry in self.entries.values_mut() {
            match &mut entry.value {
                Entry::Standard { attributes, condition, .. } => {
                    for (_, toggle) in attributes {
                        if let Toggle::Own(attribute) = toggle {
                            read(&mut attribute.value);
                        }
                    }
                    read_condition(condition);
                }
                Entry::Own(definition) => {
                    definition.attributes.iter_mut().for_each(|attribute| read(&mut attribute.value));
                    read_condition(&mut definition.condition);
                }
            }
        }
    }
}
