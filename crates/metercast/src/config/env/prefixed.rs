//! Variables with the application's own prefix: `SHOP__EXPORTERS__CENTRAL__ENDPOINT` is the key
//! `exporters.central.endpoint` of a file.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Variables;
use crate::config::error::{Checked, Findings};
use crate::config::exporter::Kind;
use crate::config::keys::{self, Key, Takes};
use crate::config::place::Place;
use crate::config::suggest::{did_you_mean, one_of};
use crate::config::tree::{Node, Value, Written};

/// What stands between the parts of a name.
pub(in crate::config) const BETWEEN: &str = "__";

/// Checks a prefix, to which `__` and the parts of a key are added.
pub(in crate::config) fn check_prefix(prefix: &str) -> Checked<()> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let starts_well = prefix.bytes().next().is_some_and(|first| !first.is_ascii_digit());
    if starts_well && prefix.bytes().all(is_plain) && !prefix.ends_with('_') && !prefix.contains(BETWEEN) {
        return Ok(());
    }
    Err(format!("{prefix:?} is not a prefix for variables; write for example \"SHOP_TELEMETRY\""))
}

/// A variable with a prefix: its name, the parts of it behind the prefix in lower case, and its value.
pub(in crate::config) type Prefixed = (String, Vec<String>, String);

impl Variables {
    /// The variables with this prefix that are not empty.
    pub(in crate::config) fn with_prefix(&self, prefix: &str) -> Vec<Prefixed> {
        let start = format!("{prefix}{BETWEEN}");
        let given = self.0.iter().filter_map(|(name, value)| {
            let parts = name.strip_prefix(&start)?.split(BETWEEN).map(str::to_ascii_lowercase).collect();
            Some((name.clone(), parts, value.trim().to_owned()))
        });
        given.filter(|(_, _, value)| !value.is_empty()).collect()
    }

    /// The variables with this prefix as the table `telemetry` that they stand for. `exporters` are the names that there are,
    /// with their types.
    pub(in crate::config) fn prefixed(
        &self,
        prefix: &str,
        exporters: &BTreeMap<String, Kind>,
        findings: &mut Findings,
    ) -> Vec<(String, Node)> {
        let start = format!("{prefix}{BETWEEN}");
        let given: Vec<Given<'_>> = self
            .0
            .iter()
            .filter_map(|(name, value)| {
                let parts = name.strip_prefix(&start)?.split(BETWEEN).map(str::to_ascii_lowercase).collect();
                let value = value.trim();
                (!value.is_empty()).then_some(Given { name, parts, value })
            })
            .collect();
        let (mut tree, mut known) = (Vec::new(), BTreeMap::new());
        for variable in &given {
            let path = Way { prefix, exporters, given: &given }.to(variable);
            match path {
                Ok((path, value)) => {
                    put(&mut tree, prefix, &path, variable.node(value));
                    // Two that differ only in case.
                    if let Some(first) = known.insert(path, variable.name) {
                        let message = format!("is the same key as {first}; keep one of them");
                        findings.problem(&Place::variable(variable.name), message);
                    }
                }
                Err(message) => findings.problem(&Place::variable(variable.name), message),
            }
        }
        tree
    }
}

/// A variable, its name without the prefix in parts, in lower case.
struct Given<'v> {
    name: &'v str,
    parts: Vec<String>,
    value: &'v str,
}

impl Given<'_> {
    fn node(&self, value: Value) -> Node {
        let origin = Written::Variable(Arc::from(self.name));
        let value = match value {
            Value::List(items) => {
                Value::List(items.into_iter().map(|item| Node { origin: origin.clone(), ..item }).collect())
            }
            Value::Table(entries) => Value::Table(
                entries
                    .into_iter()
                    .map(|(key, item)| (key, Node { origin: origin.clone(), ..item }))
                    .collect(),
            ),
            value => value,
        };
        Node { origin, ..Node::new(0, value) }
    }
}

