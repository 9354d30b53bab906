//! Units as UCUM writes them, case-sensitive.

/// Whether a unit is written by the rules of the Unified Code for Units of Measure (UCUM, section 2): known atoms with
/// prefixes, exponents, products, quotients, and annotations in braces.
pub(super) fn is_valid(unit: &str) -> bool {
    let mut rest = unit;
    !unit.is_empty() && unit.is_ascii() && term(&mut rest, 0) && rest.is_empty()
}

/// Whether it is a unit with a metric or binary prefix, such as `ms`; its unit without.
pub(super) fn without_prefix(unit: &str) -> Option<&str> {
    // The kilogram is a base unit.
    prefixed(unit).filter(|atom| *atom != "g")
}

fn prefixed(unit: &str) -> Option<&str> {
    if atom(unit).is_some() {
        return None;
    }
    let prefixes = PREFIXES.iter().chain(BINARY);
    prefixes.filter_map(|prefix| unit.strip_prefix(prefix)).find(|rest| atom(rest) == Some(true))
}

/// Deeper than this nobody writes.
const DEEPEST: usize = 16;

fn term(rest: &mut &str, depth: usize) -> bool {
    if depth > DEEPEST {
        return false;
    }
    if let Some(after) = rest.strip_prefix('/') {
        *rest = after;
    }
    loop {
        if !component(rest, depth) {
            return false;
        }
        match rest.strip_prefix(['.', '/']) {
            Some(after) => *rest = after,
            None => return true,
        }
    }
}

fn component(rest: &mut &str, depth: usize) -> bool {
    if let Some(after) = rest.strip_prefix('(') {
        *rest = after;
        let is_term = term(rest, depth + 1);
        return is_term && rest.strip_prefix(')').map(|after| *rest = after).is_some();
    }
    if rest.starts_with('{') {
        return annotation(rest);
    }
    let end = rest.find(['.', '/', '{', '(', ')', '}']).unwrap_or(rest.len());
    let (simple, after) = rest.split_at(end);
    *rest = after;
    is_simple(simple) && (!rest.starts_with('{') || annotation(rest))
}

fn annotation(rest: &mut &str) -> bool {
    let Some((text, after)) = rest[1..].split_once('}') else { return false };
    *rest = after;
    !text.contains('{')
}

/// A number, or a unit with a prefix and an exponent.
fn is_simple(simple: &str) -> bool {
    if simple.is_empty() {
        return false;
    }
    if simple.bytes().all(|byte| byte.is_ascii_digit()) {
        return true;
    }
    let without_exponent = simple.trim_end_matches(|c: char| c.is_ascii_digit());
    let without_sign = match without_exponent.strip_suffix(['-', '+']) {
        Some(unit) if without_exponent.len() < simple.len() => unit,
        _ => without_exponent,
    };
    [simple, without_sign].iter().any(|unit| atom(unit).is_some() || prefixed(unit).is_some())
}

/// Whether it is an atom, and then whether it takes prefixes.
fn atom(unit: &str) -> Option<bool> {
    if unit.len() > 2 && unit.starts_with('[') && unit.ends_with(']') {
        return Some(false);
    }
    if METRIC.contains(&unit) {
        return Some(true);
    }
    OTHERS.contains(&unit).then_some(false)
}

const METRIC: &[&str] = &[
    "m", "s", "g", "rad", "K", "C", "cd", "mol", "sr", "Hz", "N", "Pa", "J", "W", "A", "V", "F", "Ohm", "S",
    "Wb", "Cel", "T", "H", "lm", "lx", "Bq", "Gy", "Sv", "l", "L", "ar", "t", "bar", "u", "eV", "pc", "By",
    "bit", "Bd", "B", "Np", "kat", "dyn", "erg", "Ci", "Mx", "G", "P", "st", "cal", "U",
];

const OTHERS: &[&str] = &[
    "%", "10*", "10^", "deg", "'", "''", "min", "h", "d", "wk", "mo", "a", "gon", "atm", "bit_s", "AU",
    "B[V]", "B[W]",
];

const PREFIXES: &[&str] =
    &["Y", "Z", "E", "P", "T", "G", "M", "k", "h", "da", "d", "c", "m", "u", "n", "p", "f", "a", "z", "y"];

const BINARY: &[&str] = &["Ki", "Mi", "Gi", "Ti"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_the_conventions_are_valid_and_words_are_not() {
        for unit in [
            "1",
            "s",
            "ms",
            "By",
            "KiBy",
            "MiBy",
            "Cel",
            "%",
            "{request}",
            "{request}/s",
            "By/s",
            "m/s2",
            "10*3/ul",
            "1/min",
            "/min",
            "kg",
            "km/h",
            "s{cpu}",
            "J.s-1",
            "(m.s)/kg",
            "[ppm]",
            "us",
            "Hz",
            "100",
            "{thread}.s",
            "bit/s",
            "cm-1",
        ] {
            assert!(is_valid(unit), "{unit}");
        }
        for unit in [
            "", "seconds", "bytes", "request", "packets", "sec", "{open", "a}b", "s/", "()", "{a{b}}",
            "kilo", "µs", "EUR", "KB", "%s",
        ] {
            assert!(!is_valid(unit), "{unit}");
        }
        let many = "(".repeat(100_000);
        assert!(!is_valid(&many));
        for (unit, base) in
            [("ms", Some("s")), ("MiBy", Some("By")), ("s", None), ("min", None), ("cd", None), ("kg", None)]
        {
            assert_eq!(without_prefix(unit), base, "{unit}");
        }
    }
}
