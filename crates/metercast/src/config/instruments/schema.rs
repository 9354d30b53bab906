//! The part of the schema that the stages of a program decide.

use super::super::keys;
use super::super::keys::instruments::{INSTRUMENT, KINDS, LEVELS, VALUES};
use super::super::schema::{array, array_of, object, reference, text};
use super::condition::CONDITIONS;
use super::operand::{DEFAULT, ENV, REDACT, STATIC};
use crate::dynamic::{Stage, Stages, Takes};

/// The table `instruments`, and what it refers to.
pub(in crate::config) fn definitions(stages: &Stages) -> Vec<(String, String)> {
    let mut definitions =
        vec![("scalar".to_owned(), r#"{ "type": ["string", "boolean", "number"] }"#.to_owned())];
    let level = keys::find(&[keys::instruments::COMMON], "default_requirement_level");
    let doc = level.map_or("", |key| key.doc);
    let level = object([("description", text(doc)), ("enum", words(&LEVELS))]);
    let mut properties = vec![("default_requirement_level".to_owned(), level)];
    for stage in stages.each() {
        let of = |what: &str| format!("{what}-{}", stage.name());
        definitions.push((of("selector"), selector(stage)));
        definitions.push((of("condition"), condition(stage)));
        definitions.push((of("instrument"), instrument(stage)));
        definitions.push((of("stage"), self::stage(stage)));
        properties.push((stage.name().to_owned(), reference(&of("stage"))));
    }
    definitions.push(("instruments".to_owned(), table(properties, "false".to_owned())));
    definitions
}

fn stage(stage: &Stage) -> String {
    let standards = stage.standards.iter().map(|standard| {
        let known = standard.attributes.iter().map(|attribute| {
            let alias = table(vec![("alias".to_owned(), string())], "false".to_owned());
            (attribute.key.to_owned(), any_of(&[truth(), alias, of(stage, "selector")]))
        });
        let attributes = table(known, of(stage, "selector"));
        let parts =
            vec![("attributes".to_owned(), attributes), ("condition".to_owned(), of(stage, "condition"))];
        let rule = any_of(&[truth(), table(parts, "false".to_owned())]);
        (
            standard.name.to_owned(),
            object([("description", text(standard.description)), ("allOf", array(&[rule]))]),
        )
    });
    table(standards, of(stage, "instrument"))
}

fn instrument(stage: &Stage) -> String {
    let each = |key: &str| table(vec![(key.to_owned(), of(stage, "selector"))], "false".to_owned());
    let value = any_of(&[
        object([("enum", words(&VALUES))]),
        of(stage, "selector"),
        each("event_custom"),
        each("field_custom"),
    ]);
    let properties = INSTRUMENT.iter().map(|key| {
        let rule = match key.name {
            "type" => object([("enum", words(&KINDS))]),
            "value" => value.clone(),
            "attributes" => table(Vec::new(), of(stage, "selector")),
            "condition" => of(stage, "condition"),
            _ => string(),
        };
        (key.name.to_owned(), object([("description", text(key.doc)), ("allOf", array(&[rule]))]))
    });
    let required = object([("required", array(&[text("type"), text("value")]))]);
    object([("allOf", array(&[table(properties, "false".to_owned()), required]))])
}

fn selector(stage: &Stage) -> String {
    let selectors = stage.selectors.iter().map(|selector| {
        let rule = match selector.takes {
            Takes::Truth => object([("const", "true".to_owned())]),
            Takes::Words(known) => object([("enum", words(known))]),
            Takes::Text(_) => string(),
        };
        (selector.name().to_owned(), object([("description", text(selector.doc)), ("allOf", array(&[rule]))]))
    });
    let mut properties: Vec<(String, String)> = selectors.collect();
    properties.push((STATIC.to_owned(), reference("scalar")));
    properties.push((ENV.to_owned(), string()));
    properties.push((DEFAULT.to_owned(), reference("scalar")));
    properties.push((REDACT.to_owned(), any_of(&[truth(), string()])));
    table(properties, "false".to_owned())
}

fn condition(stage: &Stage) -> String {
    let own = || of(stage, "condition");
    let operand = any_of(&[of(stage, "selector"), reference("scalar")]);
    let pair = object([
        ("type", text("array")),
        ("items", operand),
        ("minItems", "2".to_owned()),
        ("maxItems", "2".to_owned()),
    ]);
    let properties = CONDITIONS.iter().map(|name| {
        let rule = match *name {
            "exists" => of(stage, "selector"),
            "not" => own(),
            "all" | "any" => array_of(&own()),
            _ => pair.clone(),
        };
        ((*name).to_owned(), rule)
    });
    let one = object([("minProperties", "1".to_owned()), ("maxProperties", "1".to_owned())]);
    let one = object([("allOf", array(&[table(properties, "false".to_owned()), one]))]);
    any_of(&[truth(), one])
}

fn of(stage: &Stage, what: &str) -> String {
    reference(&format!("{what}-{}", stage.name()))
}

fn table(properties: impl IntoIterator<Item = (String, String)>, others: String) -> String {
    let properties: Vec<(String, String)> = properties.into_iter().collect();
    let properties = object(properties.iter().map(|(key, rule)| (key.as_str(), rule.clone())));
    object([("type", text("object")), ("properties", properties), ("additionalProperties", others)])
}

fn any_of(rules: &[String]) -> String {
    object([("anyOf", array(rules))])
}

fn truth() -> String {
    object([("type", text("boolean"))])
}

fn string() -> String {
    object([("type", text("string"))])
}

fn words(words: &[&str]) -> String {
    array(&words.iter().map(|word| text(word)).collect::<Vec<_>>())
}
