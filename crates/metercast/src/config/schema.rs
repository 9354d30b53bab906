//! The schema of a file, for editors: made of the same table of keys that the reader asks.

use std::fmt::Write;

use super::error::Findings;

use super::exporter::Kind;
use super::instruments;
use super::keys::{self, Key, Takes};
use super::otlp::Preset;
use super::place::Place;
use super::toml;
use super::tree::Value;
use crate::dynamic::Stages;

/// The JSON Schema (draft 2020-12) of the files that [`ConfigBuilder::file`](super::ConfigBuilder::file) reads, TOML and YAML
/// alike. Editors complete and check with it, such as those with Even Better TOML:
///
/// ```toml
/// #:schema ./metercast.schema.json
/// [telemetry]
/// ```
///
/// It is laxer than the reader: what takes a look at two keys, or into the meaning of a text, only the reader does.
///
/// ```
/// let schema = metercast::config::schema();
/// assert!(schema.starts_with("{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\""));
/// ```
pub fn schema() -> String {
    schema_of(&Stages::default())
}

/// The [schema](schema()) of the files of a program that has these [stages](crate::config::ConfigBuilder::stages): it knows
/// their names, their selectors and the instruments that they know by name.
///
/// ```
/// use metercast::dynamic::{Moment, Selector, Stage, Stages};
///
/// let jobs = Stage::new("jobs").selector(Selector::truth("queue", "Where it came from", &[Moment::Request]));
/// let schema = metercast::config::schema_of(&Stages::new([jobs]));
/// assert!(schema.contains("\"description\": \"Where it came from\""));
/// ```
pub fn schema_of(stages: &Stages) -> String {
    let instruments = instruments::schema::definitions(stages);
    let mut definitions = vec![
        ("reference", object([("type", text("string")), ("pattern", text(r"\$\{"))])),
        ("time", object([("type", text("string")), ("pattern", text(r"^[0-9]+(ms|s|m|h)$|\$\{"))])),
        ("texts", array_of(r#"{ "type": "string" }"#)),
        ("view", table(&[keys::VIEW], &[])),
        ("attributes", attributes()),
        ("telemetry", table(&[keys::TELEMETRY], &[])),
        ("exporter", exporter()),
    ];
    for kind in Kind::ALL {
        let own_type = object([("const", text(kind.name()))]);
        definitions.push((kind.name(), table(keys::of_kind(kind), &[("type", own_type)])));
    }
    definitions.extend(instruments.iter().map(|(name, rule)| (name.as_str(), rule.clone())));
    let schema = object([
        ("$schema", text("https://json-schema.org/draft/2020-12/schema")),
        ("title", text("Configuration of metercast")),
        ("type", text("object")),
        ("properties", object([("telemetry", reference("telemetry"))])),
        ("$defs", object(definitions)),
    ]);
    indented(&schema)
}

/// Exporters by their type, or by their name if that is a type.
fn exporter() -> String {
    let has_type = r#"{ "required": ["type"] }"#.to_owned();
    let mut rules: Vec<String> = Kind::ALL
        .into_iter()
        .map(|kind| {
            let own_type = object([("const", text(kind.name()))]);
            let is_of_kind =
                object([("required", "[\"type\"]".to_owned()), ("properties", object([("type", own_type)]))]);
            object([("if", is_of_kind), ("then", reference(kind.name()))])
        })
        .collect();
    let any = Kind::ALL.map(|kind| reference(kind.name()));
    rules.push(object([("if", has_type), ("else", object([("anyOf", array(&any))]))]));
    let types = Kind::ALL.map(|kind| text(kind.name()));
    object([
        ("type", text("object")),
        ("properties", object([("type", object([("enum", array(&types))]))])),
        ("allOf", array(&rules)),
    ])
}

/// Attributes of the resource, with dots in their keys or as tables in tables.
fn attributes() -> String {
    let scalars = r#"{ "type": ["string", "boolean", "number"] }"#.to_owned();
    let value = object([("anyOf", array(&[scalars, reference("attributes")]))]);
    object([("type", text("object")), ("additionalProperties", value)])
}

/// A table with these keys, and no others. `instead` are rules for some of them in place of their own.
fn table(tables: &[&'static [Key]], instead: &[(&str, String)]) -> String {
    let properties = tables.iter().flat_map(|table| table.iter()).map(|key| {
        let own = instead.iter().find(|(name, _)| *name == key.name).map(|(_, rule)| rule.clone());
        (key.name, property(key, own))
    });
    object([
        ("type", text("object")),
        ("properties", object(properties)),
        ("additionalProperties", "false".to_owned()),
    ])
}

fn property(key: &Key, instead: Option<String>) -> String {
    let rule = instead.unwrap_or_else(|| rule(key.takes));
    let mut parts = vec![("description", text(key.doc)), ("allOf", array(&[rule]))];
    parts.extend(json_of(key.default).map(|default| ("default", default)));
    parts.extend(json_of(key.example).map(|example| ("examples", array(&[example]))));
    object(parts)
}

/// What a key takes. A reference may stand for a number or a truth.
fn rule(takes: Takes) -> String {
    let or_reference = |rule: String| object([("anyOf", array(&[rule, reference("reference")]))]);
    let words = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|word| text(word)).collect();
        object([("enum", array(&words))])
    };
    match takes {
        Takes::Truth => or_reference(object([("type", text("boolean"))])),
        Takes::Text | Takes::Url | Takes::Secret => object([("type", text("string"))]),
        Takes::Count(least, most) => {
            let mut number = vec![("type", text("integer")), ("minimum", least.to_string())];
            if most < keys::MOST {
                number.push(("maximum", most.to_string()));
            }
            or_reference(object(number))
        }
        Takes::Fraction => {
            let bounds = [("minimum", "0".to_owned()), ("maximum", "1".to_owned())];
            or_reference(object([("type", text("number"))].into_iter().chain(bounds)))
        }
        Takes::Time => reference("time"),
        Takes::Words(known) => or_reference(words(known)),
        Takes::Preset => or_reference(words(&Preset::names())),
        Takes::Texts => reference("texts"),
        Takes::WordsOrTexts(known) => {
            object([("anyOf", array(&[words(known), reference("texts"), reference("reference")]))])
        }
        Takes::Numbers => array_of(&or_reference(object([("type", text("number"))]))),
        Takes::TextMap | Takes::SecretMap => {
            let texts = object([("type", text("string"))]);
            object([("type", text("object")), ("additionalProperties", texts)])
        }
        Takes::Attributes => reference("attributes"),
        Takes::Table(keys) => table(&[keys], &[]),
        Takes::OneOf(keys) => {
            let one = object([("minProperties", "1".to_owned()), ("maxProperties", "1".to_owned())]);
            object([("allOf", array(&[table(&[keys], &[]), one]))])
        }
        Takes::TruthOrTable(keys) => {
            let truth = object([("type", text("boolean"))]);
            object([("anyOf", array(&[truth, table(&[keys], &[]), reference("reference")]))])
        }
        Takes::Views => array_of(&reference("view")),
        Takes::Instruments => reference("instruments"),
        Takes::Exporters => {
            let standard = Kind::ALL.map(|kind| (kind.name(), reference(kind.name())));
            object([
                ("type", text("object")),
                ("propertyNames", object([("pattern", text("^[A-Za-z0-9_-]{1,64}$"))])),
                ("properties", object(standard)),
                ("additionalProperties", reference("exporter")),
            ])
        }
    }
}

pub(super) fn reference(definition: &str) -> String {
    object([("$ref", text(&format!("#/$defs/{definition}")))])
}

pub(super) fn array_of(items: &str) -> String {
    object([("type", text("array")), ("items", items.to_owned())])
}

pub(super) fn array(items: &[String]) -> String {
    format!("[{}]", items.join(", "))
}

pub(super) fn object<'k>(entries: impl IntoIterator<Item = (&'k str, String)>) -> String {
    let entries: Vec<String> =
        entries.into_iter().map(|(key, value)| format!("{}: {value}", text(key))).collect();
    format!("{{{}}}", entries.join(", "))
}

