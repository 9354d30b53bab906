//! `${env:NAME}` and `${file:path}` in the texts of a file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::{Checked, Findings, Place};
use super::files::Files;
use super::filled::Filled;
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
                Ok((filled, parts)) => {
                    let written = std::mem::replace(text, filled);
                    if let Some(parts) = parts {
                        all.clone_from(&parts);
                        node.origin = Written::Filled(Arc::new(Filled { written, parts }));
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

    /// The text without references, and what was put in place of them if there were any.
    fn filled(&mut self, text: &str) -> Checked<(String, Option<Vec<String>>)> {
        let (mut filled, mut parts, mut rest) = (String::new(), None, text);
        while let Some(at) = rest.find('$') {
            filled.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(behind) = rest.strip_prefix('$') {
                filled.push('$');
                rest = behind;
            } else if let Some(behind) = rest.strip_prefix('{') {
                let Some((reference, behind)) = behind.split_once('}') else {
                    return Err("has a ${ without a } behind it; write $$ for the character $".to_owned());
                };
                let parts = parts.get_or_insert_with(Vec::new);
                match self.value(reference)? {
                    Found::Elsewhere(value) => {
                        let Some(left) = self.left.checked_sub(value.len()) else {
                            return Err(format!(
                                "comes to more than {} MiB of what is referred to",
                                MOST >> 20
                            ));
                        };
                        self.left = left;
                        filled.push_str(&value);
                        parts.push(value);
                    }
                    Found::Here(default) => filled.push_str(default),
                }
                rest = behind;
            } else {
                filled.push('$');
            }
        }
        filled.push_str(rest);
        Ok((filled, parts))
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
            _ => Err(format!(
                "refers to ${{{reference}}}, which is neither ${{env:NAME}} nor ${{file:path}}; write $$ for the \
                 character $"
            )),
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
        let filled = Filled { written: written(node), parts: parts.to_vec() };
        node.origin = Written::Filled(Arc::new(filled));
    }
}

/// A value as it is written in a file.
fn written(node: &Node) -> String {
    match (&node.origin, &node.value) {
        (Written::Filled(filled), Value::String(_)) => format!("{:?}", filled.written),
        (_, Value::String(text)) => format!("{text:?}"),
        (_, Value::Bool(truth)) => truth.to_string(),
        (_, Value::Integer(number)) => number.to_string(),
        (_, Value::Float(number)) => number.to_string(),
        (_, Value::List(items)) => {
            let items: Vec<String> = items.iter().map(written).collect();
            format!("[{}]", items.join(", "))
        }
        (_, Value::Table(entries)) => {
            let entries: Vec<String> =
                entries.iter().map(|(key, node)| format!("{key} = {}", written(node))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
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
