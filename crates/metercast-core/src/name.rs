//! The rule of instrument names, checked once: when a metric is declared, or when a call site is first used.

/// What is wrong with an instrument name, or `None` if nothing is.
///
/// OpenTelemetry metrics API, "Instrument name syntax": a letter, then up to 254 of letters, digits and `_ . - /`.
pub const fn instrument_name_fault(name: &str) -> Option<&'static str> {
    let bytes = name.as_bytes();
    if bytes.is_empty() {
        return Some("is empty; give it a name such as \"orders.placed\"");
    }
    if bytes.len() > 255 {
        return Some("is longer than 255 bytes; shorten it");
    }
    if !bytes[0].is_ascii_alphabetic() {
        return Some("does not begin with a letter; begin it with one of A-Z a-z");
    }
    let mut at = 0;
    while at < bytes.len() {
        if !(bytes[at].is_ascii_alphanumeric() || matches!(bytes[at], b'_' | b'.' | b'-' | b'/')) {
            return Some("has a character other than letters, digits and _ . - /; replace it");
        }
        at += 1;
    }
    None
}

/// Fails the build of a declared metric whose name is not valid.
#[track_caller]
pub(crate) const fn assert_instrument_name(name: &str) {
    if let Some(fault) = instrument_name_fault(name) {
        panic!("{}", fault);
    }
}

/// Fails the build of a declared metric one of whose labels has no name, or the name of another.
#[track_caller]
pub(crate) const fn assert_label_names(names: &[&str]) {
    let mut at = 0;
    while at < names.len() {
        assert!(!names[at].is_empty(), "a label has no name; give it one");
        let mut before = 0;
        while before < at {
            assert!(!same(names[before], names[at]), "two labels have one name; rename one");
            before += 1;
        }
        at += 1;
    }
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

#[cfg(test)]
mod tests {
    use super::instrument_name_fault;

    #[test]
    fn names_follow_the_syntax_of_the_specification() {
        let longest = "a".repeat(255);
        for good in ["a", "orders.placed", "http.server.request.duration", "A_b-c/d.9", &longest] {
            assert_eq!(instrument_name_fault(good), None, "{good}");
        }
        let too_long = "a".repeat(256);
        for bad in ["", "9a", "_a", ".a", "a b", "a\n", "a\"", "é", "aé", &too_long] {
            assert!(instrument_name_fault(bad).is_some(), "{bad:?}");
        }
    }
}
