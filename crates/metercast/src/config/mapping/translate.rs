//! A file of theirs becomes a file of ours.

use std::collections::BTreeMap;

use super::convert::Converted;
use super::rules::Known;
use super::{Mapping, Rule};
use crate::config::env::prefixed::{BETWEEN, Prefixed};
use crate::config::error::Findings;
use crate::config::file::ROOT;
use crate::config::place::Place;
use crate::config::substitute::References;
use crate::config::suggest::{did_you_mean, nearest};
use crate::config::translation::Translation;
use crate::config::tree::{NOTHING, Node, Value, Written};

/// What a file says, in our words.
#[derive(Debug, Default)]
pub(in crate::config) struct Translated {
    pub(in crate::config) entries: Vec<(String, Node)>,
    /// The exporters whose endpoint is used as it is.
    pub(in crate::config) exact: Vec<String>,
}

/// A value that a rule is about.
struct Hit<'n> {
    rule: usize,
    path: Vec<String>,
    place: Place,
    node: &'n Node,
}

/// What was found in a file.
#[derive(Default)]
struct Found<'n> {
    hits: Vec<Hit<'n>>,
    /// The tables that are there, by their path; without what is in them.
    tables: BTreeMap<Vec<String>, (Place, Node)>,
}

impl Mapping {
    /// Fills in what is referred to, and translates.
    pub(in crate::config) fn translate(
        &self,
        file: &Place,
        mut entries: Vec<(String, Node)>,
        variables: &[Prefixed],
        references: &mut References<'_>,
        findings: &mut Findings,
    ) -> Translated {
        let mut known = Known::of(&self.rules);
        // What else there is at the root belongs to the application.
        known.is_shared = true;
        for (key, node) in &mut entries {
            if let Some(known) = known.inner.get(key.as_str()) {
                self.fill_known(&file.child(key).of(node), known, node, references, findings);
            }
        }
        // What a variable says is its text, and refers to nothing.
        for variable in variables {
            set(&known, &mut entries, variable, findings);
        }
        let names: Vec<&str> = known.inner.keys().copied().collect();
        if !entries.iter().any(|(key, _)| names.contains(&key.as_str()))
            && let Some((key, node, near)) =
                entries.iter().find_map(|(key, node)| Some((key, node, nearest(key, &names)?)))
        {
            let message = format!("there is no table {near:?} in this file; is it meant by this one?");
            findings.warn(&file.child(key).of(node), message);
        }
        let mut exact = Vec::new();
        let ours = self.read(file, 1, &known, &entries, &mut exact, findings);
        Translated { entries: vec![(ROOT.to_owned(), Node::new(1, Value::Table(ours)))], exact }
    }

    /// Fills in the references where a rule may look, in the spelling of ours.
    fn fill_known(
        &self,
        at: &Place,
        known: &Known<'_>,
        node: &mut Node,
        references: &mut References<'_>,
        findings: &mut Findings,
    ) {
        if known.is_passed_over {
            return;
        }
        match &mut node.value {
            Value::Table(entries) if !known.inner.is_empty() => {
                for (key, node) in entries {
                    if let Some(known) = known.inner.get(key.as_str()) {
                        self.fill_known(&at.child(key).of(node), known, node, references, findings);
                    }
                }
            }
            _ => {
                if self.has_dotted_references {
                    respell(node);
                }
                references.fill_node(at, node, findings);
            }
        }
    }

    /// The table of ours that these entries of theirs come to.
    fn read(
        &self,
        at: &Place,
        line: usize,
        known: &Known<'_>,
        entries: &[(String, Node)],
        exact: &mut Vec<String>,
        findings: &mut Findings,
    ) -> Vec<(String, Node)> {
        let mut found = Found::default();
        let mut path = Vec::new();
        found.tables.insert(Vec::new(), (at.on_line(line), Node::new(line, Value::Table(Vec::new()))));
        walk(at, known, entries, &mut path, &mut found, findings);
        // In the order of the rules, so that what fills a list comes in that order.
        found.hits.sort_by_key(|hit| hit.rule);
        let mut ours = Translation::default();
        for hit in &found.hits {
            self.apply(hit, &mut ours, exact, findings);
        }
        self.complete(&found, &mut ours, findings);
        ours.into_entries()
    }

