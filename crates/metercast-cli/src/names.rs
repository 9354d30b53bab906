//! Which metrics a query asks Prometheus for.

/// What stands before a list of labels in parentheses.
const LISTS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];

/// Words that are no metrics although no parenthesis need follow.
const WORDS: [&str; 24] = [
    "and",
    "or",
    "unless",
    "atan2",
    "bool",
    "offset",
    "inf",
    "nan",
    "sum",
    "min",
    "max",
    "avg",
    "group",
    "stddev",
    "stdvar",
    "count",
    "count_values",
    "bottomk",
    "topk",
    "quantile",
    "limitk",
    "limit_ratio",
    "start",
    "end",
];

/// The names of all metrics in a query that Prometheus takes, sorted, each once. What is asked for by an expression on the name is not among
/// them.
pub(crate) fn names(query: &str) -> Vec<String> {
    let mut rest = query;
    let mut found = Vec::new();
    while let Some(first) = rest.chars().next() {
        rest = match first {
            '"' | '\'' | '`' => text(rest).1,
            '#' => rest.split_once('\n').map_or("", |(_, rest)| rest),
            '[' => rest.split_once(']').map_or("", |(_, rest)| rest),
            '{' => matchers(&rest[1..], &mut found),
            // A number, or a duration.
            '0'..='9' | '.' => rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '.'),
            c if is_part(c) => word(rest, &mut found),
            c => &rest[c.len_utf8()..],
        };
    }
    found.sort();
    found.dedup();
    found
}

fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == ':'
}

/// What is behind a word, which is a metric unless it is something else.
fn word<'a>(rest: &'a str, found: &mut Vec<String>) -> &'a str {
    let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    let (word, after) = rest.split_at(end);
    let lower = word.to_ascii_lowercase();
    let opens = after.trim_start().strip_prefix('(');
    match opens {
        Some(list) if LISTS.contains(&&*lower) => list.split_once(')').map_or("", |(_, rest)| rest),
        // A function.
        Some(_) => after,
        None if WORDS.contains(&&*lower) || LISTS.contains(&&*lower) => after,
        None => {
            found.push(word.to_owned());
            after
        }
    }
}

/// What is behind the braces. A text in them that no operator follows is a name; so is what `__name__` is.
fn matchers<'a>(mut rest: &'a str, found: &mut Vec<String>) -> &'a str {
    let mut label = "";
    while let Some(first) = rest.chars().next() {
        match first {
            '}' => return &rest[1..],
            '"' | '\'' | '`' => {
                let (value, after) = text(rest);
                rest = after;
                let is_alone = label.is_empty() && after.trim_start().starts_with([',', '}']);
                if is_alone || label == "__name__=" {
                    found.push(value);
                }
            }
            ',' => {
                label = "";
                rest = &rest[1..];
            }
            c if is_part(c) => {
                let end = rest.find([',', '}', '"', '\'', '`']).unwrap_or(rest.len());
                (label, rest) = rest.split_at(end);
                label = label.trim();
            }
            // An operator behind a label in quotes.
            '=' | '!' | '~' => {
                label = "quoted";
                rest = &rest[1..];
            }
            c => rest = &rest[c.len_utf8()..],
        }
    }
    rest
}

/// A text in quotes, and what is behind it.
fn text(rest: &str) -> (String, &str) {
    let mut characters = rest.char_indices();
    let quote = characters.next().map_or('"', |(_, quote)| quote);
    let mut value = String::new();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' if quote != '`' => value.extend(characters.next().map(|(_, c)| c)),
            c if c == quote => return (value, &rest[at + c.len_utf8()..]),
            c => value.push(c),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_found_and_nothing_else() {
        for (query, expected) in [
            ("up", &["up"][..]),
            ("sum by (le, code) (rate(a_bucket{job=~\"x|y\"}[5m])) / b", &["a_bucket", "b"]),
            ("sum without(a) (b) and on (c) d unless ignoring(e) group_left(f) g", &["b", "d", "g"]),
            ("sum(a) by (b) > bool 0x1F or vector(1e5) offset 5m", &["a"]),
            ("Sum(a) AND b OR topk(3, c) ^ NaN + Inf", &["a", "b", "c"]),
            ("max_over_time(a[1h:5m] offset 1d) @ end()", &["a"]),
            ("{\"a.b\", job=\"c\"} * {__name__=\"d\"} * {__name__=~\"e.*\", f=\"g\"}", &["a.b", "d"]),
            ("{job=\"c\", 'a.b'} + {\"l.m\"=\"n\", \"a.c\"}", &["a.b", "a.c"]),
            ("a{b=\"}c{\", d='\\'', e=`\\`} # f\n+ g:h:rate5m", &["a", "g:h:rate5m"]),
            ("label_replace(a, \"b\", \"c\", \"d\", \"e\")", &["a"]),
            ("count_values(\"v\", a)", &["a"]),
            ("-1.5e3 * a ^ -b", &["a", "b"]),
            ("by", &[]),
            ("{", &[]),
            ("\"", &[]),
        ] {
            assert_eq!(names(query), expected, "{query}");
        }
    }
}
