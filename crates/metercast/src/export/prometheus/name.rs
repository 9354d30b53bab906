//! Names as Prometheus spells them, before what a format cannot hold is escaped.
//!
//! OpenTelemetry, "Prometheus and OpenMetrics Compatibility", with the strategies that both specify.

use std::borrow::Cow;

use metercast_core::Kind;

use super::escape::Of;
use super::options::PageOptions;
use crate::view::Stream;

/// What a metric is called.
pub(super) struct Name {
    /// With all suffixes that do not depend on the sample: `_seconds`, `_total`.
    pub(super) full: String,
    /// The word for its unit, if the name ends with it, but for `_total`.
    pub(super) unit: Option<String>,
}

impl Name {
    pub(super) fn of(stream: &Stream, options: &PageOptions) -> Name {
        let (name, ucum) = (stream.name(), stream.unit());
        if stream.is_named_for_prometheus() {
            let unit = unit(ucum, options.has_legal_names()).map(Cow::into_owned);
            return Name { full: complete(name, options), unit };
        }
        Name::from(name, stream.kind(), ucum, options)
    }

    pub(super) fn from(name: &str, kind: Kind, ucum: &str, options: &PageOptions) -> Name {
        let is_legal = options.has_legal_names();
        let counts = kind == Kind::Counter;
        let mut name = match options.of_namespace() {
            "" => base(name, options),
            namespace => base(&format!("{namespace}_{name}"), options),
        };
        let stem = without(&name, "total", is_legal).filter(|_| counts).map(str::to_owned);
        let has_total = stem.is_some() || options.has_total_suffix();
        if options.has_total_suffix() || options.has_unit_suffix() {
            name = stem.unwrap_or(name);
        } else if counts && has_total {
            return Name { full: name, unit: None };
        }
        let unit = unit(ucum, is_legal).filter(|_| options.has_unit_suffix());
        if let Some(unit) = &unit
            && name != **unit
            && without(&name, unit, is_legal).is_none()
        {
            name = format!("{}_{unit}", name.trim_end_matches('_'));
        }
        if counts && has_total {
            name.push_str("_total");
        }
        Name { full: name, unit: unit.map(Cow::into_owned) }
    }
}

/// What a metric is called on a page with these options, and so in queries; its buckets, sum and count have suffixes.
pub(crate) fn name_of(name: &str, kind: Kind, ucum: &str, options: &PageOptions) -> String {
    Name::from(name, kind, ucum, options).full
}

/// The same of a metric that is named for Prometheus already.
pub(crate) fn complete(name: &str, options: &PageOptions) -> String {
    if Of::Metric.is_legal(name) { name.to_owned() } else { base(name, options) }
}

/// What a label is called there.
pub(crate) fn label_of(key: &str, options: &PageOptions) -> String {
    label(key, options)
}

/// A name as the program has it, legal if it must be.
fn base(name: &str, options: &PageOptions) -> String {
    if options.is_metrics_rs() {
        return one_for_one(name, ':');
    }
    if !options.has_legal_names() {
        return name.to_owned();
    }
    let mut name = legal(name);
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}

/// What is before a suffix and what parts it from the name, if it is there.
fn without<'a>(name: &'a str, suffix: &str, is_legal: bool) -> Option<&'a str> {
    let stem = name.strip_suffix(suffix)?;
    let parts = |rune: char| if is_legal { rune == '_' } else { !rune.is_alphanumeric() };
    stem.strip_suffix(parts).filter(|stem| !stem.is_empty())
}

/// Everything that is not a letter, digit, `_` or `also` becomes `_`; so does a digit that comes first.
fn one_for_one(name: &str, also: char) -> String {
    let allows = |at: usize, rune: char| rune.is_ascii_alphanumeric() && !(at == 0 && rune.is_ascii_digit());
    let legal = |(at, rune): (usize, char)| if allows(at, rune) || rune == also { rune } else { '_' };
    name.char_indices().map(legal).collect()
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

/// The word for a unit in UCUM; `None` for those that add nothing: `1`, annotations, none. What has no word stands for
/// itself, made legal if it must be.
fn unit(ucum: &str, is_legal: bool) -> Option<Cow<'static, str>> {
    let plain: String = without_annotations(ucum);
    let (of, per) = match plain.split_once('/') {
        Some((of, per)) => (of, Some(per)),
        None => (&*plain, None),
    };
    let itself = |unit: &str| {
        Cow::Owned(if is_legal { legal(unit).trim_matches('_').to_owned() } else { unit.to_owned() })
    };
    let of = match of.trim() {
        "" | "1" => None,
        of => Some(word(of).map_or_else(|| itself(of), Cow::Borrowed)),
    };
    let per = per.map(str::trim).filter(|per| !per.is_empty() && *per != "1");
    let per = per.map(|per| singular(per).map_or_else(|| itself(per), Cow::Borrowed));
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

/// The name of a label of a metric that was named for Prometheus: as it is, if it is legal.
pub(super) fn label_in(stream: &Stream, key: &str, options: &PageOptions) -> String {
    let is_kept = stream.is_named_for_prometheus() && Of::Label.is_legal(key);
    if is_kept { key.to_owned() } else { label(key, options) }
}

/// A label's name. Of legal ones: letters, digits and single `_`; `key_` before a leading digit.
pub(super) fn label(key: &str, options: &PageOptions) -> String {
    if options.is_metrics_rs() {
        return one_for_one(key, '_');
    }
    if !options.has_legal_names() {
        return key.to_owned();
    }
    let mut name = legal(key).replace(':', "_");
    while name.contains("__") {
        name = name.replace("__", "_");
    }
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        name.insert_str(0, "key_");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::super::options::{Profile, Strategy};
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
            assert_eq!(unit(ucum, true).as_deref(), spelled, "{ucum}");
        }
        assert_eq!(unit("m^3", false).as_deref(), Some("m^3"));
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
            assert_eq!(label(key, &PageOptions::new()), spelled, "{key}");
        }
        let metrics_rs = PageOptions::new().profile(Profile::MetricsRs);
        for (key, spelled) in [("a..b__c", "a__b__c"), ("9a", "_a"), ("a:b", "a_b"), ("é", "_")] {
            assert_eq!(label(key, &metrics_rs), spelled, "{key}");
        }
        let untouched = PageOptions::new().strategy(Strategy::NoTranslation);
        assert_eq!(label("http.route", &untouched), "http.route");
    }
}
