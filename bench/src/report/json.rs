//! One line of JSON for each value.

use std::fmt::Write;

use super::{Report, Row};

pub(super) fn lines(report: &Report) -> String {
    report.rows.iter().map(line).collect()
}

/// No name holds anything that would have to be escaped, and no value is other than finite.
fn line(row: &Row) -> String {
    let Row { group, case, subject, value, unit, .. } = row;
    let mut line = String::new();
    let _ = writeln!(
        line,
        r#"{{"group":"{group}","case":"{case}","subject":"{subject}","value":{value},"unit":"{unit}"}}"#
    );
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_each_row() {
        let mut report = Report::default();
        report.add(Row::value("record", "counter/none/1t", "metercast", 0.25, "ns/op"));
        assert_eq!(
            lines(&report),
            "{\"group\":\"record\",\"case\":\"counter/none/1t\",\"subject\":\"metercast\",\"value\":0.25,\"unit\":\"ns/op\"}\n"
        );
    }
}
