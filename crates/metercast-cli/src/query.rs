//! Queries of Prometheus, made of metrics: selectors, rates and quantiles, with names that old and new versions take.

use std::fmt::Write;

/// What stands in the braces of each selector, and the window of each rate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope<'a> {
    /// Matchers as they stand in braces; may be empty.
    pub(crate) of: &'a str,
    /// As it stands in brackets.
    pub(crate) window: &'a str,
}

impl Scope<'_> {
    /// The series of this name, with one more matcher unless that is empty.
    pub(crate) fn series(&self, name: &str, matcher: &str) -> String {
        let quoted = text(name);
        let is_classic = is_classic(name);
        let parts = [if is_classic { "" } else { &quoted }, self.of, matcher];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let before = if is_classic { name } else { "" };
        if parts.is_empty() { before.to_owned() } else { format!("{before}{{{}}}", parts.join(", ")) }
    }

    /// How much more each of them is in a second.
    pub(crate) fn rate(&self, name: &str, matcher: &str) -> String {
        format!("rate({}[{}])", self.series(name, matcher), self.window)
    }

    /// A quantile of a histogram, and of each part of it that differs in these labels.
    pub(crate) fn quantile(&self, name: &str, quantile: f64, by: &[&str]) -> String {
        let by: Vec<&str> = ["le"].into_iter().chain(by.iter().copied()).collect();
        let rate = sum_by(&by, &self.rate(&format!("{name}_bucket"), ""));
        format!("histogram_quantile({quantile}, {rate})")
    }
}

/// A sum for each of what differs in these labels.
pub(crate) fn sum_by(labels: &[&str], of: &str) -> String {
    if labels.is_empty() {
        return format!("sum({of})");
    }
    let labels: Vec<String> = labels.iter().map(|label| label_name(label)).collect();
    format!("sum by ({}) ({of})", labels.join(", "))
}

/// A label in a query. Since Prometheus 3 it may be any text, in quotes.
pub(crate) fn label_name(label: &str) -> String {
    if is_classic(label) && !label.contains(':') { label.to_owned() } else { text(label) }
}

/// A text in quotes.
pub(crate) fn text(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A text as a regular expression that matches nothing else.
pub(crate) fn literally(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if c.is_ascii_punctuation() && c != '_' && c != '-' {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Whether it may stand in a query of any version without quotes.
fn is_classic(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    name.starts_with(|c: char| is_part(c) && !c.is_ascii_digit()) && name.chars().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCOPE: Scope<'_> = Scope { of: "job=\"a\"", window: "5m" };

    #[test]
    fn old_names_stand_before_the_braces_and_new_ones_in_them() {
        assert_eq!(SCOPE.series("a_total", ""), "a_total{job=\"a\"}");
        assert_eq!(SCOPE.rate("a_total", "code=~\"5..\""), "rate(a_total{job=\"a\", code=~\"5..\"}[5m])");
        assert_eq!(SCOPE.series("a.b", ""), "{\"a.b\", job=\"a\"}");
        assert_eq!(SCOPE.series("0\"\\\n\u{1}", ""), r#"{"0\"\\\n\u0001", job="a"}"#);
        let everything = Scope { of: "", window: "1m" };
        assert_eq!(everything.series("a", ""), "a");
        assert_eq!(everything.series("a.b", ""), "{\"a.b\"}");
    }

    #[test]
    fn sums_and_quantiles_name_their_labels() {
        assert_eq!(sum_by(&[], "a"), "sum(a)");
        assert_eq!(sum_by(&["b", "c.d"], "a"), "sum by (b, \"c.d\") (a)");
        assert_eq!(
            SCOPE.quantile("a", 0.99, &["b"]),
            "histogram_quantile(0.99, sum by (le, b) (rate(a_bucket{job=\"a\"}[5m])))"
        );
    }

    #[test]
    fn a_text_is_matched_by_itself_alone() {
        assert_eq!(literally("a.b|c"), "a\\.b\\|c");
        assert_eq!(literally("a-b_c"), "a-b_c");
    }
}
