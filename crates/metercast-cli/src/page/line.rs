//! One line of a page, in Prometheus' text formats and OpenMetrics, forgiving as a scraper is.

/// The labels of a series, sorted by their keys.
pub(crate) type Labels = Box<[(String, String)]>;

/// What a line says.
#[derive(Debug, PartialEq)]
pub(crate) enum Line {
    /// Nothing that counts: it is empty or a comment.
    Nothing,
    /// `# HELP`.
    Help(String, String),
    /// `# TYPE`.
    Kind(String, String),
    /// `# UNIT`.
    Unit(String, String),
    /// `# EOF`.
    End,
    /// A value.
    Sample { name: String, labels: Labels, value: f64 },
}

/// Reads a line without its end.
///
/// # Errors
///
/// What is wrong with it, to be said behind the number of the line.
pub(crate) fn read(line: &str) -> Result<Line, &'static str> {
    let line = line.trim_matches([' ', '\t', '\r']);
    if line.is_empty() {
        return Ok(Line::Nothing);
    }
    if let Some(comment) = line.strip_prefix('#') {
        return Ok(self::comment(comment));
    }
    sample(line)
}

fn comment(comment: &str) -> Line {
    if comment == " EOF" {
        return Line::End;
    }
    let comment = comment.trim_start_matches([' ', '\t']);
    let (word, rest) = split_blank(comment);
    let Some(make) = (match word {
        "HELP" => Some(Line::Help as fn(String, String) -> Line),
        "TYPE" => Some(Line::Kind as _),
        "UNIT" => Some(Line::Unit as _),
        _ => None,
    }) else {
        return Line::Nothing;
    };
    let (name, text) = match rest.strip_prefix('"').map(quoted) {
        Some(Ok((name, rest))) => (name, rest.trim_start_matches([' ', '\t'])),
        Some(Err(_)) => return Line::Nothing,
        None => {
            let (name, text) = split_blank(rest);
            (name.to_owned(), text)
        }
    };
    let text = if word == "HELP" { unescaped(text) } else { text.to_owned() };
    if name.is_empty() { Line::Nothing } else { make(name, text) }
}

fn sample(line: &str) -> Result<Line, &'static str> {
    let end = line.find(['{', ' ', '\t']).ok_or("has no value")?;
    let (mut name, mut rest) = (line[..end].to_owned(), &line[end..]);
    let mut labels = Vec::new();
    if let Some(inside) = rest.trim_start_matches([' ', '\t']).strip_prefix('{') {
        rest = self::labels(inside, &mut name, &mut labels)?;
    }
    if name.is_empty() {
        return Err("has no name");
    }
    labels.sort();
    if labels.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err("has a label twice");
    }
    let (value, rest) = split_blank(rest.trim_start_matches([' ', '\t']));
    if value.is_empty() {
        return Err("has no value");
    }
    let value = number(value).ok_or("has a value that is no number")?;
    // A time and exemplars may follow, which nobody here asks for.
    let (time, rest) = split_blank(rest);
    let ends_well = time.is_empty()
        || time.starts_with('#')
        || (number(time).is_some() && (rest.is_empty() || rest.starts_with('#')));
    if !ends_well {
        return Err("goes on behind its value");
    }
    Ok(Line::Sample { name, labels: labels.into(), value })
}

/// Reads labels up to the closing brace, among which the name may stand in quotes, and returns what follows.
fn labels<'a>(
    mut rest: &'a str,
    name: &mut String,
    labels: &mut Vec<(String, String)>,
) -> Result<&'a str, &'static str> {
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        if let Some(rest) = rest.strip_prefix('}') {
            return Ok(rest);
        }
        let key = match rest.strip_prefix('"') {
            Some(inside) => {
                let (key, after) = quoted(inside)?;
                rest = after;
                key
            }
            None => {
                let end = rest.find(['=', ' ', '\t', ',', '}']).ok_or("has labels that do not end")?;
                let key = rest[..end].to_owned();
                rest = &rest[end..];
                key
            }
        };
        rest = rest.trim_start_matches([' ', '\t']);
        match rest.strip_prefix('=') {
            Some(after) => {
                let after = after.trim_start_matches([' ', '\t']);
                let (value, after) = quoted(after.strip_prefix('"').ok_or("has a label without a value")?)?;
                // What is empty is as good as not there.
                if !value.is_empty() {
                    labels.push((key, value));
                }
                rest = after;
            }
            // Quoted and without a value it is the name.
            None if name.is_empty() && labels.is_empty() && !key.is_empty() => *name = key,
            None => return Err("has a label without a value"),
        }
        rest = rest.trim_start_matches([' ', '\t']);
        rest = match rest.strip_prefix(',') {
            Some(next) => next,
            None if rest.starts_with('}') => rest,
            None => return Err("has labels that do not end"),
        };
    }
}

