//! A run as a document: machine, versions, date, and a table for each group with subjects as columns.

use std::fmt::Write;

use super::{Report, Row, machine, table};
use crate::groups::Group;
use crate::subjects;

pub(super) fn markdown(report: &Report) -> String {
    let mut text = String::from(
        "# Results of the last run\n\n\
         Written by `cargo xtask bench --results bench/RESULTS.md`; `bench/README.md` says what is measured and how. \
         Ratios in parentheses are the subject's value divided by metercast's.\n\n",
    );
    for (what, value) in machine::facts() {
        let _ = writeln!(text, "* {what}: {value}");
    }
    // As it was asked for: quick, or only some groups.
    let words: Vec<String> = std::env::args().skip(1).collect();
    let _ = writeln!(text, "* run: `cargo xtask bench {}`", words.join(" "));
    for group in Group::ALL.into_iter().filter(|group| report.of(group.name()).next().is_some()) {
        let _ = write!(text, "\n## {}\n\n{}.\n\n", group.name(), sentence(group.summary()));
        matrix(report, group, &mut text);
        let gaps: Vec<_> = report.gaps.iter().filter(|(of, _)| *of == group.name()).collect();
        if !gaps.is_empty() {
            text.push('\n');
        }
        for (_, gap) in gaps {
            let _ = writeln!(text, "* {gap}");
        }
    }
    text
}

fn sentence(summary: &str) -> String {
    let mut letters = summary.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

fn is_of_all(name: &str) -> bool {
    subjects::ALL.iter().any(|subject| subject.name() == name)
}

/// A line for each case, a column for each subject that has a value in the group.
fn matrix(report: &Report, group: Group, text: &mut String) {
    let rows = table::by_case(report, group);
    let http = subjects::HTTP.iter().map(|subject| subject.name).filter(|name| !is_of_all(name));
    let names = subjects::ALL.iter().map(|subject| subject.name()).chain(http);
    let columns: Vec<_> = names.filter(|name| rows.iter().any(|row| row.subject == *name)).collect();
    let mut cases: Vec<(&str, &str)> = Vec::new();
    for row in &rows {
        if !cases.contains(&(&row.case, row.unit)) {
            cases.push((&row.case, row.unit));
        }
    }
    let _ = writeln!(text, "| case | unit | {} |", columns.join(" | "));
    let _ = writeln!(text, "| --- | --- |{}", " ---: |".repeat(columns.len()));
    for (case, unit) in cases {
        let _ = write!(text, "| {case} | {unit} |");
        for column in &columns {
            let row = rows.iter().find(|row| row.case == case && row.subject == *column);
            let _ = write!(text, " {} |", row.map_or(String::new(), |row| cell(report, row)));
        }
        text.push('\n');
    }
}

fn cell(report: &Report, row: &Row) -> String {
    let value = table::number(row.value);
    match table::ratio(report, row) {
        Some(ratio) => format!("{value} ({ratio})"),
        None => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_columns() {
        let mut report = Report::default();
        report.add(Row::value("record", "a", "floor", 0.25, "ns/op"));
        report.add(Row::value("record", "a", "metercast", 0.5, "ns/op"));
        report.add(Row::value("record", "a", "prometheus", 5.0, "ns/op"));
        report.add(Row::value("record", "b", "prometheus", 7.0, "ns/op"));
        let text = markdown(&report);
        let table = text.split("one recording").last().unwrap();
        assert!(table.contains("| case | unit | floor | metercast | prometheus |"), "{text}");
        assert!(table.contains("| a | ns/op | 0.25 | 0.50 | 5 (10x) |"), "{text}");
        assert!(table.contains("| b | ns/op |  |  | 7 |"), "{text}");
    }
}
