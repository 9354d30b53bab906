//! Names as OpenTelemetry's "Prometheus and OpenMetrics Compatibility" spells them under UnderscoreEscapingWithSuffixes,
//! written down a second time, from its text.

/// The name of a family in the text formats, where a counter's ends in `_total`.
pub(super) fn family(name: &str, kind: &str, unit: &str) -> String {
    let mut words = squeezed(name, true);
    let counts = kind == "counter";
    if counts && words != "_total" {
        words = words.strip_suffix("_total").unwrap_or(&words).to_owned();
    }
    let unit = self::unit(unit);
    if !unit.is_empty() && words != unit && !words.ends_with(&format!("_{unit}")) {
        words = format!("{}_{unit}", words.trim_end_matches('_'));
    }
    if counts { words + "_total" } else { words }
}

/// A label's name. `le` and `quantile` are taken where a family has its own.
pub(super) fn label(key: &str, kind: &str) -> String {
    let mut name = squeezed(key, false);
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        name = format!("key_{name}");
    }
    if kind == "histogram" && name == "le" { "exported_le".to_owned() } else { name }
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
fn unit(ucum: &str) -> String {
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
    let (of, per) = (squeezed(of, true), squeezed(per, true));
    match (of.trim_matches('_'), per.trim_matches('_')) {
        (of, "") => of.to_owned(),
        ("", per) => format!("per_{per}"),
        (of, per) => format!("{of}_per_{per}"),
    }
}