/// A text up to the closing quote, and what follows it.
fn quoted(inside: &str) -> Result<(String, &str), &'static str> {
    let mut from = 0;
    let end = loop {
        let at = from + inside[from..].find(['"', '\\']).ok_or("has a text that does not end")?;
        if inside[at..].starts_with('"') {
            break at;
        }
        // Whatever is escaped ends nothing.
        from = at + 1 + inside[at + 1..].chars().next().map_or(0, char::len_utf8);
    };
    Ok((unescaped(&inside[..end]), &inside[end + 1..]))
}

fn unescaped(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut runes = text.chars();
    while let Some(rune) = runes.next() {
        match (rune, rune == '\\') {
            (_, false) => plain.push(rune),
            _ => match runes.next() {
                Some('n') => plain.push('\n'),
                Some(escaped @ ('\\' | '"')) => plain.push(escaped),
                other => plain.extend(std::iter::once('\\').chain(other)),
            },
        }
    }
    plain
}

/// A number as the format spells it.
pub(crate) fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

fn split_blank(text: &str) -> (&str, &str) {
    match text.split_once([' ', '\t']) {
        Some((word, rest)) => (word, rest.trim_start_matches([' ', '\t'])),
        None => (text, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(name: &str, labels: &[(&str, &str)], value: f64) -> Line {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Line::Sample { name: name.to_owned(), labels, value }
    }

    #[test]
    fn samples_are_read_however_they_are_spaced_and_quoted() {
        for (line, expected) in [
            ("a 1", sample("a", &[], 1.0)),
            ("a{} +Inf", sample("a", &[], f64::INFINITY)),
            ("\ta\t1e3 1395066363000\r", sample("a", &[], 1000.0)),
            ("a { b = \"c\" , } 1", sample("a", &[("b", "c")], 1.0)),
            (
                "a{z=\"1\",b=\"x\\\\y\\\"z\\nd{}, e\\t\"} -1",
                sample("a", &[("b", "x\\y\"z\nd{}, e\\t"), ("z", "1")], -1.0),
            ),
            ("{\"a.b c\",\"k.l\"=\"v\"} 2", sample("a.b c", &[("k.l", "v")], 2.0)),
            ("a{empty=\"\"} 2", sample("a", &[], 2.0)),
            ("a_bucket{le=\"1\"} 3 # {trace_id=\"x\"} 0.5 1.5", sample("a_bucket", &[("le", "1")], 3.0)),
            ("a_total 3 1.5 # {} 0.5", sample("a_total", &[], 3.0)),
        ] {
            assert_eq!(read(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn comments_say_what_follows_or_nothing() {
        let two =
            |make: fn(String, String) -> Line, name: &str, text: &str| make(name.to_owned(), text.to_owned());
        for (line, expected) in [
            ("", Line::Nothing),
            ("# a comment", Line::Nothing),
            ("#HELP a b", two(Line::Help, "a", "b")),
            ("# HELP a  two\\nlines", two(Line::Help, "a", "two\nlines")),
            ("# HELP a", two(Line::Help, "a", "")),
            ("# TYPE \"a.b\" counter", two(Line::Kind, "a.b", "counter")),
            ("# UNIT a seconds", two(Line::Unit, "a", "seconds")),
            ("# TYPE", Line::Nothing),
            ("# EOF", Line::End),
        ] {
            assert_eq!(read(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said() {
        for (line, fault) in [
            ("a", "has no value"),
            ("a{b=\"c\"}", "has no value"),
            ("{b=\"c\"} 1", "has no name"),
            ("a{b} 1", "has a label without a value"),
            ("a{b=c} 1", "has a label without a value"),
            ("a{b=\"c\" 1", "has labels that do not end"),
            ("a{b", "has labels that do not end"),
            ("a{b=\"c} 1", "has a text that does not end"),
            ("a{b=\"1\",b=\"2\"} 1", "has a label twice"),
            ("a one", "has a value that is no number"),
            ("a 1 2 3", "goes on behind its value"),
            ("<html lang=\"en\"> of a page", "has a value that is no number"),
        ] {
            assert_eq!(read(line), Err(fault), "{line}");
        }
    }
}
