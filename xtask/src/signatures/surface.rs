//! What a crate shows to others, and which foreign types are in it, read from rustdoc's JSON.
//!
//! The walk begins at the crate's root and follows public items only; rustdoc leaves private and hidden ones out.
//! Inside an item it does not ask which kind of type or bound it looks at: whatever has a path and an id is a name
//! in the signature, and whatever is a list of ids under one of a few keys is an item inside. So new kinds of types
//! need no change here, and a new kind of item is an error, never overlooked.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// The public items of a crate and the foreign types in their signatures.
#[derive(Debug)]
pub(super) struct Surface {
    pub(super) items: usize,
    pub(super) foreign: Vec<Foreign>,
}

/// One foreign name in one signature.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Foreign {
    /// Our item, as a user would name it.
    pub(super) item: String,
    /// The foreign type or trait, by the path of its definition.
    pub(super) path: String,
    /// The crate that defines it.
    pub(super) from: String,
}

/// Come with the compiler and move with it.
const STANDARD: [&str; 5] = ["std", "core", "alloc", "proc_macro", "test"];

/// Under these keys rustdoc lists the ids of items inside an item.
const INSIDE: [&str; 6] = ["items", "fields", "variants", "impls", "implementations", "tuple"];

/// Every kind of item that rustdoc has today.
const KINDS: [&str; 21] = [
    "module",
    "extern_crate",
    "use",
    "union",
    "struct",
    "struct_field",
    "enum",
    "variant",
    "function",
    "trait",
    "trait_alias",
    "impl",
    "type_alias",
    "constant",
    "static",
    "extern_type",
    "macro",
    "proc_macro",
    "primitive",
    "assoc_const",
    "assoc_type",
];

impl Surface {
    /// Walks the crate; `own` are the crates of the workspace, as their names stand in paths.
    pub(super) fn read(json: &Value, own: &[String]) -> Result<Surface, String> {
        let part = |key| json.get(key).ok_or_else(|| format!("rustdoc's JSON has no `{key}`"));
        let mut walk = Walk {
            index: part("index")?,
            paths: part("paths")?,
            crates: part("external_crates")?,
            own,
            seen: BTreeSet::new(),
            found: BTreeSet::new(),
        };
        let root = id_of(part("root")?).ok_or("the root in rustdoc's JSON is no id")?;
        walk.item(&root, "")?;
        if walk.seen.is_empty() {
            return Err("rustdoc's JSON has no root item".to_owned());
        }
        Ok(Surface { items: walk.seen.len(), foreign: walk.found.into_iter().collect() })
    }
}

struct Walk<'a> {
    index: &'a Value,
    paths: &'a Value,
    crates: &'a Value,
    own: &'a [String],
    seen: BTreeSet<String>,
    found: BTreeSet<Foreign>,
}

impl<'a> Walk<'a> {
    /// Visits one item, once, under the path by which it was reached.
    fn item(&mut self, id: &str, under: &str) -> Result<(), String> {
        // What is private, hidden or foreign has no entry.
        let Some(item) = self.index.get(id) else { return Ok(()) };
        let Some(Value::Object(inner)) = item.get("inner") else {
            return Err(format!("item {id} has no `inner`"));
        };
        let Some((kind, inner)) = inner.iter().next() else {
            return Err(format!("item {id} has no kind"));
        };
        if !KINDS.contains(&kind.as_str()) {
            return Err(format!(
                "rustdoc knows items of the kind `{kind}`; teach them to xtask/src/signatures/surface.rs"
            ));
        }
        if is_of_the_compiler(inner) || !self.seen.insert(id.to_owned()) {
            return Ok(());
        }
        let name = item.get("name").and_then(Value::as_str).unwrap_or_default();
        match kind.as_str() {
            "use" => self.reexport(inner, under),
            "extern_crate" => {
                // Rustdoc 1.95 writes the crate and its new name in each other's place.
                for key in ["name", "rename"] {
                    let name = inner.get(key).and_then(Value::as_str).unwrap_or_default();
                    self.crate_named(name, &format!("{under} (pub extern crate {name})"), name);
                }
                Ok(())
            }
            "impl" => {
                let path = match inner.get("trait").and_then(|of| of.get("path")).and_then(Value::as_str) {
                    Some(of) => format!("{under} (impl {of})"),
                    None => under.to_owned(),
                };
                self.signature(inner, &path)
            }
            _ if under.is_empty() => self.signature(inner, name),
            _ => self.signature(inner, &format!("{under}::{name}")),
        }
    }

