//! The headers that a push carries beside those that the protocol itself needs.

use super::error::Checked;

use super::percent;
use super::place::{Given, Place};
use super::secret::Secret;

/// Header names, in lower case and each once, with their values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Headers<V = Secret>(Vec<(String, V)>);

/// What one source says of headers.
pub(super) type GivenHeaders = Headers<Given<Secret>>;

impl<V> Headers<V> {
    /// Adds a header, or replaces the one of that name.
    pub(super) fn set(&mut self, name: String, value: V) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&V> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// Names and values, in the order in which they were first given.
    #[cfg_attr(not(feature = "otlp"), allow(dead_code))]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl<V> Default for Headers<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl GivenHeaders {
    /// These headers, all given there.
    pub(super) fn at(headers: Headers, place: &Place) -> Self {
        Self(headers.0.into_iter().map(|(name, value)| (name, Given::new(value, place))).collect())
    }

    /// These headers, with those of `below` that they do not replace.
    pub(super) fn over(self, below: Self) -> Self {
        let mut headers = below;
        for (name, value) in self.0 {
            match headers.0.iter_mut().find(|(known, _)| *known == name) {
                Some((_, old)) => *old = value.over(old.clone()),
                None => headers.0.push((name, value)),
            }
        }
        headers
    }

    /// Names and values, whoever gave them.
    pub(super) fn values(&self) -> Headers {
        Headers(self.0.iter().map(|(name, given)| (name.clone(), given.value.clone())).collect())
    }
}

/// Headers that the push sets itself; a second value would make the request ambiguous.
const OURS: [&str; 6] =
    ["connection", "content-encoding", "content-length", "content-type", "host", "transfer-encoding"];

/// A header's name in lower case, if it is one (RFC 9110, section 5.1: a token).
///
/// The error shows a bad name only up to its first bad character: behind it may stand the secret, as in
/// `Authorization: Bearer abc`.
pub(super) fn check_name(name: &str) -> Checked<String> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() {
        return Err("has a header without a name".to_owned());
    }
    if let Some(at) = name.find(|c| !is_token(c)) {
        let bad = name[at..].chars().next().unwrap_or_default();
        return Err(format!(
            "has a header whose name begins {:?} and then has the character {bad:?}, which no header's name \
             may have; \
             give name and value apart",
            &name[..at]
        ));
    }
    let name = name.to_ascii_lowercase();
    if OURS.contains(&name.as_str()) {
        return Err(format!("sets the header {name:?}, which belongs to the push itself; leave it out"));
    }
    Ok(name)
}

/// A header's value, if it is one (RFC 9110, section 5.5, without its obsolete part). The error does not show
/// it.
pub(super) fn check_value(value: &str) -> Checked<Secret> {
    let is_allowed = |c: char| c == '\t' || (' '..='~').contains(&c);
    match value.chars().position(|c| !is_allowed(c)) {
        None => Ok(Secret::new(value.trim())),
        Some(at) => Err(format!(
            "has a value (not shown) that no header can carry: its character number {} is not printable \
             ASCII; \
             check for a line break at its end",
            at + 1
        )),
    }
}

/// Reads `name=value,name2=value2` with percent-decoded values, as `OTEL_EXPORTER_OTLP_HEADERS` gives it.
///
/// Everything after the first `=` is value, a semicolon too: the specification of the variable leaves out the
/// properties of the W3C baggage header.
pub(super) fn parse_list(list: &str) -> Checked<Headers> {
    let mut headers = Headers::default();
    for (n, entry) in list.split(',').enumerate().filter(|(_, entry)| !entry.trim().is_empty()) {
        let entry_number = n + 1;
        let Some((name, value)) = entry.split_once('=') else {
            return Err(format!(
                "entry {entry_number} (not shown) has no \"=\"; write name=value,name2=value2"
            ));
        };
        let name = check_name(name.trim()).map_err(|message| format!("entry {entry_number} {message}"))?;
        let value = percent::decode(value.trim())
            .map_err(|message| format!("the value of {name:?} (not shown) {message}"))?;
        let value = check_value(&value).map_err(|message| format!("the header {name:?} {message}"))?;
        headers.set(name, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(headers: &Headers) -> Vec<(&str, &str)> {
        headers.iter().map(|(name, value)| (name, value.expose())).collect()
    }

    #[test]
    fn a_list_is_split_at_commas_and_at_the_first_equals_sign() {
        let cases: [(&str, &[(&str, &str)]); 8] = [
            ("a=1", &[("a", "1")]),
            ("Authorization=Bearer a=b,X-Dataset=d", &[("authorization", "Bearer a=b"), ("x-dataset", "d")]),
            ("Authorization=Basic%20dTpw", &[("authorization", "Basic dTpw")]),
            (" a = 1 , b = 2 ", &[("a", "1"), ("b", "2")]),
            ("a=1,,b=2,", &[("a", "1"), ("b", "2")]),
            ("a=", &[("a", "")]),
            ("a=1;q=2", &[("a", "1;q=2")]),
            ("a=1,A=2", &[("a", "2")]),
        ];
        for (list, expected) in cases {
            assert_eq!(plain(&parse_list(list).unwrap()), expected, "{list}");
        }
    }

    #[test]
    fn a_bad_list_says_which_entry_and_never_shows_a_value() {
        let cases = [
            ("s3cret", "entry 1 (not shown) has no \"=\"; write name=value,name2=value2"),
            ("a=1,=s3cret", "entry 2 has a header without a name"),
            (
                "Authorization: Bearer s3cret==",
                "entry 1 has a header whose name begins \"Authorization\" and then has the character ':', \
                 which no header's name may have; give name and value apart",
            ),
            (
                "a=s3cret%",
                "the value of \"a\" (not shown) has a % without two hexadecimal digits after it; \
                 write %25 for the character %",
            ),
            (
                "a=s3cret%0A",
                "the header \"a\" has a value (not shown) that no header can carry: its character number 7 \
                 is not \
                 printable ASCII; check for a line break at its end",
            ),
            (
                "Content-Type=s3cret",
                "entry 1 sets the header \"content-type\", which belongs to the push itself; leave it out",
            ),
        ];
        for (list, message) in cases {
            let error = parse_list(list).unwrap_err();
            assert_eq!(error, message, "{list}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn only_tokens_are_names_and_only_printable_ascii_is_a_value() {
        for name in ["x", "X-Scope-OrgID", "dd-api-key", "a.b_c~!"] {
            assert_eq!(check_name(name), Ok(name.to_ascii_lowercase()));
        }
        for name in ["", "a b", "a:b", "ü", "a\n", "(a)", "a\"b"] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
        assert_eq!(check_value("  a\tb  ").unwrap().expose(), "a\tb");
        for value in ["a\r\nb", "ü", "\u{7f}", "\0"] {
            assert!(check_value(value).is_err(), "{value:?}");
        }
    }

    #[test]
    fn a_higher_layer_replaces_header_by_header() {
        let given = |list| GivenHeaders::at(parse_list(list).unwrap(), &Place::named(list));
        let both = given("b=3,c=4").over(given("a=1,b=2"));
        assert_eq!(plain(&both.values()), [("a", "1"), ("b", "3"), ("c", "4")]);
    }
}
