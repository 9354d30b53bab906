//! As much of JSON Schema (draft 2020-12) as the schema of a file uses; what it does not know is a panic, so that a schema that
//! uses more does not pass unseen.

use serde_json::{Map, Value};

/// Whether `value` is as `schema`, a part of `root`, asks for.
pub(super) fn is_valid(root: &Value, schema: &Value, value: &Value) -> bool {
    match schema {
        Value::Bool(any) => *any,
        Value::Object(rules) => rules.iter().all(|(keyword, rule)| holds(root, rules, keyword, rule, value)),
        other => panic!("{other} is no schema"),
    }
}

fn holds(root: &Value, rules: &Map<String, Value>, keyword: &str, rule: &Value, value: &Value) -> bool {
    let is = |schema: &Value, value: &Value| is_valid(root, schema, value);
    let parts = || rule.as_array().expect("a list of schemas").iter();
    let entries = || value.as_object().into_iter().flatten();
    let limit = || rule.as_f64().expect("a number");
    let named = |schemas: &Value, key: &str| schemas.get(key).cloned();
    match keyword {
        "$schema" | "$defs" | "title" | "description" | "default" | "examples" => true,
        // Beside `if`.
        "then" | "else" => rules.contains_key("if"),
        "$ref" => is(&root["$defs"][rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap()], value),
        "type" => match rule {
            Value::Array(types) => types.iter().any(|of| is_of_type(of, value)),
            of => is_of_type(of, value),
        },
        "const" => value == rule,
        "enum" => parts().any(|word| word == value),
        "pattern" => value.as_str().is_none_or(|text| matches(rule.as_str().unwrap(), text)),
        "minimum" => value.as_f64().is_none_or(|number| number >= limit()),
        "maximum" => value.as_f64().is_none_or(|number| number <= limit()),
        "minProperties" => value.as_object().is_none_or(|entries| entries.len() as f64 >= limit()),
        "maxProperties" => value.as_object().is_none_or(|entries| entries.len() as f64 <= limit()),
        "required" => {
            value.as_object().is_none_or(|known| parts().all(|key| known.contains_key(key.as_str().unwrap())))
        }
        "properties" => {
            entries().all(|(key, value)| named(rule, key).is_none_or(|schema| is(&schema, value)))
        }
        "additionalProperties" => {
            let known = |key: &str| rules.get("properties").is_some_and(|known| known.get(key).is_some());
            entries().filter(|(key, _)| !known(key)).all(|(_, value)| is(rule, value))
        }
        "propertyNames" => entries().all(|(key, _)| is(rule, &Value::from(key.as_str()))),
        "items" => value.as_array().into_iter().flatten().all(|item| is(rule, item)),
        "allOf" => parts().all(|schema| is(schema, value)),
        "anyOf" => parts().any(|schema| is(schema, value)),
        "if" => {
            let branch = if is(rule, value) { "then" } else { "else" };
            rules.get(branch).is_none_or(|schema| is(schema, value))
        }
        other => panic!("{other} is no keyword that is known here"),
    }
}

fn is_of_type(of: &Value, value: &Value) -> bool {
    match of.as_str().expect("a type") {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("{other} is no type that is known here"),
    }
}

/// The three patterns that there are.
fn matches(pattern: &str, text: &str) -> bool {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let is_time = || {
        let unit = text.trim_start_matches(|digit: char| digit.is_ascii_digit());
        unit.len() < text.len() && ["ms", "s", "m", "h"].contains(&unit)
    };
    match pattern {
        r"\$\{" => text.contains("${"),
        r"^[0-9]+(ms|s|m|h)$|\$\{" => is_time() || text.contains("${"),
        "^[A-Za-z0-9_-]{1,64}$" => (1..=64).contains(&text.len()) && text.bytes().all(is_name),
        other => panic!("{other} is no pattern that is known here"),
    }
}
