//! The table of the services in `services/README.md`, with how many lines each takes.

/// A service in the table.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// So many lines, as it says.
    pub lines: usize,
}

/// The rows of a table whose first column is a link and whose last is a number.
pub fn rows(text: &str) -> Vec<Row> {
    text.lines().filter_map(row).collect()
}

/// The same text with other numbers.
pub fn with_lines(text: &str, lines: impl Fn(&str) -> usize) -> String {
    let line = |line: &str| match row(line) {
        Some(Row { name, .. }) => {
            let (rest, _) = line.trim_end_matches([' ', '|']).rsplit_once('|').expect("a row");
            format!("{rest}| {} |\n", lines(&name))
        }
        None => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

fn row(line: &str) -> Option<Row> {
    let name = line.strip_prefix("| [")?.split(']').next()?.to_owned();
    let lines = line.trim_end_matches([' ', '|']).rsplit('|').next()?.trim().parse().ok()?;
    Some(Row { name, lines })
}
