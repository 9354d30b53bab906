//! What the steps came to: the table and the closing line.

use std::fmt;
use std::time::Duration;

use crate::step::Step;

/// What one step came to.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
    /// One entry for each thing to mend, each saying what, where and how.
    pub(crate) troubles: Vec<String>,
}

impl Outcome {
    /// The outcome of a step that holds or does not: it counts as one.
    pub(crate) fn of(troubles: Vec<String>) -> Outcome {
        let failed = usize::from(!troubles.is_empty());
        Outcome { passed: 1 - failed, failed, skipped: 0, troubles }
    }

    /// The outcome of a step that cannot be taken here: said and counted, as a skipped test is.
    pub(crate) fn skipped(why: &str) -> Outcome {
        println!("skipped: {why}");
        Outcome { skipped: 1, ..Outcome::default() }
    }
}

impl From<Result<(), String>> for Outcome {
    fn from(result: Result<(), String>) -> Outcome {
        Outcome::of(result.err().into_iter().collect())
    }
}

/// The outcomes of one run, in the order of its steps.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<(Step, Duration, Outcome)>,
}

impl Report {
    pub(crate) fn add(&mut self, step: Step, took: Duration, outcome: Outcome) {
        self.rows.push((step, took, outcome));
    }

    pub(crate) fn holds(&self) -> bool {
        self.total(|outcome| outcome.failed) == 0
    }

    fn total(&self, of: impl Fn(&Outcome) -> usize) -> usize {
        self.rows.iter().map(|(_, _, outcome)| of(outcome)).sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (step, _, outcome) in &self.rows {
            for trouble in &outcome.troubles {
                writeln!(f, "{step}: {trouble}")?;
            }
        }
        writeln!(f, "{:<12}{:>8}  result", "step", "seconds")?;
        for (step, took, outcome) in &self.rows {
            let result = if outcome.failed == 0 { "ok" } else { "FAILED" };
            writeln!(f, "{step:<12}{:>8.1}  {result}", took.as_secs_f64())?;
        }
        let (passed, failed) = (self.total(|o| o.passed), self.total(|o| o.failed));
        // Scripts read this line; it stays the last one and keeps its form.
        write!(f, "{passed} passed, {failed} failed, {} skipped", self.total(|o| o.skipped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_adds_tests_and_steps() {
        let mut report = Report::default();
        report.add(Step::Format, Duration::from_millis(1240), Outcome::of(Vec::new()));
        let tests = Outcome { passed: 40, failed: 0, skipped: 2, troubles: Vec::new() };
        report.add(Step::Test, Duration::from_secs(61), tests);
        assert!(report.holds());
        let text = "step         seconds  result\n\
                    format           1.2  ok\n\
                    test            61.0  ok\n\
                    41 passed, 0 failed, 2 skipped";
        assert_eq!(report.to_string(), text);
    }

    #[test]
    fn a_failed_step_counts_as_one_and_says_what_to_mend() {
        let mut report = Report::default();
        let troubles = vec!["a.rs: no head".to_owned(), "b.rs: no head".to_owned()];
        report.add(Step::Tidy, Duration::ZERO, Outcome::of(troubles));
        assert!(!report.holds());
        let text = report.to_string();
        assert!(text.starts_with("tidy: a.rs: no head\ntidy: b.rs: no head\n"), "{text}");
        assert!(text.contains("tidy             0.0  FAILED\n"), "{text}");
        assert!(text.ends_with("\n0 passed, 1 failed, 0 skipped"), "{text}");
    }
}
