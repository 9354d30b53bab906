//! The catalogue as a reference in Markdown: a table for each package.

use std::fmt::Write;

use metercast_core::Visibility;

use super::Catalogue;
use super::metric::{Buckets, Label, Metric, Values};
use crate::PageOptions;

/// The heads of the columns, the first of which tells rows apart.
const COLUMNS: [&str; 7] = ["Metric", "Prometheus", "Type", "Unit", "Labels", "Description", "Source"];

/// What stands above metrics that no package has.
const MET: &str = "Met at run time";

impl Catalogue {
    /// A reference of the metrics: for each package a table with their names, as OpenTelemetry and as a Prometheus page has them, types, units,
    /// labels with the values that they can have, and descriptions with buckets.
    ///
    /// It is the same for the same metrics, whatever machine built the program and however. Versions and lines are not in it, since they
    /// change without any metric changing.
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        let mut packages: Vec<&str> = self.metrics.iter().map(Metric::package).collect();
        // Those without a package come last.
        packages.sort_unstable_by_key(|package| (package.is_empty(), *package));
        packages.dedup();
        for package in packages {
            // A file may say anything of itself, and a title is one line.
            let title =
                if package.is_empty() { MET.to_owned() } else { package.replace(char::is_control, " ") };
            if !out.is_empty() {
                out.push('\n');
            }
            let _ = write!(
                out,
                "## {title}\n\n| {} |\n|{}\n",
                COLUMNS.join(" | "),
                " --- |".repeat(COLUMNS.len())
            );
            for metric in self.metrics.iter().filter(|metric| metric.package() == package) {
                let _ = writeln!(out, "| {} |", row(metric, &self.options).join(" | "));
            }
        }
        out
    }
}

fn row(metric: &Metric, options: &PageOptions) -> [String; COLUMNS.len()] {
    let name = metric.prometheus_name(options);
    let kind =
        if metric.observable { format!("observable {}", metric.kind) } else { metric.kind.to_string() };
    let unit = if metric.unit.is_empty() { String::new() } else { code(&metric.unit) };
    let mut labels: Vec<String> = metric.labels.iter().map(|label| label_cell(label, options)).collect();
    if metric.open_labels {
        labels.push(if labels.is_empty() { "any" } else { "any others" }.to_owned());
    }
    [code(&metric.name), code(&name), kind, unit, labels.join("<br>"), description(metric), source(metric)]
}

fn label_cell(label: &Label, options: &PageOptions) -> String {
    let mut cell = code(&label.key);
    let spelled = label.prometheus_name(options);
    if spelled != label.key {
        let _ = write!(cell, " ({})", code(&spelled));
    }
    if label.optional {
        cell.push_str(", optional");
    }
    let _ = write!(cell, ": {}", values(&label.values));
    cell
}

fn values(values: &Values) -> String {
    let otherwise = |list: String, fallback: &str| format!("{list}, else {}", code(fallback));
    match values {
        Values::Text => "any text".to_owned(),
        Values::Whole => "any whole number".to_owned(),
        Values::OneOf { texts, fallback } => {
            let list = texts.iter().map(|text| code(text)).collect::<Vec<_>>().join(", ");
            match fallback {
                Some(fallback) => otherwise(list, fallback),
                None => list,
            }
        }
        Values::Ranges { ranges, fallback } => {
            let range =
                |range: &std::ops::RangeInclusive<i64>| format!("{} to {}", range.start(), range.end());
            otherwise(ranges.iter().map(range).collect::<Vec<_>>().join(", "), fallback)
        }
        Values::Pattern { characters, length, fallback } => {
            let (least, most) = (length.start(), length.end());
            otherwise(format!("{least} to {most} characters of {}", code(characters)), fallback)
        }
    }
}

fn description(metric: &Metric) -> String {
    let mut lines: Vec<String> = metric.description.lines().map(text).collect();
    let list = |numbers: &[f64]| numbers.iter().map(f64::to_string).collect::<Vec<_>>().join(", ");
    match &metric.buckets {
        Some(Buckets::Bounds(bounds)) => lines.push(format!("Buckets: {}.", list(bounds))),
        Some(Buckets::ByUnit(bounds)) => lines.push(format!("Buckets by unit: {}.", list(bounds))),
        Some(Buckets::Exponential) => lines.push("Exponential buckets.".to_owned()),
        Some(Buckets::Quantiles { quantiles, window_seconds }) => {
            lines.push(format!("Quantiles of the last {window_seconds} s: {}.", list(quantiles)));
        }
        None => {}
    }
    if metric.zeroes {
        lines.push("All series begin at zero.".to_owned());
    }
    if metric.visibility == Visibility::Private {
        lines.push("Private.".to_owned());
    }
    lines.join("<br>")
}

/// The files, each once; with the package where several have the metric.
fn source(metric: &Metric) -> String {
    let mut files: Vec<String> = Vec::new();
    for place in &metric.places {
        let file = if place.package == metric.package() {
            place.file.clone()
        } else {
            format!("{}: {}", place.package, place.file)
        };
        let file = text(&file);
        if !files.contains(&file) {
            files.push(file);
        }
    }
    files.join("<br>")
}

/// A text that stands for itself in a cell of a table.
fn text(text: &str) -> String {
    let mut out = String::new();
    for rune in text.chars() {
        match rune {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' => out.extend(['\\', rune]),
            rune if rune.is_control() => out.push(' '),
            rune => out.push(rune),
        }
    }
    out
}

/// A text in the letters of a program, in a cell of a table. GitHub Flavored Markdown, "Tables": a bar is escaped in code too.
fn code(text: &str) -> String {
    let text = text.replace('|', "\\|").replace(char::is_control, " ");
    let longest = text.split(|rune| rune != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    // A space is taken off again on both sides.
    let pad = if text.starts_with('`') || text.ends_with('`') || text.is_empty() { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stand_for_themselves_in_a_table() {
        assert_eq!(text("a|b <c> *d* `e` f_g\t[h]"), r"a\|b &lt;c&gt; \*d\* \`e\` f\_g \[h\]");
    }

    #[test]
    fn code_stands_for_itself_in_a_table() {
        for (given, expected) in [
            ("a", "`a`"),
            ("a|b", r"`a\|b`"),
            ("a`b", "``a`b``"),
            ("`", "`` ` ``"),
            ("a``b`c", "```a``b`c```"),
            ("", "`  `"),
            ("a\nb", "`a b`"),
        ] {
            assert_eq!(code(given), expected, "{given:?}");
        }
    }

    #[test]
    fn values_are_said_in_words() {
        let fallback = "other".to_owned();
        let ranges = Values::Ranges { ranges: vec![100..=199, -5..=5], fallback: fallback.clone() };
        assert_eq!(values(&ranges), "100 to 199, -5 to 5, else `other`");
        let pattern = Values::Pattern { characters: "a-z|".to_owned(), length: 1..=9, fallback };
        assert_eq!(values(&pattern), r"1 to 9 characters of `a-z\|`, else `other`");
    }
}
