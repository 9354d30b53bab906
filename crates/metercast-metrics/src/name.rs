//! Names as the store takes them: `metrics` allows anything.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The longest name of an instrument: OpenTelemetry metrics API, "Instrument name syntax".
const LONGEST: usize = 255;

/// The name that a metric is kept under: its own, if it follows the syntax. Otherwise each character that may not be there is an
/// underscore, a name that does not begin with a letter begins with `m_`, and what is too long ends in a hash of the whole.
pub(crate) fn kept(name: &str) -> Cow<'_, str> {
    let is_kept = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/');
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
    if begins && name.len() <= LONGEST && name.chars().all(is_kept) {
        return Cow::Borrowed(name);
    }
    let mut kept = String::with_capacity(name.len() + 2);
    let rest = if begins {
        name
    } else {
        kept.push_str("m_");
        name.strip_prefix('_').unwrap_or(name)
    };
    kept.extend(rest.chars().map(|c| if is_kept(c) { c } else { '_' }));
    if kept.len() > LONGEST {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        let hash = format!("_{:016x}", hasher.finish());
        kept.truncate(LONGEST - hash.len());
        kept.push_str(&hash);
    }
    Cow::Owned(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_syntax_stays_and_the_rest_is_near_to_what_it_was() {
        for name in ["a", "orders.placed", "http-requests_total", "A/b"] {
            assert!(matches!(kept(name), Cow::Borrowed(_)), "{name}");
        }
        let mapped = [
            ("a b", "a_b"),
            ("a:b", "a_b"),
            ("größe", "gr__e"),
            ("_a", "m_a"),
            ("9a", "m_9a"),
            (".a", "m_.a"),
            ("", "m_"),
        ];
        for (name, expected) in mapped {
            assert_eq!(kept(name), expected);
        }
    }

    #[test]
    fn long_names_that_differ_at_the_end_stay_different() {
        let (one, other) = ("a".repeat(300), "a".repeat(299) + "b");
        assert_eq!((kept(&one).len(), kept(&other).len()), (LONGEST, LONGEST));
        assert_ne!(kept(&one), kept(&other));
        assert_eq!(kept(&one), kept(&one));
        assert!(kept(&"é".repeat(200)).len() == 202);
    }
}
