//! Adding up what the test harness prints, line by line.

/// The sum over all that one run of the harness, or more of them, have printed.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) ignored: usize,
    /// The names of the tests that failed.
    pub(crate) failures: Vec<String>,
    /// The names of the tests that carry `#[ignore]`.
    pub(crate) ignores: Vec<String>,
    /// Binaries that began and never gave a result: they crashed or were killed.
    pub(crate) broken: usize,
    open: bool,
}

impl Tally {
    /// Takes in one line of output, whatever it is.
    pub(crate) fn read(&mut self, line: &str) {
        let line = line.trim_end();
        if is_beginning(line) {
            self.broken += usize::from(self.open);
            self.open = true;
        } else if !self.open {
            // Between two binaries nothing counts, so that a program that prints such lines itself is not believed.
        } else if let Some(counts) = line.strip_prefix("test result: ") {
            self.open = false;
            self.passed += count(counts, "passed");
            self.failed += count(counts, "failed");
            self.ignored += count(counts, "ignored");
        } else if let Some((name, verdict)) =
            line.strip_prefix("test ").and_then(|test| test.rsplit_once(" ... "))
        {
            if verdict == "FAILED" {
                self.failures.push(name.to_owned());
            } else if verdict == "ignored" || verdict.starts_with("ignored, ") {
                self.ignores.push(name.to_owned());
            }
        }
    }

    /// Adds what another run came to, which has ended.
    pub(crate) fn add(&mut self, other: Tally) {
        let Tally { passed, failed, ignored, failures, ignores, broken, open } = other;
        self.passed += passed;
        self.failed += failed;
        self.ignored += ignored;
        self.failures.extend(failures);
        self.ignores.extend(ignores);
        self.broken += broken + usize::from(open);
    }

    /// To be called after the last line.
    pub(crate) fn end(&mut self) {
        self.broken += usize::from(std::mem::take(&mut self.open));
    }
}

/// `running 3 tests`, `running 1 test`.
fn is_beginning(line: &str) -> bool {
    let words: Vec<_> = line.split(' ').collect();
    matches!(words[..], ["running", number, "test" | "tests"] if number.parse::<usize>().is_ok())
}

/// The number before a word in `ok. 3 passed; 0 failed; 1 ignored; ...`.
fn count(counts: &str, word: &str) -> usize {
    let words: Vec<_> = counts.split([' ', ';']).collect();
    let at = words.iter().position(|found| *found == word);
    at.and_then(|at| words.get(at.checked_sub(1)?)?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(output: &str) -> Tally {
        let mut tally = Tally::default();
        output.lines().for_each(|line| tally.read(line));
        tally.end();
        tally
    }

    #[test]
    fn results_of_all_binaries_are_added() {
        let found = tally(
            "\nrunning 3 tests\ntest a::adds ... ok\ntest a::soak ... ignored, long\ntest b ... FAILED\n\n\
             failures:\n\n---- b stdout ----\nboom\n\n\
             test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\n\
             running 1 test\ntest src/lib.rs - add (line 3) ... ok\n\n\
             test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.11s\n",
        );
        assert_eq!((found.passed, found.failed, found.ignored, found.broken), (2, 1, 1, 0));
        assert_eq!(found.failures, ["b"]);
        assert_eq!(found.ignores, ["a::soak"]);
    }

    #[test]
    fn a_binary_without_a_result_line_is_broken() {
        let result = "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out";
        let crashed_first =
            tally(&format!("running 2 tests\ntest a ... ok\nrunning 1 test\ntest b ... ok\n{result}"));
        assert_eq!((crashed_first.broken, crashed_first.passed), (1, 1));
        assert_eq!(tally("running 2 tests\ntest a ... ok").broken, 1);
    }

    #[test]
    fn a_result_line_outside_a_binary_is_not_believed() {
        assert_eq!(tally("test result: ok. 9 passed; 0 failed; 0 ignored").passed, 0);
        assert_eq!(tally("running fast tests\ntest result: ok. 9 passed; 0 failed").passed, 0);
    }
}
