//! Reads a page back, and takes nothing that its format does not allow.

use std::collections::{BTreeMap, HashSet};

/// A sample: its name, its labels but for what is empty, sorted, and its value.
pub(super) type Sample = (String, Vec<(String, String)>, String);

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) samples: Vec<Sample>,
    /// Type, unit and help by the name of the family.
    pub(super) families: BTreeMap<String, Family>,
    pub(super) exemplars: usize,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Family {
    pub(super) kind: String,
    pub(super) unit: Option<String>,
    pub(super) help: Option<String>,
}

/// Reads a page. Panics if anything is wrong with it.
pub(super) fn read(text: &str, is_open: bool) -> Page {
    let mut page = Page::default();
    assert!(text.is_empty() || text.ends_with('\n'));
    let text = if is_open { text.strip_suffix("# EOF\n").expect("an end") } else { text };
    let mut of: Option<String> = None;
    let mut samples: HashSet<(String, Vec<(String, String)>)> = HashSet::new();
    let mut names: HashSet<String> = HashSet::new();
    for line in text.split_terminator('\n') {
        if line.is_empty() && !is_open {
            continue;
        }
        if let Some(rest) = line.strip_prefix("# ") {
            let (word, rest) = rest.split_once(' ').expect(line);
            let (name, rest) = name(rest);
            let rest = rest.strip_prefix(' ').expect(line);
            let is_new = of.as_ref() != Some(&name);
            assert!(!is_new || !page.families.contains_key(&name), "{name} comes twice: {line}");
            of = Some(name.clone());
            let family = page.families.entry(name.clone()).or_default();
            match word {
                "TYPE" => {
                    assert!(family.kind.is_empty(), "{line}");
                    family.kind = rest.to_owned();
                    for suffix in suffixes(rest, is_open) {
                        assert!(names.insert(format!("{name}{suffix}")), "{name}{suffix} is taken: {line}");
                    }
                }
                "UNIT" => {
                    assert!(is_open && name.ends_with(&format!("_{rest}")), "{line}");
                    family.unit = Some(rest.to_owned());
                }
                "HELP" => family.help = Some(unescaped(rest, is_open)),
                _ => panic!("{line}"),
            }
            continue;
        }
        let (sample, rest) = sample(line);
        let family = of.as_ref().expect("a header");
        let kind = &page.families[family].kind;
        let suffix = sample.0.strip_prefix(&**family).expect(line);
        assert!(suffixes(kind, is_open).contains(&suffix), "{suffix:?} in a {kind}: {line}");
        assert!(samples.insert((sample.0.clone(), sample.1.clone())), "twice: {line}");
        let number: f64 = sample.2.replace("+Inf", "inf").replace("-Inf", "-inf").parse().expect(line);
        if is_open && matches!(suffix, "_total" | "_sum" | "_count" | "_bucket") {
            assert!(number >= 0.0, "{line}");
        }
        if !rest.is_empty() {
            assert!(is_open && matches!(suffix, "_total" | "_bucket"), "{line}");
            let rest = rest.strip_prefix(" # {").expect(line);
            let (labels, numbers) = rest.split_once("} ").expect(line);
            assert!(labels.replace(['"', '=', ','], "").chars().count() <= 128, "{line}");
            assert!(numbers.split(' ').all(|number| number.parse::<f64>().is_ok()), "{line}");
            page.exemplars += 1;
        }
        page.samples.push(sample);
    }
    page
}

fn suffixes(kind: &str, is_open: bool) -> &'static [&'static str] {
    match (kind, is_open) {
        ("counter", true) => &["_total", "_created"],
        ("histogram", true) => &["_bucket", "_sum", "_count", "_created"],
        ("histogram", false) => &["_bucket", "_sum", "_count"],
        ("summary", true) => &["", "_sum", "_count", "_created"],
        ("summary", false) => &["", "_sum", "_count"],
        ("info", true) => &["_info"],
        ("unknown", true) | ("gauge", _) | ("counter" | "untyped", false) => &[""],
        other => panic!("{other:?}"),
    }
}

fn sample(line: &str) -> (Sample, &str) {
    let (mut metric, mut rest) = match line.strip_prefix('{') {
        None => {
            let (metric, rest) = name(line);
            (Some(metric), rest)
        }
        Some(_) => (None, line),
    };
    let mut labels = Vec::new();
    if let Some(mut inside) = rest.strip_prefix('{') {
        loop {
            let (label, behind) = name(inside);
            if let Some(value) = behind.strip_prefix('=') {
                let (value, behind) = quoted(value).expect(line);
                assert!(label.chars().next().is_some() && !label.starts_with("__"), "{line}");
                assert!(labels.iter().all(|(other, _)| *other != label), "{label} stands twice: {line}");
                labels.push((label, value));
                inside = behind;
            } else {
                assert!(metric.replace(label).is_none(), "{line}");
                inside = behind;
            }
            match inside.split_at(1) {
                (",", more) => inside = more,
                ("}", behind) => {
                    rest = behind;
                    break;
                }
                _ => panic!("{line}"),
            }
        }
    }
    labels.retain(|(_, value)| !value.is_empty());
    labels.sort();
    let rest = rest.strip_prefix(' ').expect(line);
    let (value, rest) = rest.split_at(rest.find(' ').unwrap_or(rest.len()));
    ((metric.expect(line), labels, value.to_owned()), rest)
}

/// A name, quoted if it must be.
fn name(text: &str) -> (String, &str) {
    if let Some((name, rest)) = quoted(text) {
        let is_legal = name.chars().all(|rune| rune.is_ascii_alphanumeric() || matches!(rune, '_' | ':'));
        assert!(
            !is_legal || name.contains(':') || name.starts_with(|first: char| first.is_ascii_digit()),
            "needs no quotation marks: {text}"
        );
        return (name, rest);
    }
    let allows = |rune: char| rune.is_ascii_alphanumeric() || matches!(rune, '_' | ':');
    let (name, rest) = text.split_at(text.find(|rune| !allows(rune)).unwrap_or(text.len()));
    assert!(!name.is_empty() && !name.starts_with(|first: char| first.is_ascii_digit()), "{text}");
    (name.to_owned(), rest)
}

fn quoted(text: &str) -> Option<(String, &str)> {
    let text = text.strip_prefix('"')?;
    let mut escaped = false;
    for (at, rune) in text.char_indices() {
        match rune {
            '"' if !escaped => return Some((unescaped(&text[..at], true), &text[at + 1..])),
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    panic!("no end: {text}")
}

fn unescaped(text: &str, has_quotes: bool) -> String {
    let mut runes = text.chars();
    let mut unescaped = String::new();
    while let Some(rune) = runes.next() {
        unescaped.push(match rune {
            '\\' => match runes.next() {
                Some('n') => '\n',
                Some('\\') => '\\',
                Some('"') if has_quotes => '"',
                other => panic!("{other:?} in {text}"),
            },
            '"' if has_quotes => panic!("{text}"),
            rune => rune,
        });
    }
    unescaped
}
