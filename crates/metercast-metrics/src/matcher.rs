//! Which metrics a rule is for.

use std::fmt;

/// Which metrics a rule of a [builder](crate::MetricsRecorderBuilder) is for, by their names. Where several rules match, a full
/// name goes before a prefix, a prefix before a suffix, and among equals the one that comes first in the alphabet.
///
/// Names are compared as Prometheus spells them, so that the suffix `_seconds` matches `db.query.seconds`. So it is in
/// metrics-exporter-prometheus, whose matchers these are, one for one.
///
/// ```
/// use metercast_metrics::Matcher;
///
/// let seconds = Matcher::Suffix("_seconds".to_owned());
/// assert!(seconds.matches("db_query_seconds") && seconds.matches("db.query.seconds"));
/// assert!(!seconds.matches("seconds_of_fame"));
/// ```
// The order of the variants is that of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Matcher {
    /// The metric of this name.
    Full(String),
    /// All metrics whose names begin like this.
    Prefix(String),
    /// All metrics whose names end like this.
    Suffix(String),
}

impl Matcher {
    /// Whether the metric of this name is one of those.
    pub fn matches(&self, name: &str) -> bool {
        self.clone().spelled().matches_spelled(&spelled(name))
    }

    /// The same, for names that are [`spelled`].
    pub(crate) fn spelled(self) -> Matcher {
        match self {
            Matcher::Full(full) => Matcher::Full(spelled(&full)),
            Matcher::Prefix(prefix) => Matcher::Prefix(spelled(&prefix)),
            // It need not be where a name begins, so a digit stays.
            Matcher::Suffix(suffix) => Matcher::Suffix(suffix.chars().map(inside).collect()),
        }
    }

    /// Whether both are spelled alike.
    pub(crate) fn matches_spelled(&self, name: &str) -> bool {
        match self {
            Matcher::Full(full) => name == full,
            Matcher::Prefix(prefix) => name.starts_with(prefix.as_str()),
            Matcher::Suffix(suffix) => name.ends_with(suffix.as_str()),
        }
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Matcher::Full(full) => write!(f, "the metric {full:?}"),
            Matcher::Prefix(prefix) => write!(f, "metrics with the prefix {prefix:?}"),
            Matcher::Suffix(suffix) => write!(f, "metrics with the suffix {suffix:?}"),
        }
    }
}

/// A name in the alphabet in which names are compared.
pub(crate) fn spelled(name: &str) -> String {
    let begin = |c: char| if c.is_ascii_digit() { '_' } else { inside(c) };
    name.chars().enumerate().map(|(at, c)| if at == 0 { begin(c) } else { inside(c) }).collect()
}

fn inside(c: char) -> char {
    if c.is_ascii_alphanumeric() || c == ':' { c } else { '_' }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(name: &str) -> Matcher {
        Matcher::Full(name.to_owned())
    }

    #[test]
    fn full_names_go_before_prefixes_and_prefixes_before_suffixes() {
        let (prefix, suffix) =
            (|text: &str| Matcher::Prefix(text.to_owned()), Matcher::Suffix("a".to_owned()));
        let mut all = [suffix.clone(), prefix("b"), prefix("a"), full("z")];
        all.sort();
        assert_eq!(all, [full("z"), prefix("a"), prefix("b"), suffix]);
    }

    #[test]
    fn what_prometheus_would_spell_alike_matches() {
        assert!(full("http.requests").matches("http-requests"));
        assert!(full("9 lives").matches("__lives") && !full("http").matches("https"));
        assert!(Matcher::Suffix("5xx".to_owned()).matches("errors_5xx"));
        assert!(!Matcher::Suffix("5xx".to_owned()).matches("errors_xx"));
    }
}