    /// `pub use`: our own item is visited here, a foreign one is shown here.
    fn reexport(&mut self, inner: &Value, under: &str) -> Result<(), String> {
        let source = inner.get("source").and_then(Value::as_str).unwrap_or_default();
        let id = inner.get("id").and_then(id_of);
        match id {
            Some(id) if self.index.get(&id).is_some() => self.item(&id, under),
            Some(id) if self.paths.get(&id).is_some() => {
                self.name(&id, source, &format!("{under} (pub use {source})"));
                Ok(())
            }
            _ => {
                let first = source.trim_start_matches("::").split("::").next().unwrap_or_default();
                self.crate_named(first, &format!("{under} (pub use {source})"), source);
                Ok(())
            }
        }
    }

    /// Goes through everything that an item says about itself.
    fn signature(&mut self, value: &'a Value, path: &str) -> Result<(), String> {
        match value {
            Value::Object(object) => {
                self.name_of(object, path);
                for (key, value) in object {
                    match value {
                        Value::Array(list) if INSIDE.contains(&key.as_str()) => {
                            for value in list {
                                match id_of(value) {
                                    Some(id) => self.item(&id, path)?,
                                    None => self.signature(value, path)?,
                                }
                            }
                        }
                        value => self.signature(value, path)?,
                    }
                }
                Ok(())
            }
            Value::Array(list) => list.iter().try_for_each(|value| self.signature(value, path)),
            _ => Ok(()),
        }
    }

    fn name_of(&mut self, object: &Map<String, Value>, item: &str) {
        let path = object.get("path").and_then(Value::as_str);
        if let (Some(path), Some(id)) = (path, object.get("id").and_then(id_of)) {
            self.name(&id, path, item);
        }
    }

    /// Takes a note of a name, if it is foreign.
    fn name(&mut self, id: &str, written: &str, item: &str) {
        let entry = self.paths.get(id);
        let home = entry.and_then(|entry| entry.get("crate_id")).and_then(id_of);
        let from = match home.as_deref() {
            Some("0") => return,
            Some(home) => self.crates.get(home).and_then(|found| found.get("name")).and_then(Value::as_str),
            None if self.index.get(id).is_some() => return,
            None => None,
        };
        let parts = entry.and_then(|entry| entry.get("path")).and_then(Value::as_array);
        let parts: Vec<_> = parts.into_iter().flatten().filter_map(Value::as_str).collect();
        let path = if parts.is_empty() { written.to_owned() } else { parts.join("::") };
        // Rather one name too many than one overlooked.
        self.note(from.unwrap_or("an unknown crate"), item, path);
    }

    /// Takes a note of a whole crate that is shown, if it is foreign.
    fn crate_named(&mut self, name: &str, item: &str, path: &str) {
        if let Value::Object(crates) = self.crates
            && crates.values().any(|found| found.get("name").and_then(Value::as_str) == Some(name))
        {
            self.note(name, item, path.to_owned());
        }
    }

    fn note(&mut self, from: &str, item: &str, path: String) {
        if !STANDARD.contains(&from) && !self.own.iter().any(|own| own == from) {
            self.found.insert(Foreign { item: item.to_owned(), path, from: from.to_owned() });
        }
    }
}

/// An id, as the text under which rustdoc's tables have it.
fn id_of(value: &Value) -> Option<String> {
    value.as_u64().map(|id| id.to_string())
}

/// Impls that nobody wrote for the type: auto traits, and foreign `impl<T> Trait for T`.
fn is_of_the_compiler(inner: &Value) -> bool {
    inner.get("is_synthetic") == Some(&Value::Bool(true))
        || inner.get("blanket_impl").is_some_and(|blanket| *blanket != Value::Null)
}

#[cfg(test)]
mod tests;
