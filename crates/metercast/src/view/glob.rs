//! Patterns for names, as the specification of OpenTelemetry has them.

use std::fmt;

/// A pattern that names match or not: `*` stands for any characters, also none, `?` for one. Everything else stands for
/// itself; case counts. (OpenTelemetry, Metrics SDK, "Instrument selection criteria".)
///
/// ```
/// use metercast::view::Glob;
///
/// assert!(Glob::new("http.*.duration").matches("http.server.request.duration"));
/// assert!(!Glob::new("http.?").matches("http.server"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Glob(Box<str>);

impl Glob {
    /// The pattern that is written so.
    pub fn new(pattern: &str) -> Glob {
        Glob(pattern.into())
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it stands for one name only.
    pub fn is_exact(&self) -> bool {
        !self.0.contains(['*', '?'])
    }

    /// Whether `name` matches. It takes at most as many steps as the product of both lengths.
    pub fn matches(&self, name: &str) -> bool {
        let mut pattern = self.0.chars();
        let mut rest = name.chars();
        // Where the last star is, and what it has not swallowed yet: one character more each time that what follows fails.
        let mut star = None;
        loop {
            let mut after = pattern.clone();
            match (after.next(), rest.clone().next()) {
                (Some('*'), _) => {
                    pattern = after;
                    star = Some((pattern.clone(), rest.clone()));
                    continue;
                }
                (Some(expected), Some(found)) if expected == '?' || expected == found => {
                    pattern = after;
                    rest.next();
                    continue;
                }
                (None, None) => return true,
                _ => {}
            }
            let Some((behind, swallowed)) = &mut star else { return false };
            if swallowed.next().is_none() {
                return false;
            }
            (pattern, rest) = (behind.clone(), swallowed.clone());
        }
    }
}

impl From<&str> for Glob {
    fn from(pattern: &str) -> Glob {
        Glob::new(pattern)
    }
}

impl From<String> for Glob {
    fn from(pattern: String) -> Glob {
        Glob(pattern.into())
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_text_and_a_question_mark_one_character() {
        let cases = [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "a.b", true),
            ("a", "a", true),
            ("a", "A", false),
            ("a.*", "a.b.c", true),
            ("a.*", "a", false),
            ("*.c", "a.b.c", true),
            ("*.c", "a.c.d", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("?", "ü", true),
            ("??", "ü", false),
            ("a?c", "abc", true),
            ("**a", "bba", true),
            ("*?", "", false),
            ("[a]", "a", false),
            ("[a]", "[a]", true),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(Glob::new(pattern).matches(name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn many_stars_take_no_more_than_a_moment() {
        let pattern = "*a".repeat(100) + "b";
        assert!(!Glob::new(&pattern).matches(&"a".repeat(2_000)));
    }
}