/// What leads from the name of a variable to a key.
struct Way<'v> {
    prefix: &'v str,
    exporters: &'v BTreeMap<String, Kind>,
    given: &'v [Given<'v>],
}

impl Way<'_> {
    /// The keys from the table `telemetry` to the one that this variable is, and its value as that key takes it.
    fn to(&self, variable: &Given<'_>) -> Checked<(Vec<String>, Value)> {
        let mut tables: Vec<&'static [Key]> = vec![keys::TELEMETRY];
        let mut path: Vec<String> = Vec::new();
        let mut parts = variable.parts.iter();
        while let Some(part) = parts.next() {
            let Some(key) = keys::find(&tables, part) else {
                let known = keys::names(&tables);
                let meant = did_you_mean(part, &known);
                let expected =
                    if meant.is_empty() { format!("; expected {}", one_of(&known)) } else { meant };
                return Err(format!("{part:?} is not a key that is known here{expected}"));
            };
            path.push(key.name.to_owned());
            match key.takes {
                Takes::Exporters => {
                    let Some(name) = parts.next() else { return Err(self.is_table(key.name, "NAME__TYPE")) };
                    let (name, own) = self.exporter(name)?;
                    path.push(name);
                    tables = own.to_vec();
                    if parts.len() == 0 {
                        return Err(self.is_table("exporter", "ENABLED"));
                    }
                }
                Takes::Views => return Err("is a list of tables, which only a file can give".to_owned()),
                Takes::Instruments => {
                    return Err("is a table of instruments, which only a file can give".to_owned());
                }
                Takes::Table(inner) | Takes::OneOf(inner) | Takes::TruthOrTable(inner) if parts.len() > 0 => {
                    tables = vec![inner];
                }
                Takes::Table(inner) | Takes::OneOf(inner) => {
                    return Err(self.is_table(key.name, &inner[0].name.to_ascii_uppercase()));
                }
                Takes::TextMap | Takes::SecretMap | Takes::Attributes if parts.len() > 0 => {
                    let rest: Vec<&str> = parts.map(String::as_str).collect();
                    path.push(match key.takes {
                        // Neither dots nor hyphens can stand in the name of a variable.
                        Takes::Attributes => rest.join("."),
                        _ => rest.join("-").replace('_', "-"),
                    });
                    return Ok((path, Value::String(variable.value.to_owned())));
                }
                _ if parts.len() > 0 => {
                    return Err(format!("goes on behind {:?}, which is a value and no table", key.name));
                }
                _ if key.name == "include" && path.len() == 1 => {
                    return Err("is a list of files, which only a file can give".to_owned());
                }
                takes => return Ok((path, value(takes, variable.value)?)),
            }
        }
        Err(format!("names no key; write for example {}__SELF_METRICS", self.prefix))
    }

    fn is_table(&self, key: &str, example: &str) -> String {
        format!(
            "is a table, {key:?}; give each of its keys a variable of its own, which ends for example with __{example}"
        )
    }

    /// The exporter that is meant, and the keys of its type.
    fn exporter(&self, part: &str) -> Checked<(String, &'static [&'static [Key]])> {
        let alike = |name: &str| name.to_ascii_lowercase().replace('-', "_");
        if let Some((name, kind)) = self.exporters.iter().find(|(name, _)| alike(name) == part) {
            return Ok((name.clone(), keys::of_kind(*kind)));
        }
        if let Some(kind) = Kind::named(part) {
            return Ok((part.to_owned(), keys::of_kind(kind)));
        }
        let is_type = |given: &&Given<'_>| given.parts == ["exporters", part, "type"];
        match self.given.iter().find(is_type) {
            // A wrong type is said of that variable.
            Some(given) => {
                let kind = Kind::named(&given.value.to_ascii_lowercase()).unwrap_or(Kind::Otlp);
                Ok((part.to_owned(), keys::of_kind(kind)))
            }
            None => {
                let names: Vec<String> = self.exporters.keys().map(|name| alike(name)).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let own = format!("{}__EXPORTERS__{}__TYPE", self.prefix, part.to_ascii_uppercase());
                let meant = did_you_mean(part, &names);
                Err(format!("there is no exporter {part:?}; set {own} to have one{meant}"))
            }
        }
    }
}

