//! One value of one subject, and all of them together.

use crate::measure::Spread;

/// One value: the median, where there were several.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) group: &'static str,
    pub(crate) case: String,
    pub(crate) subject: &'static str,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    /// The tenth and ninetieth of a hundred.
    pub(crate) between: Option<(f64, f64)>,
}

impl Row {
    pub(crate) fn value(
        group: &'static str,
        case: &str,
        subject: &'static str,
        value: f64,
        unit: &'static str,
    ) -> Row {
        Row { group, case: case.to_owned(), subject, value, unit, between: None }
    }

    pub(crate) fn spread(
        group: &'static str,
        case: &str,
        subject: &'static str,
        spread: Spread,
        unit: &'static str,
    ) -> Row {
        Row {
            between: Some((spread.p10, spread.p90)),
            ..Row::value(group, case, subject, spread.median, unit)
        }
    }
}

/// All rows of a run, and what kept it from having more.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) rows: Vec<Row>,
    /// Cases without a value: group, and a sentence.
    pub(crate) gaps: Vec<(&'static str, String)>,
    /// What is wrong with a subject or its measurement; each fails the run.
    pub(crate) troubles: Vec<String>,
}

impl Report {
    pub(crate) fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// A subject that will have this case, but does not yet.
    pub(crate) fn not_yet(&mut self, group: &'static str, case: &str, subject: &str, why: &str) {
        self.gaps.push((group, format!("{case}, {subject}: not yet; {why}")));
    }

    /// A case that cannot be measured here.
    pub(crate) fn skip(&mut self, group: &'static str, case: &str, subject: &str, why: &str) {
        self.gaps.push((group, format!("{case}, {subject}: skipped; {why}")));
    }

    pub(crate) fn trouble(&mut self, trouble: String) {
        self.troubles.push(trouble);
    }

    pub(crate) fn of<'a>(&'a self, group: &'a str) -> impl Iterator<Item = &'a Row> {
        self.rows.iter().filter(move |row| row.group == group)
    }
}
