//! Names as OpenTelemetry's "Prometheus and OpenMetrics Compatibility" spells them, and as prometheus/common escapes what is
//! left, written down a second time, from their texts.

use metercast::Escaping;

use crate::options::PageChoice;

/// The name of a metric on a page before it is escaped: a counter's ends in `_total`, if it does at all.
pub(super) fn family(name: &str, kind: &str, unit: &str, choice: &PageChoice) -> String {
    let is_legal = choice.makes_legal();
    let mut words = if is_legal { squeezed(name, true) } else { name.to_owned() };
    if !choice.has_unit_suffix() && !choice.has_total_suffix() {
        return words;
    }
    let mut ends_in_total = kind == "counter" && choice.has_total_suffix();
    if kind == "counter"
        && let Some(stem) = without(&words, "total", is_legal)
    {
        words = stem.to_owned();
        ends_in_total = true;
    }
    let unit = if choice.has_unit_suffix() { self::unit(unit, is_legal) } else { String::new() };
    if !unit.is_empty() && words != unit && without(&words, &unit, is_legal).is_none() {
        words = format!("{}_{unit}", words.trim_end_matches('_'));
    }
    if ends_in_total { words + "_total" } else { words }
}

/// What stands before a suffix that is there already, and before what parts it from the rest.
fn without<'a>(name: &'a str, suffix: &str, is_legal: bool) -> Option<&'a str> {
    let stem = name.strip_suffix(suffix)?;
    let (at, parting) = stem.char_indices().next_back()?;
    let parts = if is_legal { parting == '_' } else { !parting.is_alphanumeric() };
    (parts && at > 0).then(|| &stem[..at])
}

/// A label's name before it is escaped.
pub(super) fn label(key: &str, choice: &PageChoice) -> String {
    if !choice.makes_legal() {
        return key.to_owned();
    }
    let name = squeezed(key, false);
    if name.starts_with(|first: char| first.is_ascii_digit()) { format!("key_{name}") } else { name }
}

/// A name in a scheme; one that is legal stays. Colons are legal in metrics only.
pub(super) fn escaped(name: &str, scheme: Escaping, is_metric: bool) -> String {
    let is_legal = |at: usize, one: char| match one {
        '0'..='9' => at > 0,
        ':' => is_metric,
        _ => one.is_ascii_alphabetic() || one == '_',
    };
    if scheme == Escaping::AllowUtf8 || name.char_indices().all(|(at, one)| is_legal(at, one)) {
        return name.to_owned();
    }
    let one = |(at, one): (usize, char)| match (scheme, one) {
        (Escaping::Dots | Escaping::Values, '_') => "__".to_owned(),
        (_, one) if is_legal(at, one) => one.to_string(),
        (Escaping::Dots, '.') => "_dot_".to_owned(),
        (Escaping::Dots, _) => "__".to_owned(),
        (Escaping::Values, _) => format!("_{:x}_", one as u32),
        _ => "_".to_owned(),
    };
    let escaped: String = name.char_indices().map(one).collect();
    if scheme == Escaping::Values { format!("U__{escaped}") } else { escaped }
}

/// What Prometheus does not take becomes `_`, and many of them become one.
fn squeezed(name: &str, may_have_colons: bool) -> String {
    let mut out = String::new();
    for one in name.chars() {
        let one = match one {
            ':' if may_have_colons => ':',
            _ if one.is_ascii_alphanumeric() => one,
            _ => '_',
        };
        if one != '_' || !out.ends_with('_') {
            out.push(one);
        }
    }
    out
}

/// The words of a unit; empty for none.
fn unit(ucum: &str, is_legal: bool) -> String {
    let plain: String = ucum
        .split('{')
        .enumerate()
        .map(|(at, part)| match at {
            0 => part,
            _ => part.split_once('}').map_or("", |(_, rest)| rest),
        })
        .collect();
    let (of, per) = plain.split_once('/').unwrap_or((&plain, ""));
    let of = match of.trim() {
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
        "kBy" => "kilobytes",
        "m" => "meters",
        "V" => "volts",
        "g" => "grams",
        "Cel" => "celsius",
        "Hz" => "hertz",
        "%" => "percent",
        "1" => "",
        other => other,
    };
    let per = match per.trim() {
        "s" => "second",
        "m" => "minute",
        "h" => "hour",
        "d" => "day",
        "w" => "week",
        "mo" => "month",
        "y" => "year",
        "1" => "",
        other => other,
    };
    let itself = |unit: &str| {
        if is_legal { squeezed(unit, true).trim_matches('_').to_owned() } else { unit.to_owned() }
    };
    match (&*itself(of), &*itself(per)) {
        (of, "") => of.to_owned(),
        ("", per) => format!("per_{per}"),
        (of, per) => format!("{of}_per_{per}"),
    }
}
