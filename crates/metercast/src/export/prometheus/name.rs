//! Names as Prometheus spells them.
//!
//! OpenTelemetry, "Prometheus and OpenMetrics Compatibility", strategy UnderscoreEscapingWithSuffixes.

use std::borrow::Cow;

use metercast_core::{Definition, Kind};

/// The name of a metric's family: legal characters, the unit as a suffix, and `_total` for counters.
pub(super) fn family(definition: &Definition) -> String {
    let mut name = legal(definition.name());
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        name.insert(0, '_');
    }
    let counts = definition.kind() == Kind::Counter;
    if counts && let Some(stem) = name.strip_suffix("_total").filter(|stem| !stem.is_empty()) {
        name.truncate(stem.len());
    }
    if let Some(unit) = unit(definition.unit())
        && name != unit
        && !name.strip_suffix(&*unit).is_some_and(|stem| stem.ends_with('_'))
    {
        name = format!("{}_{unit}", name.trim_end_matches('_'));
    }
    if counts {
        name.push_str("_total");
    }
    name
}

/// Everything that is not a letter, digit or colon becomes `_`, and runs of `_` become one.
fn legal(name: &str) -> String {
    let mut legal = String::with_capacity(name.len());
    for rune in name.chars() {
        match rune {
            'a'..='z' | 'A'..='Z' | '0'..='9' | ':' => legal.push(rune),
            _ if legal.ends_with('_') => {}
            _ => legal.push('_'),
        }
    }
    legal
}

/// The word for a unit in UCUM; `None` for those that add nothing: `1`, annotations, none.
fn unit(ucum: &str) -> Option<Cow<'static, str>> {
    let plain: String = without_annotations(ucum);
    let (of, per) = match plain.split_once('/') {
        Some((of, per)) => (of, Some(per)),
        None => (&*plain, None),
    };
    let of = match of.trim() {
        "" | "1" => None,
        of => {
            Some(word(of).map_or_else(|| Cow::Owned(legal(of).trim_matches('_').to_owned()), Cow::Borrowed))
        }
    };
    let per = per.map(str::trim).filter(|per| !per.is_empty() && *per != "1").map(|per| {
        singular(per).map_or_else(|| Cow::Owned(legal(per).trim_matches('_').to_owned()), Cow::Borrowed)
    });
    match (of.filter(|of| !of.is_empty()), per.filter(|per| !per.is_empty())) {
        (of, None) => of,
        (None, Some(per)) => Some(format!("per_{per}").into()),
        (Some(of), Some(per)) => Some(format!("{of}_per_{per}").into()),
    }
}

fn without_annotations(ucum: &str) -> String {
    let mut depth = 0;
    ucum.chars()
        .filter(|rune| {
            match rune {
                '{' => depth += 1,
                '}' => {
                    depth -= i32::from(depth > 0);
                    return false;
                }
                _ => {}
            }
            depth == 0
        })
        .collect()
}

fn word(ucum: &str) -> Option<&'static str> {
    Some(match ucum {
        "d" => "days",
        "h" => "hours",
        "min" => "minutes",
        "s" => "seconds",
        "ms" => "milliseconds",
        "us" => "microseconds",
        "ns" => "nanoseconds",
        "By" => "bytes",
        "KiBy" => "kibibytes",
        "MiBy" => "mebibytes",
        "GiBy" => "gibibytes",
        "TiBy" => "tebibytes",
        "kBy" | "KBy" => "kilobytes",
        "MBy" => "megabytes",
        "GBy" => "gigabytes",
        "TBy" => "terabytes",
        "m" => "meters",
        "V" => "volts",
        "A" => "amperes",
        "J" => "joules",
        "W" => "watts",
        "g" => "grams",
        "Cel" => "celsius",
        "Hz" => "hertz",
        "%" => "percent",
        _ => return None,
    })
}

fn singular(ucum: &str) -> Option<&'static str> {
    Some(match ucum {
        "s" => "second",
        "m" => "minute",
        "h" => "hour",
        "d" => "day",
        "w" => "week",
        "mo" => "month",
        "y" => "year",
        _ => return None,
    })
}

/// A label's name: letters, digits and single `_`; `key_` before a leading digit.
pub(super) fn label(key: &str, kind: Kind) -> String {
    let mut name = legal(key).replace(':', "_");
    while name.contains("__") {
        name = name.replace("__", "_");
    }
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        name.insert_str(0, "key_");
    }
    let is_taken = match kind {
        Kind::Histogram => name == "le",
        Kind::Summary => name == "quantile",
        _ => false,
    };
    if is_taken {
        // Every bucket has a label of this name, so the measured one moves, as a scraper would move it.
        name.insert_str(0, "exported_");
    }
    name
}

/// Text format 0.0.4: backslash and line feed are escaped in what describes a metric; the quotation mark is not.
pub(super) fn description(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_spelled_as_words() {
        for (ucum, spelled) in [
            ("", None),
            ("1", None),
            ("{request}", None),
            ("s", Some("seconds")),
            ("By", Some("bytes")),
            ("By/s", Some("bytes_per_second")),
            ("{packet}/s", Some("per_second")),
            ("m/s", Some("meters_per_second")),
            ("km/m", Some("km_per_minute")),
            ("{x}By{y}", Some("bytes")),
            ("%", Some("percent")),
            ("m^3", Some("m_3")),
            ("}{", None),
        ] {
            assert_eq!(unit(ucum).as_deref(), spelled, "{ucum}");
        }
    }

    #[test]
    fn label_names_are_made_legal() {
        for (key, spelled) in [
            ("http.route", "http_route"),
            ("a..b__c", "a_b_c"),
            ("9a", "key_9a"),
            ("a:b", "a_b"),
            ("é", "_"),
            ("__name__", "_name_"),
        ] {
            assert_eq!(label(key, Kind::Counter), spelled, "{key}");
        }
        assert_eq!(label("le", Kind::Gauge), "le");
        assert_eq!(label("le", Kind::Histogram), "exported_le");
        assert_eq!(label("quantile", Kind::Summary), "exported_quantile");
    }
}
