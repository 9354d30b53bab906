//! What is wrong with the views of an exporter: each thing said once, by whoever reads.

use std::collections::HashSet;

/// More than a person reads; bounds the memory.
const REMEMBERED: usize = 256;

/// Warnings of one exporter.
#[derive(Debug)]
pub(super) struct Warnings {
    exporter: String,
    said: HashSet<String>,
    new: Vec<String>,
}

impl Warnings {
    pub(super) fn of(exporter: &str) -> Warnings {
        Warnings { exporter: exporter.to_owned(), said: HashSet::new(), new: Vec::new() }
    }

    /// Says this, unless it was said before.
    pub(super) fn say(&mut self, what: &str) {
        self.say_of_all(format!("exporter {:?}: {what}", self.exporter));
    }

    /// Says this of all exporters, each of which may find it; the log that they share has it once.
    pub(super) fn say_of_all(&mut self, what: String) {
        if self.said.len() < REMEMBERED && self.said.insert(what.clone()) {
            self.new.push(what);
        }
    }

    /// What was not taken yet.
    pub(super) fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.new)
    }
}
