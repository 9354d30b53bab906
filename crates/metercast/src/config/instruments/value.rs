//! The key `value`: what an instrument counts or measures.

use super::super::keys::instruments::VALUES;
use super::super::place::Place;
use super::super::suggest::{did_you_mean, one_of};
use super::super::tree::{Node, Value};
use super::read::{InstrumentsReader, SELECTOR};
use crate::dynamic::{Amount, Moment, Operand, Selection, Stage, TimeUnit};

impl InstrumentsReader<'_> {
    /// A word, a selector, or a selector for each event or field.
    pub(super) fn value(&mut self, at: &Place, stage: &Stage, node: &Node) -> Option<Amount> {
        match &node.value {
            Value::String(word) => match word.as_str() {
                "unit" => Some(Amount::Unit),
                "duration" => Some(Amount::Duration(TimeUnit::Seconds)),
                "event_unit" => Some(Amount::EachUnit(Moment::Event)),
                "event_duration" => Some(Amount::EventDuration(TimeUnit::Seconds)),
                "field_unit" => Some(Amount::EachUnit(Moment::Field)),
                _ => {
                    let (known, meant) = (one_of(&VALUES), did_you_mean(word, &VALUES));
                    let message = format!("expected {known}, or {SELECTOR}, found {word:?}{meant}");
                    self.findings.problem(at, message);
                    None
                }
            },
            Value::Table(entries) => match entries.as_slice() {
                [(key, inner)] if key == "event_custom" || key == "field_custom" => {
                    let moment = if key == "event_custom" { Moment::Event } else { Moment::Field };
                    let place = at.child(key).of(inner);
                    let selection = self.number(&place, stage, inner)?;
                    Some(Amount::EachSelected(moment, selection))
                }
                _ => self.number(at, stage, node).map(Amount::Selected),
            },
            other => {
                let expected = format!("{}, or {SELECTOR}", one_of(&VALUES));
                self.findings.mistyped(at, &expected, other)
            }
        }
    }

    /// A selector whose value is a number, or says one.
    fn number(&mut self, at: &Place, stage: &Stage, node: &Node) -> Option<Selection> {
        match self.selected(at, stage, node)? {
            (Operand::Selected(selection), None) => Some(selection),
            (_, Some(_)) => {
                self.findings.problem(&at.child("redact"), "hides what is to be measured; leave it out");
                None
            }
            (Operand::Constant(_) | Operand::Variable(..), None) => {
                let message = "is the same for all requests, which is nothing to measure; write \"unit\", or a selector of the request";
                self.findings.problem(at, message);
                None
            }
        }
    }
}