/// The text of a variable as what a key takes.
fn value(takes: Takes, text: &str) -> Checked<Value> {
    let word =
        |words: &'static [&'static str]| words.iter().find(|word| word.eq_ignore_ascii_case(text)).copied();
    let items = || text.split(',').map(str::trim).filter(|item| !item.is_empty());
    let list = |items: Vec<Value>| Value::List(items.into_iter().map(|item| Node::new(0, item)).collect());
    let texts = || list(items().map(|item| Value::String(item.to_owned())).collect());
    Ok(match takes {
        Takes::Truth | Takes::TruthOrTable(_) if text.eq_ignore_ascii_case("true") => Value::Bool(true),
        Takes::Truth | Takes::TruthOrTable(_) if text.eq_ignore_ascii_case("false") => Value::Bool(false),
        Takes::Truth | Takes::TruthOrTable(_) => {
            return Err(format!("expected true or false, found {text:?}"));
        }
        Takes::Count(..) => match text.parse() {
            Ok(number) => Value::Integer(number),
            Err(_) => return Err(format!("expected a whole number, found {text:?}")),
        },
        Takes::Fraction => match text.parse() {
            Ok(number) => Value::Float(number),
            Err(_) => return Err(format!("expected a number from 0 to 1, found {text:?}")),
        },
        Takes::Numbers => {
            let mut numbers = Vec::new();
            for item in items() {
                let number =
                    item.parse().map_err(|_| format!("expected numbers with commas between, found {item:?}"));
                numbers.push(Value::Float(number?));
            }
            list(numbers)
        }
        Takes::Texts => texts(),
        Takes::WordsOrTexts(words) => word(words).map_or_else(texts, |word| Value::String(word.to_owned())),
        Takes::Words(words) => Value::String(word(words).unwrap_or(text).to_owned()),
        Takes::TextMap | Takes::SecretMap | Takes::Attributes => {
            let mut entries = Vec::new();
            for (n, item) in items().enumerate() {
                // Nothing of it is shown, as it may be a secret.
                let Some((key, value)) = item.split_once('=') else {
                    return Err(format!("entry {} has no \"=\"; write name=value,name2=value2", n + 1));
                };
                let value = Node::new(0, Value::String(value.trim().to_owned()));
                entries.push((key.trim().to_owned(), value));
            }
            Value::Table(entries)
        }
        Takes::Preset | Takes::Text | Takes::Url | Takes::Secret | Takes::Time => {
            Value::String(text.to_owned())
        }
        Takes::Table(_) | Takes::OneOf(_) | Takes::Views | Takes::Exporters | Takes::Instruments => {
            Value::Table(Vec::new())
        }
    })
}

/// Puts a value where the keys lead; a later one of the same keys replaces an earlier.
fn put(entries: &mut Vec<(String, Node)>, above: &str, path: &[String], node: Node) {
    let Some((first, rest)) = path.split_first() else { return };
    let name = format!("{above}{BETWEEN}{}", first.to_ascii_uppercase().replace(['-', '.'], "_"));
    let at = match entries.iter().position(|(key, _)| key == first) {
        Some(at) => at,
        None => {
            let origin = Written::Variable(name.as_str().into());
            let table = Node { origin, ..Node::new(0, Value::Table(Vec::new())) };
            entries.push((first.clone(), table));
            entries.len() - 1
        }
    };
    let old = &mut entries[at].1;
    match (&mut old.value, &node.value) {
        (Value::Table(inner), _) if !rest.is_empty() => put(inner, &name, rest, node),
        // Some of its entries by one variable, some by others.
        (Value::Table(inner), Value::Table(all)) if !inner.is_empty() => {
            let missing: Vec<_> =
                all.iter().filter(|(key, _)| !inner.iter().any(|(known, _)| known == key)).cloned().collect();
            inner.extend(missing);
        }
        _ => *old = node,
    }
}
