//! Numbers as people read them: short, with their unit.

/// What a metric is measured in, as far as it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    Bytes,
    Other,
}

impl Unit {
    /// By what the page says, or by the name.
    pub(crate) fn of(unit: &str, name: &str) -> Unit {
        let name = name.strip_suffix("_total").unwrap_or(name);
        match unit {
            "seconds" | "s" => Unit::Seconds,
            "bytes" | "By" => Unit::Bytes,
            "" if name.ends_with("_seconds") || name.ends_with(".seconds") => Unit::Seconds,
            "" if name.ends_with("_bytes") || name.ends_with(".bytes") => Unit::Bytes,
            _ => Unit::Other,
        }
    }

    /// Its name as data.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Unit::Seconds => "seconds",
            Unit::Bytes => "bytes",
            Unit::Other => "",
        }
    }
}

/// Seconds of this many and more are no length of time, but a time since 1970.
const SINCE_1970: f64 = 1e9;

/// A value in its unit, in at most nine characters; a time by how long ago it was, `now` being in seconds since 1970.
pub(crate) fn value(value: f64, unit: Unit, now: f64) -> String {
    match unit {
        _ if !value.is_finite() => infinite(value),
        Unit::Seconds if value >= SINCE_1970 => match now - value {
            ago if ago >= 0.0 => format!("{} ago", length(ago)),
            ahead => format!("in {}", length(-ahead)),
        },
        Unit::Seconds => length(value),
        Unit::Bytes => format!("{}B", scaled(value)),
        Unit::Other => plain(value),
    }
}

/// A value per second.
pub(crate) fn rate(value: f64, unit: Unit) -> String {
    match unit {
        _ if !value.is_finite() => infinite(value),
        Unit::Bytes => format!("{}B", scaled(value)),
        _ => plain(value),
    }
}

/// A length of time from microseconds to days.
pub(crate) fn length(seconds: f64) -> String {
    let size = seconds.abs();
    match size {
        0.0 => "0s".to_owned(),
        _ if size < 1e-3 => format!("{}µs", significant(seconds * 1e6)),
        _ if size < 1.0 => format!("{}ms", significant(seconds * 1e3)),
        _ if size < 120.0 => format!("{}s", significant(seconds)),
        _ if size < 7200.0 => format!("{:.0}m", seconds / 60.0),
        _ if size < 172_800.0 => format!("{:.0}h", seconds / 3600.0),
        _ => format!("{:.0}d", seconds / 86400.0),
    }
}

fn plain(value: f64) -> String {
    if value.abs() < 100_000.0 && value.fract() == 0.0 {
        return format!("{:.0}", value + 0.0);
    }
    scaled(value).replace(' ', "")
}

fn scaled(value: f64) -> String {
    const PREFIXES: [&str; 7] = ["", "k", "M", "G", "T", "P", "E"];
    let (whole, mut value, mut prefix) = (value, value, 0);
    while value.abs() >= 999.5 && prefix + 1 < PREFIXES.len() {
        value /= 1000.0;
        prefix += 1;
    }
    if value.abs() >= 999.5 || (value != 0.0 && value.abs() < 0.001) {
        return format!("{whole:.1e}");
    }
    format!("{}{}", significant(value), PREFIXES[prefix])
}

/// Three digits that count.
fn significant(value: f64) -> String {
    let digits = match value.abs() {
        size if size < 0.995 => 3,
        size if size < 9.995 => 2,
        size if size < 99.95 => 1,
        _ => 0,
    };
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn infinite(value: f64) -> String {
    match value {
        value if value.is_nan() => "NaN".to_owned(),
        value if value > 0.0 => "+Inf".to_owned(),
        _ => "-Inf".to_owned(),
    }
}

/// A number of things: `1 metric`, `2 metrics`.
pub(crate) fn counted(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// A text in so many characters at most, without its middle if it is longer: the ends of names say most.
pub(crate) fn shortened(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width {
        return text.to_owned();
    }
    let before = width.saturating_sub(1) / 2;
    let after = width.saturating_sub(1) - before;
    let start = text.chars().take(before);
    start.chain(std::iter::once('…').take(width)).chain(text.chars().skip(length - after)).collect()
}

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The last values as bars, the lowest of all being the ground unless that is far from zero.
pub(crate) fn bars(values: impl DoubleEndedIterator<Item = f64> + ExactSizeIterator, width: usize) -> String {
    let values: Vec<f64> = values.rev().take(width).collect();
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let (low, high) = (finite().fold(0.0, f64::min), finite().fold(0.0, f64::max));
    let bar = |value: &f64| match (value - low) / (high - low) {
        part if part.is_finite() => BARS[((part * 7.0).round() as usize).min(7)],
        _ if high == low && value.is_finite() => BARS[0],
        _ => ' ',
    };
    values.iter().rev().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_have_their_unit() {
        for (number, unit, shown) in [
            (0.0031, Unit::Seconds, "3.1ms"),
            (0.14, Unit::Seconds, "140ms"),
            (0.000_014, Unit::Seconds, "14µs"),
            (1.25, Unit::Seconds, "1.25s"),
            (8040.0, Unit::Seconds, "2h"),
            (1_000_000_000.0, Unit::Seconds, "100s ago"),
            (1_000_000_160.0, Unit::Seconds, "in 60s"),
            (84_123_456.0, Unit::Bytes, "84.1MB"),
            (0.0, Unit::Bytes, "0B"),
            (91_204.0, Unit::Other, "91204"),
            (1_234_567.0, Unit::Other, "1.23M"),
            (0.123_45, Unit::Other, "0.123"),
            (999.96, Unit::Other, "1k"),
            (-12.34, Unit::Other, "-12.3"),
            (1e-9, Unit::Other, "1.0e-9"),
            (1e30, Unit::Other, "1.0e30"),
            (-0.0, Unit::Other, "0"),
            (f64::NAN, Unit::Other, "NaN"),
            (f64::INFINITY, Unit::Seconds, "+Inf"),
        ] {
            assert_eq!(value(number, unit, 1_000_000_100.0), shown, "{number}");
        }
        assert_eq!(rate(2048.0, Unit::Bytes), "2.05kB");
        assert_eq!(rate(0.5, Unit::Seconds), "0.5");
    }

    #[test]
    fn long_names_lose_their_middle() {
        assert_eq!(shortened("abc", 3), "abc");
        assert_eq!(shortened("abcdefghi", 6), "ab…ghi");
        assert_eq!(shortened("abcdefghi", 1), "…");
        assert_eq!(shortened("abc", 0), "");
    }

    #[test]
    fn bars_are_the_last_values() {
        assert_eq!(bars([0.0, 3.5, 7.0].into_iter(), 10), "▁▅█");
        assert_eq!(bars([9.0, 0.0, 7.0].into_iter(), 2), "▁█");
        assert_eq!(bars([5.0, 5.0].into_iter(), 2), "██");
        assert_eq!(bars([0.0, 0.0].into_iter(), 2), "▁▁");
        assert_eq!(bars([0.0, f64::NAN, 1.0].into_iter(), 3), "▁ █");
        assert_eq!(bars([-1.0, 0.0].into_iter(), 3), "▁█");
    }
}