    fn apply(&self, hit: &Hit<'_>, ours: &mut Translation, exact: &mut Vec<String>, findings: &mut Findings) {
        let Hit { rule, place, node, .. } = hit;
        let (path, value) = match &self.rules[*rule] {
            Rule::Key { ours, conversion, .. } => match conversion.apply(place, node, findings) {
                Some(Converted::Value(value)) => (ours, value),
                Some(Converted::Exact(value)) => {
                    if let [exporters, name, _] = ours.as_slice()
                        && exporters == "exporters"
                    {
                        exact.push(name.clone());
                    }
                    (ours, value)
                }
                Some(Converted::Silence) | None => return,
            },
            Rule::List { ours, each, .. } => match each.items(place, node, findings) {
                Some(items) => (ours, items),
                None => return,
            },
            Rule::WithoutEffect { why, .. } => {
                return findings.warn(place, format_args!("has no effect: {why}"));
            }
            _ => return,
        };
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        if let Err(known) = ours.say(&path, node.stands_in(place, value)) {
            findings.problem(place, format!("says again what {known} says; keep one of them"));
        }
    }

    fn items(&self, at: &Place, node: &Node, findings: &mut Findings) -> Option<Value> {
        let Value::List(items) = &node.value else { return findings.mistyped(at, "a list", &node.value) };
        let known = Known::of(&self.rules);
        let mut read = Vec::new();
        for (n, item) in items.iter().enumerate() {
            let place = at.item(n).of(item);
            let Some(entries) = findings.table(&place, item, "a table") else { continue };
            let entries = self.read(&place, item.line, &known, entries, &mut Vec::new(), findings);
            read.push(item.stands_in(&place, Value::Table(entries)));
        }
        Some(Value::List(read))
    }

    /// Notes what is missing, and says what holds where nothing was said.
    fn complete(&self, found: &Found<'_>, ours: &mut Translation, findings: &mut Findings) {
        for rule in &self.rules {
            match rule {
                Rule::Required { theirs } => {
                    let Some((key, table)) = theirs.split_last() else { continue };
                    let Some((place, node)) = found.tables.get(table) else { continue };
                    if found.hits.iter().any(|hit| hit.path == *theirs) {
                        continue;
                    }
                    let place = match &node.origin {
                        Written::Variable(name) => Place::variable(&further(name, key)),
                        _ => place.child(key),
                    };
                    findings.problem(&place, "is missing; its table needs it");
                }
                Rule::Default { table, ours: path, value } => {
                    // What stands there and cannot be used has been noted.
                    let is_said = |hit: &Hit<'_>| match &self.rules[hit.rule] {
                        Rule::Key { ours, .. } | Rule::List { ours, .. } => ours == path,
                        _ => false,
                    };
                    if found.hits.iter().any(is_said) {
                        continue;
                    }
                    let path: Vec<&str> = path.iter().map(String::as_str).collect();
                    if let Some((place, node)) = found.tables.get(table)
                        && !ours.says(&path)
                        && let Some(value) = own(value)
                    {
                        // Nothing is said there, so nothing can be said again.
                        _ = ours.say(&path, node.stands_in(place, value));
                    }
                }
                _ => {}
            }
        }
    }
}

fn walk<'n>(
    at: &Place,
    known: &Known<'_>,
    entries: &'n [(String, Node)],
    path: &mut Vec<String>,
    found: &mut Found<'n>,
    findings: &mut Findings,
) {
    for (key, node) in entries {
        let place = at.child(key).of(node);
        let Some(inner) = known.inner.get(key.as_str()) else {
            if !known.is_shared {
                let known: Vec<&str> = known.inner.keys().copied().collect();
                findings.unknown(&place, key, &known);
            }
            continue;
        };
        if inner.is_passed_over || matches!(node.value, Value::Other(NOTHING)) {
            continue;
        }
        match (&node.value, inner.rule) {
            (Value::Table(entries), _) if !inner.inner.is_empty() => {
                path.push(key.clone());
                let empty =
                    Node { origin: node.origin.clone(), ..Node::new(node.line, Value::Table(Vec::new())) };
                found.tables.insert(path.clone(), (place.clone(), empty));
                walk(&place, inner, entries, path, found, findings);
                path.pop();
            }
            (_, Some(rule)) => {
                let path = path.iter().chain([key]).cloned().collect();
                found.hits.push(Hit { rule, path, place, node });
            }
            (other, None) => _ = findings.mistyped::<()>(&place, "a table", other),
        }
    }
}

