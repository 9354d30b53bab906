//! On what, with what and when it was measured.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::measure::cpus;

/// The crates whose versions matter.
const CRATES: [&str; 11] = [
    "metercast",
    "prometheus",
    "prometheus-client",
    "measured",
    "paracord",
    "metrics",
    "metrics-exporter-prometheus",
    "opentelemetry",
    "opentelemetry_sdk",
    "opentelemetry-prometheus",
    "opentelemetry-proto",
];

pub(super) fn facts() -> Vec<(&'static str, String)> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let cpus = cpus().len();
    vec![
        ("date", date(seconds / 86_400)),
        ("processor", format!("{}, {cpus} used", line_of("/proc/cpuinfo", "model name").unwrap_or_default())),
        ("memory", memory().unwrap_or_default()),
        (
            "kernel",
            std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
        ),
        ("compiler", compiler()),
        ("versions", versions(include_str!("../../Cargo.lock"))),
    ]
}

/// The value of the first line `key : value`.
fn line_of(file: &str, key: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn memory() -> Option<String> {
    let kilobytes: f64 = line_of("/proc/meminfo", "MemTotal")?.strip_suffix(" kB")?.parse().ok()?;
    Some(format!("{:.0} GiB", kilobytes / f64::from(1 << 20)))
}

fn compiler() -> String {
    let output = Command::new("rustc").arg("-V").output();
    let text =
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    format!(
        "{text}, release, thin LTO, one codegen unit, {} without further features",
        std::env::consts::ARCH
    )
}

fn versions(lock: &str) -> String {
    let of = |name: &str| {
        let head = format!("name = \"{name}\"");
        let version = lock.lines().skip_while(|line| *line != head).nth(1)?;
        Some(format!("{name} {}", version.strip_prefix("version = ")?.trim_matches('"')))
    };
    CRATES.iter().filter_map(|name| of(name)).collect::<Vec<_>>().join(", ")
}

/// The civil date of a day, counted from 1970-01-01. The year begins in March, so that the leap day is its last.
fn date(day: u64) -> String {
    let days = day + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    let month = if march < 10 { march + 3 } else { march - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    format!("{year}-{month:02}-{:02}", of_year - (153 * march + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        assert_eq!(
            [0, 59, 11_016, 19_782].map(date),
            ["1970-01-01", "1970-03-01", "2000-02-29", "2024-02-29"]
        );
    }

    #[test]
    fn versions_come_from_the_lock_file() {
        assert_eq!(versions("[[package]]\nname = \"metrics\"\nversion = \"0.24.6\"\n"), "metrics 0.24.6");
    }
}
