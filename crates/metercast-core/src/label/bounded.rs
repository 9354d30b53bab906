//! Labels for values that come from outside: a value is recorded as itself, or as the fallback of its label's type.

use std::fmt;
use std::ops::RangeInclusive;

use super::value::{AsLabel, Value, ValueRef};

/// What is recorded of a value that came from outside: itself, or the fallback of the label's type. Made by the `of`
/// of a type that [`labels!`](crate::labels) declares, and taken by the call-site macros as the value of a label.
///
/// ```
/// use metercast_core::labels;
///
/// labels! { range Status { 100..=599 } else "invalid" }
///
/// assert_eq!(Status::of(200).to_string(), "200");
/// assert_eq!(Status::of(0).to_string(), "invalid");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounded<'a>(ValueRef<'a>);

impl<'a> Bounded<'a> {
    #[doc(hidden)]
    pub const fn text(text: &'a str) -> Bounded<'a> {
        Bounded(ValueRef::String(text))
    }

    #[doc(hidden)]
    pub const fn value(self) -> ValueRef<'a> {
        self.0
    }
}

impl AsLabel for Bounded<'_> {
    fn as_label(&self) -> ValueRef<'_> {
        self.0
    }
}

impl fmt::Display for Bounded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Bounded<'_>> for Value {
    fn from(value: Bounded<'_>) -> Value {
        match value.0 {
            ValueRef::I64(value) => Value::from(value),
            // Nothing else is ever bounded.
            other => Value::from(other.to_string()),
        }
    }
}

/// Fails the build if these cannot be the values of a `one_of`, the last of which is the fallback.
#[doc(hidden)]
#[track_caller]
pub const fn assert_one_of(values: &[&str]) {
    if let Some(fault) = one_of_fault(values) {
        panic!("{}", fault);
    }
}

/// The whole numbers that a `range` lets through.
#[doc(hidden)]
#[derive(Debug)]
pub struct Ranges {
    ranges: &'static [RangeInclusive<i64>],
    fallback: &'static str,
}

impl Ranges {
    /// Fails the build if there is none, or nothing in one of them.
    #[track_caller]
    pub const fn new(ranges: &'static [RangeInclusive<i64>], fallback: &'static str) -> Ranges {
        if let Some(fault) = ranges_fault(ranges) {
            panic!("{}", fault);
        }
        assert_fallback(fallback);
        Ranges { ranges, fallback }
    }

    /// The value if it is in one of the ranges, else the fallback; so too if it is no `i64`.
    #[inline]
    pub fn of(&self, value: impl TryInto<i64>) -> Bounded<'static> {
        match value.try_into() {
            Ok(value) if self.ranges.iter().any(|range| range.contains(&value)) => {
                Bounded(ValueRef::I64(value))
            }
            _ => Bounded::text(self.fallback),
        }
    }
}

/// The texts that a `pattern` lets through.
#[doc(hidden)]
#[derive(Debug)]
pub struct Pattern {
    /// Whether a byte is one of the characters, which are ASCII.
    allowed: [bool; 256],
    least: usize,
    most: usize,
    fallback: &'static str,
}

impl Pattern {
    /// Fails the build if no text can match, or if the characters do not say clearly which they are.
    #[track_caller]
    pub const fn new(characters: &str, length: RangeInclusive<usize>, fallback: &'static str) -> Pattern {
        let (least, most) = (*length.start(), *length.end());
        assert!(least <= most, "there is no length in the range; begin it with the smaller number");
        assert_fallback(fallback);
        match allowed(characters.as_bytes()) {
            Ok(allowed) => Pattern { allowed, least, most, fallback },
            Err(fault) => panic!("{}", fault),
        }
    }

    /// The text if its length and all its characters are allowed, else the fallback.
    #[inline]
    pub fn of<'a>(&self, text: &'a str) -> Bounded<'a> {
        let matches = (self.least..=self.most).contains(&text.len())
            && text.bytes().all(|byte| self.allowed[usize::from(byte)]);
        Bounded::text(if matches { text } else { self.fallback })
    }
}

#[track_caller]
const fn assert_fallback(fallback: &str) {
    assert!(!fallback.is_empty(), "the fallback is empty; name it, such as \"other\"");
}

const fn one_of_fault(values: &[&str]) -> Option<&'static str> {
    let [listed @ .., fallback] = values else { return Some("there is no fallback") };
    if listed.is_empty() {
        return Some(
            "the list is empty, so every text would be the fallback; list the texts that are recorded",
        );
    }
    if fallback.is_empty() {
        return Some("the fallback is empty; name it, such as \"other\"");
    }
    let mut at = 0;
    while at < listed.len() {
        if same(listed[at], fallback) {
            return Some(
                "the fallback is also in the list; take it out there, it is one of the values anyway",
            );
        }
        let mut before = 0;
        while before < at {
            if same(listed[before], listed[at]) {
                return Some("a text is in the list twice; take one out");
            }
            before += 1;
        }
        at += 1;
    }
    None
}

