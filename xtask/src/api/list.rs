//! The list of a library: a line for each of its features, items and implementations, with what else its users lean on.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use public_api::PublicItem;
use serde_json::Value;

use crate::rustdoc;
use crate::workspace::Package;

/// Behind an item of a trait that whoever implements it has to write.
pub(super) const REQUIRED: &str = " (required)";
/// Behind a trait that only we can implement, since it leans on one that nobody else can name.
pub(super) const SEALED: &str = " (sealed)";
/// Behind a struct that others can write down, since it has no field that they do not see.
pub(super) const WHOLE: &str = " (no private fields)";

/// What the compiler keeps for itself: nobody can ask for it.
const UNSTABLE: [&str; 3] =
    ["core::marker::Freeze for ", "core::marker::StructuralPartialEq for ", "core::marker::UnsafeUnpin for "];

/// The format of rustdoc's JSON that `public-api` reads. It would not notice another one that looks like it.
const FORMAT: u64 = 57;

/// What a version of a library shows.
#[derive(Debug, Default, PartialEq)]
pub(super) struct List {
    pub(super) version: String,
    pub(super) lines: Vec<String>,
}

impl List {
    /// What rustdoc says of a library. Left out are implementations for all types, which are their trait's, and the functions of
    /// an implementation, which its trait says.
    pub(super) fn of(package: &Package, description: &Path) -> Result<List, String> {
        let wrong = |trouble: String| format!("{}: {trouble}", description.display());
        let json = rustdoc::read(description)?;
        if json.get("format_version").and_then(Value::as_u64) != Some(FORMAT) {
            return Err(wrong(format!(
                "this rustdoc writes format {}, and the `public-api` of Cargo.toml reads {FORMAT}: take the version of it that \
                 goes with the compiler, and say its format in {}",
                json.get("format_version").unwrap_or(&Value::Null),
                file!()
            )));
        }
        let items = public_api::Builder::from_rustdoc_json(description).omit_blanket_impls(true).build();
        let items = items.map_err(|error| wrong(error.to_string()))?;
        let index = json.get("index").ok_or_else(|| wrong("has no `index`".to_owned()))?;
        let all = Items { index, public: items.items().map(|item| item.id().0).collect() };
        let features = package.features.iter().filter(|name| *name != "default");
        let mut lines: Vec<_> = features.map(|name| format!("feature {name}")).collect();
        lines.extend(package.default_features.iter().map(|name| format!("default feature {name}")));
        lines.extend(items.items().filter_map(|item| all.line(item)));
        let mut seen = BTreeSet::new();
        lines.retain(|line| seen.insert(line.clone()));
        Ok(List { version: package.version.clone(), lines })
    }

    /// Reads what [`Display`](fmt::Display) wrote.
    pub(super) fn parse(text: &str) -> Result<List, String> {
        let (head, rest) = text.split_once('\n').ok_or("is empty")?;
        let version = head.strip_prefix("# ").and_then(|head| head.split_once(": "));
        let (version, _) = version.ok_or("its first line does not say of which version it is")?;
        Ok(List { version: version.to_owned(), lines: rest.lines().map(str::to_owned).collect() })
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# {}: what this library shows, as `{}` writes it", self.version, super::WRITE)?;
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// What rustdoc knows of items, by their ids.
struct Items<'a> {
    index: &'a Value,
    /// Those that have a line.
    public: BTreeSet<u32>,
}

impl Items<'_> {
    /// The line of an item with what it does not say; nothing for what another line says.
    fn line(&self, item: &PublicItem) -> Option<String> {
        let line = item.to_string();
        let parent = item.parent_id().and_then(|id| self.inner(id.0));
        let of = parent.and_then(|inner| inner.get("impl")?.get("trait"));
        if of.is_some_and(|of| !of.is_null()) && line.starts_with("pub fn ") {
            return None;
        }
        if line.starts_with("impl") && UNSTABLE.iter().any(|name| line.contains(name)) {
            return None;
        }
        let is_in_a_trait = parent.is_some_and(|inner| inner.get("trait").is_some());
        let mark = match self.inner(item.id().0) {
            Some(inner) if is_in_a_trait && is_required(inner) => REQUIRED,
            Some(inner) if self.is_sealed(inner) => SEALED,
            Some(inner) if is_whole(inner) && !line.contains("#[non_exhaustive]") => WHOLE,
            _ => "",
        };
        Some(line + mark)
    }

    fn inner(&self, id: u32) -> Option<&Value> {
        self.index.get(id.to_string())?.get("inner")
    }

    /// A trait that leans on one of ours that has no line.
    fn is_sealed(&self, inner: &Value) -> bool {
        let bounds = inner.get("trait").and_then(|item| item.get("bounds")?.as_array());
        let id = |bound: &Value| bound.get("trait_bound")?.get("trait")?.get("id")?.as_u64()?.try_into().ok();
        let is_hidden = |id: u32| self.inner(id).is_some() && !self.public.contains(&id);
        bounds.into_iter().flatten().filter_map(id).any(is_hidden)
    }
}

fn is_required(inner: &Value) -> bool {
    let lacks =
        |kind: &str, key: &str| inner.get(kind).is_some_and(|item| item.get(key).is_none_or(Value::is_null));
    let is_without_body = |item: &Value| item.get("has_body") == Some(&Value::Bool(false));
    inner.get("function").is_some_and(is_without_body)
        || lacks("assoc_type", "type")
        || lacks("assoc_const", "value")
}

fn is_whole(inner: &Value) -> bool {
    match inner.get("struct").and_then(|item| item.get("kind")) {
        Some(Value::String(kind)) => kind == "unit",
        Some(kind) => match (kind.get("plain"), kind.get("tuple").and_then(Value::as_array)) {
            (Some(plain), _) => plain.get("has_stripped_fields") == Some(&Value::Bool(false)),
            (_, Some(fields)) => fields.iter().all(|field| !field.is_null()),
            _ => false,
        },
        None => false,
    }
}
