//! One table of a file of another make, read strictly: every key is known, or an error.

use crate::config::error::Findings;

use crate::config::place::Place;
use crate::config::tree::{NOTHING, Node, Value};

/// A table whose keys are taken one by one. A key without a value is as if it were not there.
pub(super) struct Section<'n> {
    pub(super) place: Place,
    left: Vec<&'n (String, Node)>,
    known: Vec<&'static str>,
}

/// A value, with the place of its key.
#[derive(Clone)]
pub(super) struct Field<'n> {
    pub(super) place: Place,
    pub(super) node: &'n Node,
}

impl<'n> Section<'n> {
    pub(super) fn of(place: Place, node: &'n Node, findings: &mut Findings) -> Option<Self> {
        let entries: &[(String, Node)] = match &node.value {
            Value::Table(entries) => entries,
            Value::Other(NOTHING) => &[],
            other => return findings.mistyped(&place, "a table", other),
        };
        Some(Self::new(place, entries))
    }

    pub(super) fn new(place: Place, entries: &'n [(String, Node)]) -> Self {
        Self { place, left: entries.iter().collect(), known: Vec::new() }
    }

    /// The value of this key, if there is one.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Field<'n>> {
        self.take_even_empty(key).filter(|field| !matches!(field.node.value, Value::Other(NOTHING)))
    }

    /// The value of this key, also if it says nothing.
    pub(super) fn take_even_empty(&mut self, key: &'static str) -> Option<Field<'n>> {
        self.known.push(key);
        let at = self.left.iter().position(|(known, _)| known == key)?;
        let (_, node) = self.left.remove(at);
        Some(Field { place: self.place.child(key).of(node), node })
    }

    /// The keys that are left, each with its place.
    pub(super) fn left(&self) -> impl Iterator<Item = (&'n str, Field<'n>)> + '_ {
        self.left
            .iter()
            .map(|(key, node)| (key.as_str(), Field { place: self.place.child(key).of(node), node }))
    }

    /// Notes each key that nobody took.
    pub(super) fn finish(self, findings: &mut Findings) {
        for (key, Field { place, .. }) in self.left() {
            findings.unknown(&place, key, &self.known);
        }
    }

    /// The only key of a table that chooses one of several.
    pub(super) fn choice(
        &self,
        findings: &mut Findings,
        known: &[&'static str],
    ) -> Option<(&'n str, Field<'n>)> {
        let mut left = self.left();
        match (left.next(), left.next()) {
            (Some(choice), None) => Some(choice),
            (first, _) => {
                let found = if first.is_none() { "none" } else { "several" };
                let known = crate::config::suggest::one_of(known);
                findings.problem(&self.place, format!("expected one key, {known}, found {found}"));
                None
            }
        }
    }
}

/// Takes fields for what they should be, or notes that they are something else.
impl Findings {
    /// A whole number of at least `least`.
    pub(super) fn whole(&mut self, Field { place, node }: &Field<'_>, least: i64) -> Option<i64> {
        match &node.value {
            Value::Integer(number) if *number >= least => Some(*number),
            Value::Integer(number) => {
                self.problem(place, format!("expected an integer of at least {least}, found {number}"));
                None
            }
            other => self.mistyped(place, "an integer", other),
        }
    }

    pub(super) fn items<'n>(&mut self, Field { place, node }: &Field<'n>) -> Option<Vec<Field<'n>>> {
        match &node.value {
            Value::List(items) if !items.is_empty() => Some(
                items
                    .iter()
                    .enumerate()
                    .map(|(n, node)| Field { place: place.item(n).of(node), node })
                    .collect(),
            ),
            Value::List(_) => {
                self.mistyped(place, "a list with something in it", &Value::Other("an empty list"))
            }
            other => self.mistyped(place, "a list", other),
        }
    }

    /// A list of texts.
    pub(super) fn strings<'n>(&mut self, field: &Field<'n>) -> Option<Vec<&'n str>> {
        let items = self.items(field)?;
        items.iter().map(|item| self.string(&item.place, item.node, "\"a\"")).collect()
    }
}
