//! The licence of a crate, as SPDX expressions have it: <https://spdx.github.io/spdx-spec/v3.0/annexes/spdx-license-expressions/>.

/// What somebody who uses the crate has to keep.
#[derive(Debug, PartialEq)]
pub(super) enum Expression {
    /// A licence, with the exception that it is given with.
    One(String),
    Any(Vec<Expression>),
    All(Vec<Expression>),
}

impl Expression {
    /// Reads an expression; a `/`, as older crates write it, is an `OR`.
    pub(super) fn parse(text: &str) -> Result<Expression, String> {
        let spaced = text.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
        let mut words = spaced.split_whitespace().peekable();
        let expression = any(&mut words, 0)?;
        match words.next() {
            None => Ok(expression),
            Some(word) => Err(format!("goes on with {word:?}")),
        }
    }

    /// Whether keeping these licences is enough.
    pub(super) fn holds(&self, allowed: &[&str]) -> bool {
        match self {
            Expression::One(name) => allowed.contains(&name.as_str()),
            Expression::Any(of) => of.iter().any(|one| one.holds(allowed)),
            Expression::All(of) => of.iter().all(|one| one.holds(allowed)),
        }
    }
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any(words: &mut Words<'_>, depth: usize) -> Result<Expression, String> {
    let mut of = vec![all(words, depth)?];
    while words.next_if_eq(&"OR").is_some() {
        of.push(all(words, depth)?);
    }
    Ok(if of.len() == 1 { of.remove(0) } else { Expression::Any(of) })
}

fn all(words: &mut Words<'_>, depth: usize) -> Result<Expression, String> {
    let mut of = vec![one(words, depth)?];
    while words.next_if_eq(&"AND").is_some() {
        of.push(one(words, depth)?);
    }
    Ok(if of.len() == 1 { of.remove(0) } else { Expression::All(of) })
}

fn one(words: &mut Words<'_>, depth: usize) -> Result<Expression, String> {
    match words.next() {
        // No licence is nested any deeper; the stack has an end.
        Some("(") if depth < 16 => {
            let inside = any(words, depth + 1)?;
            words.next_if_eq(&")").ok_or("has no `)` for its `(`")?;
            Ok(inside)
        }
        None => Err("names none".to_owned()),
        Some(word @ ("(" | ")" | "OR" | "AND" | "WITH")) => Err(format!("has {word:?} where a name belongs")),
        Some(name) if words.next_if_eq(&"WITH").is_some() => {
            let exception = words.next().ok_or("names no exception")?;
            Ok(Expression::One(format!("{name} WITH {exception}")))
        }
        Some(name) => Ok(Expression::One(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_hold_by_what_is_allowed() {
        let cases = [
            ("MIT", true),
            ("GPL-3.0", false),
            ("GPL-3.0 OR MIT", true),
            ("GPL-3.0/MIT", true),
            ("MIT AND GPL-3.0", false),
            ("MIT AND ISC", true),
            ("GPL-3.0 AND MIT OR ISC", true),
            ("GPL-3.0 AND (MIT OR ISC)", false),
            ("(MIT OR GPL-3.0) AND ISC", true),
            ("ISC WITH LLVM-exception", false),
        ];
        for (text, holds) in cases {
            assert_eq!(Expression::parse(text).unwrap().holds(&["MIT", "ISC"]), holds, "{text}");
        }
    }

    #[test]
    fn what_is_no_expression_is_an_error() {
        let deep = "(".repeat(100_000);
        for text in ["", "MIT OR", "(MIT", "MIT)", "AND", "MIT ISC", "MIT WITH", &deep] {
            assert!(Expression::parse(text).is_err(), "{text:.20}");
        }
    }
}