/// Says in a file of theirs what a variable says: each part of its name is a key, from a table at the root on, whose name is
/// that of the prefix.
fn set(
    known: &Known<'_>,
    entries: &mut Vec<(String, Node)>,
    (name, parts, value): &Prefixed,
    findings: &mut Findings,
) {
    let is = |key: &str, part: &str| key.to_ascii_lowercase().replace(['-', '.'], "_") == *part;
    for (root, table) in &known.inner {
        let (mut at, mut path) = (table, vec![*root]);
        for part in parts {
            let Some((key, inner)) = at.inner.iter().find(|(key, _)| is(key, part)) else { break };
            at = inner;
            path.push(key);
        }
        if path.len() == parts.len() + 1 && at.rule.is_some() {
            let origin = Written::Variable(name.as_str().into());
            let node = Node { origin, ..Node::new(0, Value::String(value.clone())) };
            let prefix =
                &name[..name.len() - parts.iter().map(|part| part.len() + BETWEEN.len()).sum::<usize>()];
            return put(entries, prefix, &path, node);
        }
    }
    let mut names = Vec::new();
    let start = parts.iter().map(|part| part.len() + BETWEEN.len()).sum::<usize>();
    known.inner.values().for_each(|table| leaves(table, &name[..name.len() - start], &mut names));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let meant = did_you_mean(name, &names);
    findings.problem(&Place::variable(name), format!("is no key that a variable can say{meant}"));
}

/// The names of the variables that there can be.
fn leaves(known: &Known<'_>, name: &str, names: &mut Vec<String>) {
    for (key, inner) in &known.inner {
        let name = further(name, key);
        leaves(inner, &name, names);
        if inner.rule.is_some() {
            names.push(name);
        }
    }
}

/// Puts a value in place of what stands there. `table` is the name of the variables of the first key.
fn put(entries: &mut Vec<(String, Node)>, table: &str, path: &[&str], node: Node) {
    let [key, rest @ ..] = path else { return };
    let at = entries.iter().position(|(known, _)| known == key).unwrap_or_else(|| {
        let origin = Written::Variable(table.into());
        entries.push(((*key).to_owned(), Node { origin, ..Node::new(0, Value::Table(Vec::new())) }));
        entries.len() - 1
    });
    let old = &mut entries[at].1;
    let Some(next) = rest.first() else { return *old = node };
    if !matches!(old.value, Value::Table(_)) {
        old.value = Value::Table(Vec::new());
    }
    if let Value::Table(entries) = &mut old.value {
        put(entries, &further(table, next), rest, node);
    }
}

/// The name of a variable, one key further in.
fn further(name: &str, key: &str) -> String {
    format!("{name}{BETWEEN}{}", key.to_ascii_uppercase().replace(['-', '.'], "_"))
}

/// A value of the program as a file gives it.
fn own(value: &metercast_core::Value) -> Option<Value> {
    use metercast_core::Value as Own;
    match value {
        Own::String(text) => Some(Value::String(text.clone().into_owned())),
        Own::Bool(truth) => Some(Value::Bool(*truth)),
        Own::I64(number) => Some(Value::Integer(*number)),
        Own::F64(number) => Some(Value::Float(*number)),
        _ => None,
    }
}

/// References with a dot become references with a colon.
pub(super) fn respell(node: &mut Node) {
    match &mut node.value {
        Value::String(text) if text.contains("${") => {
            *text = text.replace("${env.", "${env:").replace("${file.", "${file:");
        }
        Value::Table(entries) => entries.iter_mut().for_each(|(_, node)| respell(node)),
        Value::List(items) => items.iter_mut().for_each(respell),
        _ => {}
    }
}
