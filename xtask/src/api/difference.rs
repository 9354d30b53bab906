//! What is other between two lists, and whether it breaks what others have built.
//!
//! What is gone or reads otherwise is taken to break somebody, since a line does not say that its new type is a wider one. What is new
//! breaks those who wrote down all that there was: who implements a trait, matches an enum or fills a struct.

use std::collections::BTreeSet;
use std::fmt;

use super::list::{List, REQUIRED, SEALED, WHOLE};

const NOT_ALL: &str = "#[non_exhaustive] ";

/// What is other, line by line.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Difference {
    pub(super) breaking: Vec<Change>,
    pub(super) additive: Vec<Change>,
}

/// One item that is other.
#[derive(Debug, PartialEq)]
pub(super) enum Change {
    Gone(String),
    Other { was: String, is: String },
    New(String),
}

impl Difference {
    pub(super) fn between(was: &List, is: &List) -> Difference {
        let (old, new): (BTreeSet<_>, BTreeSet<_>) = (was.lines.iter().collect(), is.lines.iter().collect());
        let mut added: Vec<_> = is.lines.iter().filter(|line| !old.contains(line)).collect();
        let mut difference = Difference::default();
        for line in was.lines.iter().filter(|line| !new.contains(line)) {
            let of = path(line);
            let same = added.iter().position(|other| of.is_some() && path(other) == of);
            match same.map(|at| added.remove(at)) {
                None => difference.breaking.push(Change::Gone(line.clone())),
                Some(other) => {
                    let change = Change::Other { was: line.clone(), is: other.clone() };
                    if is_looser(line, other) { &mut difference.additive } else { &mut difference.breaking }
                        .push(change);
                }
            }
        }
        for line in added {
            let change = Change::New(line.clone());
            if asks_for_more(line, &was.lines) { &mut difference.breaking } else { &mut difference.additive }
                .push(change);
        }
        difference
    }

    pub(super) fn is_empty(&self) -> bool {
        self.breaking.is_empty() && self.additive.is_empty()
    }

    pub(super) fn is_breaking(&self) -> bool {
        !self.breaking.is_empty()
    }

    /// For people: each change with what it does to others.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        let breaking = self.breaking.iter().map(|change| format!("breaking {change}"));
        breaking.chain(self.additive.iter().map(|change| format!("additive {change}")))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} breaking, {} additive", self.breaking.len(), self.additive.len())
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Gone(line) => write!(f, "gone   {line}"),
            Change::Other { was, is } => write!(f, "was    {was}\n         now    {is}"),
            Change::New(line) => write!(f, "new    {line}"),
        }
    }
}

/// Whether all that was possible is possible still.
fn is_looser(was: &str, is: &str) -> bool {
    was.replacen("pub fn ", "pub const fn ", 1) == is
        || was.strip_prefix(NOT_ALL) == Some(is)
        || was.strip_suffix(REQUIRED) == Some(is)
        || was.strip_suffix(SEALED) == Some(is)
        || is.strip_suffix(WHOLE) == Some(was)
}

/// Whether a new line is a part of something that others had to write down whole.
fn asks_for_more(line: &str, was: &[String]) -> bool {
    let Some(of) = path(line) else { return false };
    let Some((parent, _)) = of.rsplit_once("::") else { return false };
    let parents = was.iter().filter(|other| path(other).as_deref() == Some(parent));
    let mut parents = parents.map(|parent| (kind(parent), parent));
    if line.ends_with(REQUIRED) {
        return parents.any(|(kind, parent)| kind == "trait" && !parent.ends_with(SEALED));
    }
    // Variants and fields are what has no kind.
    kind(line).is_empty()
        && parents.any(|(kind, parent)| match kind {
            "enum" | "" => !parent.starts_with(NOT_ALL),
            "struct" => parent.ends_with(WHOLE),
            _ => false,
        })
}

/// What stands between `pub` and the name.
const KINDS: [&str; 15] = [
    "const", "async", "unsafe", "static", "mut", "fn", "struct", "enum", "union", "trait", "mod", "macro",
    "use", "type", "auto",
];

/// The words of a line before its name, and what follows them. Nothing for what has no name, such as an implementation.
fn head(line: &str) -> Option<(&str, &str)> {
    let mut rest = line;
    while let Some(attribute) = rest.strip_prefix("#[") {
        rest = attribute.split_once("] ")?.1;
    }
    rest = rest.strip_prefix("pub ")?;
    let mut last = "";
    while let Some((word, behind)) = rest.split_once(' ') {
        if !KINDS.contains(&word) {
            break;
        }
        (last, rest) = (word, behind);
    }
    Some((last, rest))
}

fn kind(line: &str) -> &str {
    head(line).map_or("", |(kind, _)| kind)
}

/// The name of an item with its modules, without generics.
fn path(line: &str) -> Option<String> {
    let (_, rest) = head(line)?;
    let (mut path, mut depth, mut before) = (String::new(), 0, ' ');
    let mut rest = rest.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '<' => depth += 1,
            '>' if before != '-' => depth -= 1,
            _ if depth > 0 => {}
            ':' if rest.next_if_eq(&':').is_some() => path.push_str("::"),
            ':' | '(' | ' ' | '=' => break,
            c => path.push(c),
        }
        before = c;
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_an_item_is_found_whatever_stands_around_it() {
        for (line, kind, path) in [
            ("pub fn a::b::<impl a::T>::run(u64) -> bool", "fn", "a::b::::run"),
            ("pub fn a::Own<T>::map<F: core::ops::Fn(T) -> U, U>(self, F) -> a::Own<U>", "fn", "a::Own::map"),
            ("#[non_exhaustive] #[repr(u8)] pub enum a::Kind", "enum", "a::Kind"),
            ("pub a::Kind::Two(u64)", "", "a::Kind::Two"),
            ("pub a::Own::field: a::b::Type", "", "a::Own::field"),
            ("pub const unsafe fn a::f()", "fn", "a::f"),
            ("pub type a::Own<'a>::Out = u8", "type", "a::Own::Out"),
            ("pub macro a::counter!", "macro", "a::counter!"),
            ("pub trait a::Observe: a::Base + core::marker::Send (sealed)", "trait", "a::Observe"),
        ] {
            assert_eq!((super::kind(line), super::path(line).as_deref()), (kind, Some(path)), "{line}");
        }
        assert_eq!(path("impl<T> core::clone::Clone for a::Own<T>"), None);
        assert_eq!(path("feature live"), None);
    }
}
