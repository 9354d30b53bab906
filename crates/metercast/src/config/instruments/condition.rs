//! The key `condition`: comparisons of selectors with values, and what is made of them.

use super::super::place::Place;
use super::super::tree::{Node, Value};
use super::operand::{DEFAULT, REDACT};
use super::read::InstrumentsReader;
use crate::dynamic::{Condition, Operand, Stage};

/// What conditions there are.
pub(super) const CONDITIONS: [&str; 7] = ["eq", "gt", "lt", "exists", "all", "any", "not"];
/// How deep conditions may lie in each other.
const DEEPEST: usize = 16;
/// The most conditions of an instrument, with those that lie in others.
const MOST: usize = 256;

impl InstrumentsReader<'_> {
    pub(super) fn condition(&mut self, at: &Place, stage: &Stage, node: &Node) -> Option<Condition<Operand>> {
        let mut count = 0;
        self.nested(at, stage, node, 0, &mut count)
    }

    fn nested(
        &mut self,
        at: &Place,
        stage: &Stage,
        node: &Node,
        depth: usize,
        count: &mut usize,
    ) -> Option<Condition<Operand>> {
        *count += 1;
        if depth > DEEPEST || *count > MOST {
            // Once is enough.
            if depth > DEEPEST || *count == MOST + 1 {
                let message = format!(
                    "is too much: a condition is at most {DEEPEST} deep and made of at most {MOST} conditions"
                );
                self.findings.problem(at, message);
            }
            return None;
        }
        if let Value::Bool(_) = &node.value {
            return self.findings.truth(at, node).map(Condition::Always);
        }
        const EXPECTED: &str =
            "true, false or a condition such as { eq = [\"GET\", { request_method = true }] }";
        let entries = self.findings.table(at, node, EXPECTED)?;
        let [(key, inner)] = entries else {
            let message =
                "has not exactly one condition; several stand in a list, { all = [...] } or { any = [...] }";
            self.findings.problem(at, message);
            return None;
        };
        let place = at.child(key).of(inner);
        match key.as_str() {
            "eq" => self.pair(&place, stage, inner).map(|(a, b)| Condition::Equal(a, b)),
            "gt" => self.pair(&place, stage, inner).map(|(a, b)| Condition::Greater(a, b)),
            "lt" => self.pair(&place, stage, inner).map(|(a, b)| Condition::Less(a, b)),
            "exists" => self.exists(&place, stage, inner),
            "all" => self.list(&place, stage, inner, depth, count).map(Condition::All),
            "any" => self.list(&place, stage, inner, depth, count).map(Condition::Any),
            "not" => {
                let inner = self.nested(&place, stage, inner, depth + 1, count)?;
                Some(Condition::Not(Box::new(inner)))
            }
            _ => {
                self.findings.unknown(&place, key, &CONDITIONS);
                None
            }
        }
    }

    fn list(
        &mut self,
        at: &Place,
        stage: &Stage,
        node: &Node,
        depth: usize,
        count: &mut usize,
    ) -> Option<Vec<Condition<Operand>>> {
        let Value::List(items) = &node.value else {
            return self.findings.mistyped(at, "a list of conditions", &node.value);
        };
        if items.is_empty() {
            self.findings
                .problem(at, "is an empty list; write at least one condition, or true or false in its place");
            return None;
        }
        let mut conditions = Vec::new();
        for (n, item) in items.iter().enumerate() {
            if *count > MOST {
                return None;
            }
            let place = at.item(n).of(item);
            conditions.extend(self.nested(&place, stage, item, depth + 1, count));
        }
        (conditions.len() == items.len()).then_some(conditions)
    }

    fn exists(&mut self, at: &Place, stage: &Stage, node: &Node) -> Option<Condition<Operand>> {
        let operand = self.operand(at, stage, node)?;
        match &operand {
            Operand::Constant(_) => {
                self.findings.problem(at, "is always there; write a selector of the request");
                None
            }
            Operand::Selected(selection) if selection.has_default() => {
                let message = "is always there, as it has a default; leave that out";
                self.findings.problem(&at.child(DEFAULT), message);
                None
            }
            _ => Some(Condition::Exists(operand)),
        }
    }

    /// Two operands, at least one of which the operation has.
    fn pair(&mut self, at: &Place, stage: &Stage, node: &Node) -> Option<(Operand, Operand)> {
        const EXPECTED: &str = "a list of two, such as [200, { response_status = \"code\" }]";
        let Value::List(items) = &node.value else {
            return self.findings.mistyped(at, EXPECTED, &node.value);
        };
        let [a, b] = items.as_slice() else {
            let found = items.len();
            self.findings.problem(at, format!("expected {EXPECTED}, found {found} items"));
            return None;
        };
        let a = self.operand(&at.item(0).of(a), stage, a);
        let b = self.operand(&at.item(1).of(b), stage, b);
        let (a, b) = (a?, b?);
        if matches!((&a, &b), (Operand::Constant(_), Operand::Constant(_))) {
            let message = "compares a value with a value, which is always the same; one of the two must be a selector such as \
                           { response_status = \"code\" }";
            self.findings.problem(at, message);
            return None;
        }
        Some((a, b))
    }

    /// A selector, or a value.
    fn operand(&mut self, at: &Place, stage: &Stage, node: &Node) -> Option<Operand> {
        if !matches!(node.value, Value::Table(_)) {
            return self.scalar(at, node).map(Operand::Constant);
        }
        let (operand, redaction) = self.selected(at, stage, node)?;
        if redaction.is_some() {
            self.findings.warn(&at.child(REDACT), "has no effect: a condition shows no value");
        }
        Some(operand)
    }
}
