//! `${env:NAME}` and `${file:path}` in the texts of a file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::{Checked, Findings};

use super::files::Files;
use super::filled::Filled;
use super::filling::Filling;
use super::place::Place;
use super::read;
use super::tree::{LOST, Node, Value, Written};

/// The most bytes that references in one file may come to.
pub(super) const MOST: usize = 16 << 20;

/// Where references lead to.
pub(super) struct References<'a> {
    pub(super) variable: &'a dyn Fn(&str) -> Option<String>,
    /// What paths start from.
    pub(super) folder: PathBuf,
    /// The files that were referred to, to look at when they change.
    pub(super) files: &'a mut Files,
    /// How many bytes may still be put in.
    pub(super) left: usize,
}

impl References<'_> {
    /// Fills in what every text in this table refers to. What cannot be had is noted, and nothing more is said of it.
    /// Returns what was put in.
    pub(super) fn fill(
        &mut self,
        at: &Place,
        entries: &mut [(String, Node)],
        findings: &mut Findings,
    ) -> Vec<String> {
        let mut all = Vec::new();
        for (key, node) in entries {
            let place = at.child(key).of(node);
            all.extend(self.fill_node(&place, node, findings));
        }
        all
    }

    /// Fills in a value, and returns what was put into it.
    pub(super) fn fill_node(&mut self, at: &Place, node: &mut Node, findings: &mut Findings) -> Vec<String> {
        let mut all = Vec::new();
        match &mut node.value {
            Value::String(text) if text.contains('$') => match self.filled(text) {
                Ok((value, filled)) => {
                    *text = value;
                    if let Some(filled) = filled {
                        all.clone_from(&filled.parts);
                        node.origin = Written::Filled(Arc::new(filled));
                    }
                }
                Err(message) => {
                    findings.problem(at, message);
                    node.value = Value::Other(LOST);
                }
            },
            Value::Table(entries) => all = self.fill(at, entries, findings),
            Value::List(items) => {
                for (n, item) in items.iter_mut().enumerate() {
                    let place = at.item(n).of(item);
                    let parts = self.fill_node(&place, item, findings);
                    mark(item, &parts);
                    all.extend(parts);
                }
                // A list is one value.
                mark(node, &all);
            }
            _ => {}
        }
        all
    }

    /// The text without references, and how it was written if it has any.
    fn filled(&mut self, text: &str) -> Checked<(String, Option<Filled>)> {
        let (mut filling, mut rest) = (Filling::default(), text);
        while let Some(at) = rest.find('$') {
            filling.literal(&rest[..at], &rest[..at]);
            rest = &rest[at + 1..];
            if let Some(behind) = rest.strip_prefix('$') {
                filling.literal("$$", "$");
                rest = behind;
            } else if let Some(behind) = rest.strip_prefix('{') {
                let Some((reference, behind)) = behind.split_once('}') else {
                    return Err("has a ${ without a } behind it; write $$ for the character $".to_owned());
                };
                match self.value(reference)? {
                    Found::Elsewhere(value) => {
                        let Some(left) = self.left.checked_sub(value.len()) else {
                            return Err(format!(
                                "comes to more than {} MiB of what is referred to",
                                MOST >> 20
                            ));
                        };
                        self.left = left;
                        filling.elsewhere(reference, &value);
                    }
                    Found::Here(default) => filling.otherwise(reference, default),
                }
                rest = behind;
            } else {
                filling.literal("$", "$");
            }
        }
        filling.literal(rest, rest);
        Ok(filling.finish())
    }

    fn value<'r>(&mut self, reference: &'r str) -> Checked<Found<'r>> {
        let (reference, default) = match reference.split_once(":-") {
            Some((reference, default)) => (reference, Some(default)),
            None => (reference, None),
        };
        match reference.split_once(':') {
            Some(("env", name)) if !name.is_empty() => {
                match (self.variable)(name).filter(|value| !value.is_empty()) {
                    Some(value) => Ok(Found::Elsewhere(value)),
                    None => default.map(Found::Here).ok_or_else(|| {
                        format!(
                            "refers to the variable {name}, which is not set; set it, or write \
                             ${{env:{name}:-default}}"
                        )
                    }),
                }
            }
            Some(("file", name)) if !name.is_empty() => self.file(name, default),
            // It may be a part of a password.
            _ => Err(
                "has a reference (not shown) that is neither ${env:NAME} nor ${file:path}; write $$ for the \
                      character $"
                    .to_owned(),
            ),
        }
    }

    fn file<'r>(&mut self, name: &str, default: Option<&'r str>) -> Checked<Found<'r>> {
        let path = self.folder.join(Path::new(name));
        match self.files.read(&path, read::VALUE) {
            Ok(mut text) => {
                text.truncate(text.trim_end_matches(['\r', '\n']).len());
                Ok(Found::Elsewhere(text))
            }
            Err(error) => match default {
                Some(default) if error.kind() == std::io::ErrorKind::NotFound => Ok(Found::Here(default)),
                _ => Err(format!(
                    "refers to the file {:?}, which cannot be read: {error}; mend that, or write another path",
                    path.display().to_string()
                )),
            },
        }
    }
}

/// Remembers how a value is written that these parts were put into, unless that is known or there are none.
fn mark(node: &mut Node, parts: &[String]) {
    if !parts.is_empty() && node.origin == Written::Plain {
        // Nothing that is a URL or a secret is a list or a table.
        let references = written(node, |filled| &filled.references, true);
        let filled = Filled {
            written: written(node, |filled| &filled.written, false),
            url: references.clone(),
            references,
            parts: parts.to_vec(),
        };
        node.origin = Written::Filled(Arc::new(filled));
    }
}

/// A value as it is written in a file; `hides` what is no reference.
fn written(node: &Node, text_of: fn(&Filled) -> &String, hides: bool) -> String {
    match (&node.origin, &node.value) {
        (Written::Filled(filled), Value::String(_)) => format!("{:?}", text_of(filled)),
        (_, Value::List(items)) => {
            let items: Vec<String> = items.iter().map(|item| written(item, text_of, hides)).collect();
            format!("[{}]", items.join(", "))
        }
        (_, Value::Table(entries)) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, node)| format!("{key} = {}", written(node, text_of, hides)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
        _ if hides => "***".to_owned(),
        (_, Value::String(text)) => format!("{text:?}"),
        (_, Value::Bool(truth)) => truth.to_string(),
        (_, Value::Integer(number)) => number.to_string(),
        (_, Value::Float(number)) => number.to_string(),
        (_, Value::Other(kind)) => (*kind).to_owned(),
    }
}

/// What stands for a reference.
enum Found<'r> {
    /// What a variable or a file says. It may be a secret.
    Elsewhere(String),
    /// What the reference itself says.
    Here(&'r str),
}