const fn ranges_fault(ranges: &[RangeInclusive<i64>]) -> Option<&'static str> {
    if ranges.is_empty() {
        return Some("there is no range; give at least one, such as 100..=599");
    }
    let mut at = 0;
    while at < ranges.len() {
        if *ranges[at].start() > *ranges[at].end() {
            return Some("there is no number in a range; begin it with the smaller one");
        }
        at += 1;
    }
    None
}

/// The characters of a bracket expression without its brackets (`a-z0-9_.-`), or what is wrong with it.
const fn allowed(characters: &[u8]) -> Result<[bool; 256], &'static str> {
    if characters.is_empty() {
        return Err("there are no characters; give some, such as \"a-z0-9_.-\"");
    }
    if matches!(characters[0], b'[' | b'^') && characters.len() > 1 {
        return Err(
            "the characters stand without brackets, and none are excluded; begin with another than [ and ^",
        );
    }
    let mut allowed = [false; 256];
    let mut at = 0;
    while at < characters.len() {
        let first = characters[at];
        let is_range = at + 2 < characters.len() && characters[at + 1] == b'-';
        let last = if is_range { characters[at + 2] } else { first };
        if !first.is_ascii() || !last.is_ascii() {
            return Err("a character is not ASCII; a pattern is for ASCII text alone");
        }
        if first == b'\\' || last == b'\\' {
            return Err(
                "there are no escapes and classes; write the characters themselves, and - as the first or last",
            );
        }
        let is_within = at != 0 && at + 1 != characters.len();
        if (is_range || is_within) && (first == b'-' || last == b'-') {
            return Err("a - among other characters says nothing clear; write it as the first or last");
        }
        if first > last {
            return Err("a range of characters is the wrong way round; begin it with the smaller one");
        }
        if is_range && alphabet(first) != alphabet(last) && alphabet(first) != 0 && alphabet(last) != 0 {
            return Err("a range goes from one alphabet to another; write one for each, such as A-Za-z0-9");
        }
        let mut byte = first;
        while byte <= last {
            allowed[byte as usize] = true;
            byte += 1;
        }
        at += if is_range { 3 } else { 1 };
    }
    Ok(allowed)
}

/// Which of digits, capitals and small letters it is; 0 if none.
const fn alphabet(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => 1,
        b'A'..=b'Z' => 2,
        b'a'..=b'z' => 3,
        _ => 0,
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
    use super::*;

    fn listed(characters: &str) -> Result<String, &'static str> {
        let allowed = allowed(characters.as_bytes())?;
        Ok((0..=255u8).filter(|byte| allowed[usize::from(*byte)]).map(char::from).collect())
    }

    #[test]
    fn characters_are_those_of_a_bracket_expression() {
        for (characters, expected) in [
            ("a", "a"),
            ("a-e", "abcde"),
            ("c-c", "c"),
            ("a-c0-2", "012abc"),
            ("a-c_.-", "-._abc"),
            ("-a-c", "-abc"),
            ("-", "-"),
            ("a-", "-a"),
            ("-a", "-a"),
            ("aab", "ab"),
            ("a^[]", "[]^a"),
            ("^", "^"),
            ("!-/", "!\"#$%&'()*+,-./"),
        ] {
            assert_eq!(listed(characters).as_deref(), Ok(expected), "{characters}");
        }
        assert_eq!(listed(" -~").map(|characters| characters.len()), Ok(95), "all that can be printed");
    }

    #[test]
    fn characters_that_say_nothing_clear_are_refused() {
        for (characters, fault) in [
            ("", "no characters"),
            ("z-a", "the wrong way round"),
            ("9-0", "the wrong way round"),
            ("A-z", "one alphabet to another"),
            ("0-z", "one alphabet to another"),
            ("[a-z]", "without brackets"),
            ("^a-z", "none are excluded"),
            ("\\w", "no escapes"),
            ("a-\\", "no escapes"),
            ("a-zé", "not ASCII"),
            ("a-é", "not ASCII"),
            ("a-c-e", "says nothing clear"),
            ("a-z-0-9", "says nothing clear"),
            ("--/", "says nothing clear"),
            ("+--", "says nothing clear"),
        ] {
            let found = listed(characters).expect_err(characters);
            assert!(found.contains(fault), "{characters}: {found}");
        }
    }

    #[test]
    fn a_list_names_each_text_once_and_not_the_fallback() {
        assert_eq!(one_of_fault(&["a", "b", "other"]), None);
        assert_eq!(
            one_of_fault(&["a", "ab", ""]).map(|fault| fault.contains("fallback is empty")),
            Some(true)
        );
        assert_eq!(one_of_fault(&["other"]).map(|fault| fault.contains("list is empty")), Some(true));
        assert_eq!(one_of_fault(&["a", "b", "a", "other"]).map(|fault| fault.contains("twice")), Some(true));
        assert_eq!(one_of_fault(&["a", "other", "other"]).map(|fault| fault.contains("also")), Some(true));
    }

    #[test]
    fn a_range_without_a_number_is_refused() {
        assert_eq!(ranges_fault(&[5..=5, -1..=1, i64::MIN..=i64::MAX]), None);
        assert!(ranges_fault(&[1..=2, RangeInclusive::new(2, 1)]).is_some());
        assert!(ranges_fault(&[]).is_some());
    }
}
