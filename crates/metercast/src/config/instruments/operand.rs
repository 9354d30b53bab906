//! A selector with its argument, as attributes, values and conditions have it.

use super::super::place::Place;
use super::super::suggest::{did_you_mean, one_of};
use super::super::tree::{Node, Value};
use super::read::{InstrumentsReader, SELECTOR};
use crate::dynamic::{Operand, Redaction, Stage, Takes};
use crate::view::Glob;

/// The selectors that are answered before anything happens.
pub(super) const STATIC: &str = "static";
pub(super) const ENV: &str = "env";
/// What may stand beside a selector.
pub(super) const DEFAULT: &str = "default";
pub(super) const REDACT: &str = "redact";

impl InstrumentsReader<'_> {
    /// A table with one selector, and what is to be done with its value.
    pub(super) fn selected(
        &mut self,
        at: &Place,
        stage: &Stage,
        node: &Node,
    ) -> Option<(Operand, Option<Redaction>)> {
        let entries = self.findings.table(at, node, SELECTOR)?;
        let (mut default, mut redaction, mut found) = (None, None, None);
        let names = || stage.selectors.iter().map(|selector| selector.name()).chain([STATIC, ENV]);
        for (key, node) in entries {
            let place = at.child(key).of(node);
            match key.as_str() {
                DEFAULT => default = Some(self.scalar(&place, node)?),
                REDACT => redaction = self.redaction(&place, node),
                key if names().any(|name| name == key) => {
                    if let Some((first, _, _)) = found.replace((key, place.clone(), node)) {
                        let message = format!("asks for {first:?} and {key:?}; a selector is one of them");
                        self.findings.problem(&place, message);
                        return None;
                    }
                }
                key => {
                    let known: Vec<&str> = names().chain([DEFAULT, REDACT]).collect();
                    self.findings.unknown(&place, key, &known);
                    return None;
                }
            }
        }
        let Some((name, place, node)) = found else {
            let known: Vec<&str> = names().collect();
            self.findings.problem(at, format!("has no selector; write one of {}", one_of(&known)));
            return None;
        };
        let operand = match name {
            STATIC => Operand::Constant(self.scalar(&place, node)?),
            ENV => Operand::Variable(self.text(&place, node, "\"REGION\"")?, default),
            name => {
                let argument = self.argument(&place, stage, name, node)?;
                let selection = stage.selection(name, &argument)?;
                Operand::Selected(selection.with_default(default))
            }
        };
        Some((operand, redaction))
    }

    fn argument(&mut self, at: &Place, stage: &Stage, name: &str, node: &Node) -> Option<String> {
        let selector = stage.selectors.iter().find(|selector| selector.name() == name)?;
        match selector.takes {
            Takes::Truth => {
                if !self.findings.truth(at, node)? {
                    self.findings.problem(at, "asks for nothing; write true, or leave the selector out");
                    return None;
                }
                Some(String::new())
            }
            Takes::Words(words) => match &node.value {
                Value::String(word) if words.contains(&word.as_str()) => Some(word.clone()),
                Value::String(word) => {
                    let meant = did_you_mean(word, words);
                    self.findings.problem(at, format!("expected {}, found {word:?}{meant}", one_of(words)));
                    None
                }
                other => self.findings.mistyped(at, &one_of(words), other),
            },
            Takes::Text(check) => {
                let text = self.text(at, node, "\"x-tenant\"")?;
                self.findings.checked(at, check(&text))?;
                Some(text)
            }
        }
    }

    /// A text, a truth or a number.
    pub(super) fn scalar(&mut self, at: &Place, node: &Node) -> Option<metercast_core::Value> {
        match &node.value {
            Value::String(text) => self.bounded(at, text).map(Into::into),
            Value::Bool(truth) => Some((*truth).into()),
            Value::Integer(number) => Some((*number).into()),
            Value::Float(number) if number.is_finite() => Some((*number).into()),
            Value::Float(_) => {
                self.findings.problem(at, "is no finite number; write another");
                None
            }
            other => self.findings.mistyped(at, "a string, a boolean, an integer or a float", other),
        }
    }

    fn redaction(&mut self, at: &Place, node: &Node) -> Option<Redaction> {
        match &node.value {
            Value::Bool(true) => Some(Redaction::Everything),
            Value::Bool(false) => None,
            Value::String(pattern) => {
                let pattern = self.bounded(at, pattern)?;
                let glob = super::super::projection::check_glob(Glob::new(&pattern));
                self.findings.checked(at, glob).map(Redaction::Matching)
            }
            other => self.findings.mistyped(at, "true, or a pattern such as \"*@*\"", other),
        }
    }
}
