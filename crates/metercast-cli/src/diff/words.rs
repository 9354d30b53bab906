//! What a catalogue says of buckets and of the values of labels, as people would.

use serde_json::Value as Json;

/// How buckets changed.
pub(super) fn of_buckets(was: &Json, is: &Json) -> String {
    if was["bounds"].is_null() || is["bounds"].is_null() {
        return format!("{} -> {}", buckets(was), buckets(is));
    }
    let are_by_unit = |buckets: &Json| buckets["by_unit"] == Json::Bool(true);
    match (are_by_unit(was), are_by_unit(is)) {
        (true, false) => format!("bounds of its unit -> {}", list(&is["bounds"])),
        (false, true) => format!("bounds {} -> those of its unit", list(&was["bounds"])),
        // Another unit has others, of which the unit says enough; the bounds themselves are said all the same.
        _ => format!("bounds {} -> {}", list(&was["bounds"]), list(&is["bounds"])),
    }
}

fn buckets(buckets: &Json) -> String {
    if buckets["exponential"] == Json::Bool(true) {
        "exponential buckets".to_owned()
    } else if buckets["by_unit"] == Json::Bool(true) {
        "bounds of its unit".to_owned()
    } else if !buckets["bounds"].is_null() {
        format!("bounds {}", list(&buckets["bounds"]))
    } else if !buckets["quantiles"].is_null() {
        format!("quantiles {} of {} s", list(&buckets["quantiles"]), text(&buckets["window_seconds"]))
    } else {
        "no buckets".to_owned()
    }
}

/// Which values a label may have.
pub(super) fn of_values(values: &Json) -> String {
    let mut words = match values.as_str() {
        Some("text") => return "any text".to_owned(),
        Some("whole") => return "any whole number".to_owned(),
        _ if !values["one_of"].is_null() => list(&values["one_of"]),
        _ if !values["ranges"].is_null() => {
            let ranges = values["ranges"].as_array().into_iter().flatten();
            let ranges = ranges.map(|range| format!("{} to {}", text(&range[0]), text(&range[1])));
            format!("whole numbers from {}", ranges.collect::<Vec<_>>().join(" and "))
        }
        _ if !values["characters"].is_null() => {
            let (characters, length) = (&values["characters"], &values["length"]);
            format!("{} to {} characters of {}", text(&length[0]), text(&length[1]), text(characters))
        }
        _ => return text(values),
    };
    if let Some(fallback) = values["fallback"].as_str() {
        words += &format!(" or {fallback:?}");
    }
    words
}

fn list(all: &Json) -> String {
    all.as_array().into_iter().flatten().map(text).collect::<Vec<_>>().join(", ")
}

/// A text or a number.
pub(super) fn text(json: &Json) -> String {
    match json {
        Json::Null => "nothing".to_owned(),
        Json::String(text) if text.is_empty() => "none".to_owned(),
        Json::String(text) if text.chars().all(|c| c.is_ascii_graphic() && c != '"') => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn buckets_are_said_as_people_would() {
        let bounds = |by_unit: bool| json!({ "bounds": [0.01, 0.1], "by_unit": by_unit });
        for (was, is, said) in [
            (bounds(false), bounds(true), "bounds 0.01, 0.1 -> those of its unit"),
            (bounds(true), bounds(false), "bounds of its unit -> 0.01, 0.1"),
            (bounds(true), json!({ "bounds": [1], "by_unit": true }), "bounds 0.01, 0.1 -> 1"),
            (json!({ "exponential": true }), bounds(true), "exponential buckets -> bounds of its unit"),
            (
                json!({ "quantiles": [0.5, 0.99], "window_seconds": 60 }),
                Json::Null,
                "quantiles 0.5, 0.99 of 60 s -> no buckets",
            ),
        ] {
            assert_eq!(of_buckets(&was, &is), said);
        }
    }

    #[test]
    fn values_are_too() {
        for (values, said) in [
            (json!("whole"), "any whole number"),
            (json!({ "one_of": ["buy", "sell"], "fallback": "other" }), "buy, sell or \"other\""),
            (
                json!({ "ranges": [[100, 199], [500, 599]], "fallback": null }),
                "whole numbers from 100 to 199 and 500 to 599",
            ),
            (
                json!({ "characters": "a-z", "length": [1, 32], "fallback": null }),
                "1 to 32 characters of a-z",
            ),
        ] {
            assert_eq!(of_values(&values), said);
        }
    }
}
