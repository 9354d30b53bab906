//! Whole-page snapshots: everything that a store holds, as text, compared with a file or a literal.

use std::fs;
use std::path::Path;

use metercast_core::Store;

use super::check::check_denied;
use super::labels::is_like;
use crate::export::prometheus::PrometheusPage;
use crate::log::Log;

/// Asserts that the page of the current store is what stands in a file, relative to the crate's `Cargo.toml`, or after `text:` in
/// a literal. The page is Prometheus' text, without metercast's own metrics, and with [`TIME`](crate::testing::TIME) in the
/// place of durations and moments. [`ANY`](crate::testing::ANY) in the file or literal stands for any characters of a line.
///
/// With `UPDATE=1` in the environment the file is written if it does not hold: read the difference as you would read code.
///
/// ```
/// use metercast::{assert_metrics_snapshot, f64_histogram_with_unit, testing, u64_counter};
///
/// let _metrics = testing::scope();
/// u64_counter!("orders.placed", "Orders accepted", 2, "tenant" => "a1b2");
/// f64_histogram_with_unit!("wait", "Time to wait", "{turn}", 1.0);
/// assert_metrics_snapshot!(text: r#"
/// ## HELP orders_placed_total Orders accepted
/// ## TYPE orders_placed_total counter
/// orders_placed_total{tenant="<any>"} 2
/// ## HELP wait Time to wait
/// ## TYPE wait histogram
/// <any>
/// wait_sum 1
/// wait_count 1
/// "#);
/// ```
///
/// # Panics
///
/// If the page is another; the message shows both, line by line.
#[macro_export]
macro_rules! assert_metrics_snapshot {
    (text: $text:expr $(,)?) => {
        $crate::testing::check_page($text)
    };
    ($path:expr $(,)?) => {
        $crate::testing::check_page_file(
            ::core::env!("CARGO_MANIFEST_DIR"),
            ::core::convert::AsRef::as_ref($path),
        )
    };
}

/// In a snapshot: a duration or moment, which is another each time.
pub const TIME: &str = "<time>";

/// The page of a store as [`assert_metrics_snapshot!`](crate::assert_metrics_snapshot) compares it.
pub fn page(store: &Store) -> String {
    let text = PrometheusPage::new("snapshot", Log::to(|_, _| {})).render(store);
    let mut redacted = String::new();
    let (mut is_own, mut is_time) = (false, false);
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("# HELP ").or_else(|| line.strip_prefix("# TYPE ")) {
            let name = name.split(' ').next().unwrap_or_default();
            is_own = name.starts_with("metercast_");
            is_time = measures_time(name);
        }
        if is_own {
            continue;
        }
        match line.rsplit_once(' ') {
            Some((series, _)) if is_time && !line.starts_with('#') && !is_count(series) => {
                redacted.push_str(series);
                redacted.push(' ');
                redacted.push_str(TIME);
            }
            _ => redacted.push_str(line),
        }
        redacted.push('\n');
    }
    redacted
}

/// Whether a name ends in a unit of time.
fn measures_time(name: &str) -> bool {
    let name = name.strip_suffix("_total").unwrap_or(name);
    let units = ["seconds", "milliseconds", "microseconds", "nanoseconds", "minutes", "hours", "days"];
    units.iter().any(|unit| name.strip_suffix(unit).is_some_and(|before| before.ends_with('_')))
}

/// Whether a line of a distribution counts everything, however long it took.
fn is_count(series: &str) -> bool {
    let name = series.split('{').next().unwrap_or_default();
    name.ends_with("_count") || name.ends_with("_bucket") && series.contains("le=\"+Inf\"")
}

/// What `assert_metrics_snapshot!` calls with a literal.
#[doc(hidden)]
#[track_caller]
pub fn check_page(expected: &str) {
    check_denied();
    let page = page(&Store::current());
    if let Some(difference) = difference(expected, &page) {
        panic!("expected another page; - is expected, + is there:\n{difference}");
    }
}

