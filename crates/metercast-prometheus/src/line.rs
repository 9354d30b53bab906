//! A line of a page in OpenMetrics text: a sample with its labels, its value and its exemplar.

use std::borrow::Cow;

/// A sample.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line<'a> {
    pub(crate) name: &'a str,
    pub(crate) labels: Labels<'a>,
    /// As it stands there.
    pub(crate) value: &'a str,
    pub(crate) exemplar: Option<ExemplarOf<'a>>,
}

/// Keys and values.
pub(crate) type Labels<'a> = Vec<(&'a str, Cow<'a, str>)>;

/// What stands behind a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ExemplarOf<'a> {
    pub(crate) labels: Labels<'a>,
    pub(crate) value: f64,
    /// In seconds since 1970.
    pub(crate) time: Option<f64>,
}

impl<'a> Line<'a> {
    /// The sample on a line; `None` if it is none.
    pub(crate) fn of(line: &'a str) -> Option<Line<'a>> {
        let end = line.find(['{', ' '])?;
        let (name, rest) = line.split_at(end);
        let (labels, rest) = labels(rest)?;
        let (sample, exemplar) = match rest.split_once(" # ") {
            Some((sample, exemplar)) => (sample, Some(ExemplarOf::of(exemplar)?)),
            None => (rest, None),
        };
        // No library of these writes when a sample was taken.
        let value = sample.strip_prefix(' ').filter(|value| !value.is_empty() && !value.contains(' '))?;
        (!name.is_empty()).then_some(Line { name, labels, value, exemplar })
    }
}

impl<'a> ExemplarOf<'a> {
    fn of(text: &'a str) -> Option<ExemplarOf<'a>> {
        let (labels, rest) = labels(text)?;
        let mut numbers = rest.strip_prefix(' ')?.split(' ').map(str::parse::<f64>);
        let (value, time) = (numbers.next()?.ok()?, numbers.next().transpose().ok()?);
        numbers.next().is_none().then_some(ExemplarOf { labels, value, time })
    }
}

/// The labels with which a text begins, if it does with any, and what comes behind them.
fn labels(text: &str) -> Option<(Labels<'_>, &str)> {
    let Some(mut rest) = text.strip_prefix('{') else { return Some((Vec::new(), text)) };
    let mut labels = Vec::new();
    loop {
        // There may be a comma too many, where an empty set stood.
        rest = rest.trim_start_matches(',');
        if let Some(behind) = rest.strip_prefix('}') {
            return Some((labels, behind));
        }
        let (key, value) = rest.split_once("=\"")?;
        let (value, behind) = value_of(value)?;
        labels.push((key, value));
        rest = behind;
    }
}

/// A value up to its quotation mark, and what comes behind that.
fn value_of(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let end = text.find(['"', '\\'])?;
    if text[end..].starts_with('"') {
        return Some((Cow::Borrowed(&text[..end]), &text[end + 1..]));
    }
    let mut value = text[..end].to_owned();
    let mut runes = text[end..].char_indices();
    while let Some((at, rune)) = runes.next() {
        match rune {
            '"' => return Some((Cow::Owned(value), &text[end + at + 1..])),
            '\\' => match runes.next()?.1 {
                'n' => value.push('\n'),
                escaped @ ('"' | '\\') => value.push(escaped),
                other => value.extend(['\\', other]),
            },
            rune => value.push(rune),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_read_with_all_that_is_on_their_line() {
        let plain = Line::of("up 1").unwrap();
        assert_eq!((plain.name, plain.labels.len(), plain.value, plain.exemplar), ("up", 0, "1", None));
        let line =
            Line::of(r#"a_bucket{x="1",y="a\"b\\c\nd # {",le="+Inf"} 5 # {trace_id="ab"} 0.5 1700000000.5"#)
                .unwrap();
        assert_eq!(line.labels[1], ("y", "a\"b\\c\nd # {".into()));
        assert_eq!((line.name, line.labels.len(), line.value), ("a_bucket", 3, "5"));
        let exemplar = line.exemplar.unwrap();
        assert_eq!(exemplar.labels, [("trace_id", "ab".into())]);
        assert_eq!((exemplar.value, exemplar.time), (0.5, Some(1_700_000_000.5)));
        assert_eq!(Line::of("a{,x=\"é\"} -inf").unwrap().labels, [("x", "é".into())]);
        assert_eq!(Line::of("a{} 1 # {} 2").unwrap().exemplar.unwrap().time, None);
    }

    #[test]
    fn what_is_no_sample_is_none() {
        for line in [
            "",
            "a",
            "a ",
            " 1",
            "{} 1",
            "a{x=\"1} 1",
            "a{x=1} 1",
            "a{x=\"1\"",
            "a{x=\"1\\",
            "a 1 2",
            "a 1 # 2",
            "a 1 # {} x",
            "a 1 # {} 1 2 3",
        ] {
            assert_eq!(Line::of(line), None, "{line:?}");
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic() {
        let runes: Vec<char> = "a{}=\"\\, #1é\n".chars().collect();
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        for length in 0..20_000 {
            let text: String = (0..length % 24)
                .map(|_| {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    runes[state as usize % runes.len()]
                })
                .collect();
            let _ = Line::of(&text);
        }
    }
}
