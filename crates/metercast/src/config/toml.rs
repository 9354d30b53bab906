//! TOML text as a tree.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::Findings;

use super::place::Place;
use super::tree::{Node, Value};

/// The most errors of syntax that are described: one that is mended often mends those behind it.
const MOST_ERRORS: usize = 10;

/// Reads TOML. If its syntax is wrong the first such errors become problems and nothing is returned: what is
/// left of a broken file would seem to lack things.
///
/// The parser's own way of printing an error is not used: it quotes the line, and there may be a secret on
/// it.
pub(super) fn parse(text: &str, file: &Place, findings: &mut Findings) -> Vec<(String, Node)> {
    let lines = Lines::of(text);
    let (table, mut errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return entries(table.into_inner(), &lines);
    }
    errors.sort_by_key(|error| error.span().map(|span| span.start));
    findings.more_problems(errors.len().saturating_sub(MOST_ERRORS));
    for error in errors.into_iter().take(MOST_ERRORS) {
        let place = error.span().map_or_else(|| file.clone(), |span| file.on_line(lines.at(span.start)));
        findings.problem(&place, format!("is not TOML: {}", error.message()));
    }
    Vec::new()
}

fn entries(table: DeTable<'_>, lines: &Lines) -> Vec<(String, Node)> {
    let mut entries: Vec<_> = table.into_iter().collect();
    // The parser sorts by key; problems are easier to mend from top to bottom.
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
        .into_iter()
        .map(|(key, value)| {
            let line = lines.at(key.span().start);
            (key.into_inner().into_owned(), Node::new(line, node_value(value, lines)))
        })
        .collect()
}

fn node_value(value: Spanned<DeValue<'_>>, lines: &Lines) -> Value {
    match value.into_inner() {
        DeValue::String(text) => Value::String(text.into_owned()),
        DeValue::Boolean(truth) => Value::Bool(truth),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Integer(number),
            Err(_) => Value::Other("an integer beyond 64 bits"),
        },
        DeValue::Float(number) => match number.as_str().parse() {
            Ok(number) => Value::Float(number),
            Err(_) => Value::Other("a float that cannot be read"),
        },
        DeValue::Datetime(_) => Value::Other("a date or time"),
        DeValue::Array(values) => Value::List(
            values
                .into_iter()
                .map(|value| Node::new(lines.at(value.span().start), node_value(value, lines)))
                .collect(),
        ),
        DeValue::Table(table) => Value::Table(entries(table, lines)),
    }
}

/// Where lines end.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at).collect())
    }

    /// The line of a byte, counted from 1.
    fn at(&self, byte: usize) -> usize {
        self.0.partition_point(|end| *end < byte) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Vec<(String, Node)>, String) {
        let mut findings = Findings::default();
        let entries = parse(text, &Place::file("a.toml"), &mut findings);
        (entries, findings.finish(false).err().map(|error| error.to_string()).unwrap_or_default())
    }

    #[test]
    fn every_value_has_its_line_and_its_kind() {
        let text = "s = 'x'\nb = true\n\ni = 0x1_0\nf = -inf\r\nd = 2026-01-01\na = [\n1,\n]\n\
                    t = { u = 1e3 }\nn = 99999999999999999999\n[z.y]\n";
        let (entries, problems) = parsed(text);
        assert_eq!(problems, "");
        let seen: Vec<_> =
            entries.iter().map(|(key, node)| (key.as_str(), node.line, node.value.kind())).collect();
        assert_eq!(
            seen,
            [
                ("s", 1, "a string"),
                ("b", 2, "a boolean"),
                ("i", 4, "an integer"),
                ("f", 5, "a float"),
                ("d", 6, "a date or time"),
                ("a", 7, "an array"),
                ("t", 10, "a table"),
                ("n", 11, "an integer beyond 64 bits"),
                ("z", 12, "a table"),
            ]
        );
        assert!(matches!(entries[2].1.value, Value::Integer(16)));
        assert!(matches!(entries[3].1.value, Value::Float(f) if f == f64::NEG_INFINITY));
    }

    #[test]
    fn errors_of_syntax_have_their_lines_and_show_no_text() {
        let (_, problems) = parsed("a = 1\na = 2\nb = \"s3cret\nc = 3\n[d\n");
        assert!(
            problems.starts_with("a.toml:2: is not TOML: duplicate key\na.toml:3: is not TOML: "),
            "{problems}"
        );
        assert!(problems.contains("\na.toml:5: is not TOML: "), "{problems}");
        assert!(!problems.contains("s3cret"), "{problems}");
    }

    #[test]
    fn of_many_errors_of_syntax_the_first_are_described() {
        let (_, problems) = parsed(&"]]]]\n".repeat(10_000));
        assert_eq!(problems.lines().count(), MOST_ERRORS + 1);
        assert!(problems.ends_with(" more"), "{problems}");
    }
}
