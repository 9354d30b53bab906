//! A group's table for the terminal: one line for each value, with its ratio to metercast's.

use std::fmt::Write;

use super::{Report, Row};
use crate::groups::Group;
use crate::subjects::{FLOOR, OWN};

/// The table of a group, and what it lacks.
pub(crate) fn table(report: &Report, group: Group) -> String {
    let mut text = format!("{}: {}\n", group.name(), group.summary());
    let _ = writeln!(
        text,
        "  {:<34} {:<18} {:>12} {:<18} {:>23} {:>8}",
        "case", "subject", "median", "unit", "p10 - p90", "x"
    );
    let mut before = "";
    for row in by_case(report, group) {
        let between =
            row.between.map_or(String::new(), |(low, high)| format!("{} - {}", number(low), number(high)));
        let line = format!(
            "  {:<34} {:<18} {:>12} {:<18} {between:>23} {:>8}",
            if row.case == before { "" } else { &row.case },
            row.subject,
            number(row.value),
            row.unit,
            ratio(report, row).unwrap_or_default()
        );
        let _ = writeln!(text, "{}", line.trim_end());
        before = &row.case;
    }
    for (_, gap) in report.gaps.iter().filter(|(of, _)| *of == group.name()) {
        let _ = writeln!(text, "  {gap}");
    }
    text
}

/// The rows of a group, those of a case together, cases in the order in which they began.
pub(super) fn by_case(report: &Report, group: Group) -> Vec<&Row> {
    let mut rows: Vec<_> = report.of(group.name()).collect();
    let begun = |row: &Row| report.of(group.name()).position(|first| first.case == row.case);
    rows.sort_by_cached_key(|row| begun(row));
    rows
}

/// How many times metercast's value this is, for the same case.
pub(super) fn ratio(report: &Report, row: &Row) -> Option<String> {
    let own = report.of(row.group).find(|own| own.subject == OWN && own.case == row.case)?;
    let ratio = row.value / own.value;
    // Of what is counted per second more is not worse.
    let compares = row.subject != OWN && row.subject != FLOOR && row.unit != "1/s";
    (compares && ratio.is_finite()).then(|| match ratio {
        _ if ratio < 0.995 => format!("{ratio:.2}x"),
        _ if ratio < 9.95 => format!("{ratio:.1}x"),
        _ => format!("{ratio:.0}x"),
    })
}

/// Three digits that matter, and no more than two behind the point.
pub(super) fn number(value: f64) -> String {
    match value.abs() {
        _ if value.fract() == 0.0 => format!("{value:.0}"),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(subject: &'static str, value: f64) -> Row {
        Row::value("record", "a", subject, value, "ns/op")
    }

    #[test]
    fn ratios_are_of_the_same_case() {
        let mut report = Report::default();
        let peer = row("prometheus", 5.0);
        assert_eq!(ratio(&report, &peer), None);
        report.add(row(OWN, 0.5));
        assert_eq!(ratio(&report, &peer).as_deref(), Some("10x"));
        assert_eq!(ratio(&report, &row("prometheus", 0.25)).as_deref(), Some("0.50x"));
        assert_eq!(ratio(&report, &row(OWN, 0.5)), None);
        assert_eq!(ratio(&report, &Row { case: "b".to_owned(), ..peer }), None);
    }

    #[test]
    fn rows_of_a_case_stand_together() {
        let mut report = Report::default();
        report.add(Row { case: "b".to_owned(), ..row("floor", 1.0) });
        report.add(row("floor", 2.0));
        report.add(Row { case: "b".to_owned(), ..row(OWN, 3.0) });
        let values: Vec<_> = by_case(&report, Group::Record).iter().map(|row| row.value).collect();
        assert_eq!(values, [1.0, 3.0, 2.0]);
    }

    #[test]
    fn gaps_stand_below_the_table() {
        let mut report = Report::default();
        report.add(row(OWN, 0.5));
        report.not_yet("record", "b", OWN, "it is not written");
        report.not_yet("scrape", "c", OWN, "it is not written");
        let table = table(&report, Group::Record);
        assert!(table.ends_with("  b, metercast: not yet; it is not written\n"), "{table}");
    }

    #[test]
    fn numbers_have_the_digits_that_matter() {
        let texts = [0.0, 0.01234, 0.25, 5.555, 55.55, 555.5, 55_555.5].map(number);
        assert_eq!(texts, ["0", "0.0123", "0.25", "5.55", "55.5", "556", "55556"]);
    }
}