/// What `assert_metrics_snapshot!` calls with a file.
#[doc(hidden)]
#[track_caller]
pub fn check_page_file(folder: &str, path: &Path) {
    check_denied();
    // Nor is one written by `UPDATE=1`.
    if path.as_os_str().to_string_lossy().contains('\n') {
        panic!(
            "the name of a file has several lines; a page in a literal is assert_metrics_snapshot!(text: ..)"
        );
    }
    let page = page(&Store::current());
    let path = Path::new(folder).join(path);
    let expected = fs::read_to_string(&path);
    let difference =
        expected.as_ref().map_or_else(|_| Some(String::new()), |expected| difference(expected, &page));
    let Some(difference) = difference else { return };
    if std::env::var("UPDATE").is_ok_and(|update| update == "1") {
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, &page));
        return written.unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
    }
    match expected {
        Ok(_) => panic!(
            "expected the page of {}; - is expected, + is there (UPDATE=1 writes it):\n{difference}",
            path.display()
        ),
        Err(error) => panic!("cannot read {}: {error}; UPDATE=1 writes it:\n{page}", path.display()),
    }
}

/// The lines of both, where they differ; `None` if every line is as expected. A line that is only [`ANY`](super::ANY) stands for any number of lines.
fn difference(expected: &str, page: &str) -> Option<String> {
    let expected: Vec<_> = expected.trim().lines().map(str::trim_end).collect();
    let there: Vec<_> = page.trim().lines().collect();
    // The longest run of lines that both have in common, from each place on.
    let mut common = vec![vec![0usize; there.len() + 1]; expected.len() + 1];
    let is_gap = |line: &str| line == super::ANY;
    for at in (0..expected.len()).rev() {
        for to in (0..there.len()).rev() {
            common[at][to] = if is_gap(expected[at]) {
                common[at + 1][to].max(common[at][to + 1] + 1)
            } else if is_like(expected[at], there[to]) {
                common[at + 1][to + 1] + 1
            } else {
                common[at + 1][to].max(common[at][to + 1])
            };
        }
    }
    let (mut at, mut to, mut lines, mut differs) = (0, 0, String::new(), false);
    let mut say = |sign: &str, line: &str| {
        differs |= sign != " ";
        lines.push_str(&format!("{sign} {line}\n"));
    };
    while at < expected.len() || to < there.len() {
        let (wanted, line) = (expected.get(at), there.get(to));
        match (wanted, line) {
            (Some(wanted), Some(line)) if is_gap(wanted) => {
                if common[at][to] == common[at][to + 1] + 1 && common[at + 1][to] < common[at][to] {
                    say(" ", line);
                    to += 1;
                } else {
                    at += 1;
                }
            }
            (Some(wanted), None) if is_gap(wanted) => at += 1,
            (Some(wanted), Some(line)) if is_like(wanted, line) => {
                say(" ", line);
                (at, to) = (at + 1, to + 1);
            }
            (Some(wanted), Some(_)) if common[at + 1][to] >= common[at][to + 1] => {
                say("-", wanted);
                at += 1;
            }
            (Some(wanted), None) => {
                say("-", wanted);
                at += 1;
            }
            (_, Some(line)) => {
                say("+", line);
                to += 1;
            }
            (None, None) => break,
        }
    }
    differs.then_some(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_shows_what_is_missing_and_what_is_too_much_in_place() {
        assert_eq!(difference("\na 1\nb <any>\n", "a 1\nb 7\n"), None);
        assert_eq!(difference("a 1\nb 2\nd 4", "a 1\nc 3\nd 4\n").unwrap(), "  a 1\n- b 2\n+ c 3\n  d 4\n");
        assert_eq!(difference("", "a 1\n").unwrap(), "+ a 1\n");
        assert_eq!(difference("a 1", "").unwrap(), "- a 1\n");
    }

    #[test]
    fn a_line_of_any_stands_for_any_number_of_lines() {
        for page in ["a\nz\n", "a\nb\nz\n", "a\nb\nz\nc\nz\n"] {
            assert_eq!(difference("a\n<any>\nz", page), None, "{page}");
        }
        assert_eq!(difference("<any>", "a\nb\n"), None);
        assert!(difference("a\n<any>\nz", "a\nb\n").unwrap().contains("- z"));
        assert!(difference("a\n<any>\nz", "b\nz\n").unwrap().contains("- a"));
    }
}