/// A string of JSON.
pub(super) fn text(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            control if control < ' ' => _ = write!(quoted, "\\u{:04x}", control as u32),
            letter => quoted.push(letter),
        }
    }
    quoted + "\""
}

/// A value as TOML writes it; nothing if there is none.
fn json_of(value: &str) -> Option<String> {
    let entries = toml::parse(&format!("it = {value}"), &Place::file(""), &mut Findings::default());
    entries.first().map(|(_, node)| json(&node.value))
}

fn json(value: &Value) -> String {
    match value {
        Value::String(string) => text(string),
        Value::Bool(truth) => truth.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::List(items) => array(&items.iter().map(|item| json(&item.value)).collect::<Vec<_>>()),
        Value::Table(entries) => object(entries.iter().map(|(key, node)| (key.as_str(), json(&node.value)))),
        Value::Other(_) => "null".to_owned(),
    }
}

/// JSON with a line for each entry of an object; lists stay on their line unless they hold objects.
fn indented(json: &str) -> String {
    let (mut out, mut depth, mut is_text, mut escaped) = (String::new(), 0_usize, false, false);
    let mut letters = json.chars().peekable();
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', 2 * depth));
    };
    while let Some(letter) = letters.next() {
        if is_text {
            out.push(letter);
            is_text = escaped || letter != '"';
            escaped = !escaped && letter == '\\';
            continue;
        }
        match letter {
            '"' => {
                is_text = true;
                out.push(letter);
            }
            '{' if letters.peek() == Some(&'}') => out.push(letter),
            '{' => {
                depth += 1;
                out.push(letter);
                line(&mut out, depth);
            }
            '}' if out.ends_with('{') => out.push(letter),
            '}' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(letter);
            }
            ',' if depth > 0 => {
                out.push(letter);
                // Items of a list of texts or numbers stay together.
                let rest: String = letters.clone().take(2).collect();
                let is_entry = rest == " \"" && is_key(letters.clone().skip(1));
                if is_entry {
                    letters.next();
                    line(&mut out, depth);
                }
            }
            letter => out.push(letter),
        }
    }
    out.push('\n');
    out
}

/// Whether what comes is a string that is followed by a colon.
fn is_key(letters: impl Iterator<Item = char>) -> bool {
    let (mut quotes, mut escaped) = (0, false);
    for letter in letters {
        match letter {
            '"' if !escaped => quotes += 1,
            ':' if quotes == 2 => return true,
            _ if quotes == 2 => return false,
            _ => {}
        }
        escaped = !escaped && letter == '\\';
    }
    false
}
