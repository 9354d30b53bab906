//! Grafana's names of units, from those of UCUM.

use crate::exported::Metric;

/// A unit of a value, and that of its change in a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) value: &'static str,
    pub(super) rate: &'static str,
}

/// UCUM, then what Grafana calls it, and what it calls so many of it in a second.
const UNITS: [(&str, &str, &str); 36] = [
    ("", "short", "cps"),
    ("1", "short", "cps"),
    // So many seconds in a second: the part of the time.
    ("s", "s", "percentunit"),
    ("ms", "ms", "short"),
    ("us", "µs", "short"),
    ("ns", "ns", "short"),
    ("min", "m", "short"),
    ("h", "h", "short"),
    ("d", "d", "short"),
    ("By", "bytes", "binBps"),
    ("kBy", "deckbytes", "KBs"),
    ("KBy", "deckbytes", "KBs"),
    ("MBy", "decmbytes", "MBs"),
    ("GBy", "decgbytes", "GBs"),
    ("KiBy", "kbytes", "KiBs"),
    ("MiBy", "mbytes", "MiBs"),
    ("GiBy", "gbytes", "GiBs"),
    ("bit", "bits", "binbps"),
    ("%", "percent", "short"),
    ("Hz", "hertz", "short"),
    ("Cel", "celsius", "short"),
    ("K", "kelvin", "short"),
    ("V", "volt", "short"),
    ("A", "amp", "short"),
    ("W", "watt", "short"),
    ("J", "joule", "watt"),
    ("m", "lengthm", "velocityms"),
    ("g", "massg", "short"),
    ("USD", "currencyUSD", "short"),
    ("EUR", "currencyEUR", "short"),
    ("{request}", "short", "reqps"),
    ("{operation}", "short", "ops"),
    ("{read}", "short", "rps"),
    ("{write}", "short", "wps"),
    ("{message}", "short", "mps"),
    ("{packet}", "short", "pps"),
];

/// The end of a name that has no unit, and the unit that it tells.
const ENDINGS: [(&str, &str); 8] = [
    ("seconds", "s"),
    ("milliseconds", "ms"),
    ("ms", "ms"),
    ("bytes", "By"),
    ("ratio", "ratio"),
    ("percent", "%"),
    ("celsius", "Cel"),
    ("requests", "{request}"),
];

/// Parts of one; Grafana has no rate of those.
const RATIO: Unit = Unit { value: "percentunit", rate: "short" };

impl Unit {
    /// That of a metric: the one it was given, or that of its name.
    pub(super) fn of(metric: &Metric) -> Unit {
        let words = metric.words();
        let last = words.iter().rev().find(|word| *word != "total").map_or("", |word| word);
        if ["ratio", "utilization"].contains(&last) && ["", "1"].contains(&&*metric.unit) {
            return RATIO;
        }
        let told = ENDINGS.iter().find(|(ending, _)| *ending == last).map(|(_, unit)| *unit);
        Unit::named(if metric.unit.is_empty() { told.unwrap_or_default() } else { &metric.unit })
    }

    fn named(ucum: &str) -> Unit {
        // What is not in the table is a count of something, or nothing that Grafana knows.
        let found = UNITS.iter().find(|(name, ..)| *name == ucum).unwrap_or(&UNITS[0]);
        Unit { value: found.1, rate: found.2 }
    }
}
