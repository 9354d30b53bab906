//! Pages in text as a parser reads them that forgives nothing.

use std::collections::BTreeMap;

use metercast::{Log, PrometheusPage, Store};

/// The labels of a sample: sorted, each name once.
pub type Labels = BTreeMap<String, String>;

/// A number as it stands on the page.
pub type Number<'a> = &'a str;

/// A family as it stands on the page.
#[derive(Debug, PartialEq)]
pub struct Parsed<'a> {
    /// Its type.
    pub kind: &'a str,
    /// Its description.
    pub help: Option<String>,
    /// By name of the sample, escaped as on the page, and its labels.
    pub samples: BTreeMap<(&'a str, Labels), Number<'a>>,
}

/// Reads a page. What is of the run and not of what was recorded, exemplars and when series began, is looked at and left out.
///
/// # Panics
///
/// If anything on it is not valid.
pub fn parse(page: &str, is_open: bool) -> BTreeMap<&str, Parsed<'_>> {
    let mut families: BTreeMap<&str, Parsed<'_>> = BTreeMap::new();
    let page = if is_open { page.strip_suffix("# EOF\n").expect("the end is marked") } else { page };
    if page.is_empty() {
        return families;
    }
    let lines = page.strip_suffix('\n').expect("the last line ends as well");
    let mut help: Option<(&str, String)> = None;
    let mut current: Option<&str> = None;
    for line in lines.split('\n') {
        assert!(!line.is_empty(), "an empty line");
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, text) = named(rest).expect("a name and a text");
            assert!(help.is_none(), "two texts for one family");
            let text = unescaped(text, is_open);
            if is_open {
                assert_eq!(current, Some(name), "a text of another family");
                let family = families.get_mut(name).expect("it was put there");
                assert!(family.samples.is_empty() && family.help.is_none(), "a text too late, or twice");
                family.help = Some(text);
            } else {
                help = Some((name, text));
            }
        } else if let Some(rest) = line.strip_prefix("# UNIT ").filter(|_| is_open) {
            let (name, unit) = named(rest).expect("a name and a unit");
            assert_eq!(current, Some(name), "a unit of another family");
            assert!(name.strip_suffix(unit).is_some_and(|stem| stem.ends_with('_')), "{name} in {unit}");
            assert!(families[name].samples.is_empty() && families[name].help.is_none(), "a unit too late");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = named(rest).expect("a name and a kind");
            assert!(suffixes(kind, is_open).is_some(), "{kind:?}");
            let help = help.take().map(|(of, text)| {
                assert_eq!(of, name, "a text of another family");
                text
            });
            let family = Parsed { kind, help, samples: BTreeMap::new() };
            assert!(families.insert(name, family).is_none(), "{name} stands twice");
            current = Some(name);
        } else {
            let family =
                families.get_mut(current.expect("a type comes before samples")).expect("it was put there");
            let (name, mut labels, number, exemplar) = sample(line);
            let suffix =
                name.strip_prefix(current.unwrap_or_default()).expect("samples stand under their family");
            let suffixes = suffixes(family.kind, is_open).unwrap_or_default();
            if suffix == "_created" && is_open && family.kind != "unknown" && family.kind != "gauge" {
                let began: f64 = number.parse().expect("a time is a number");
                assert!(began > 0.0 && exemplar.is_none(), "{line:?}");
                continue;
            }
            assert!(suffixes.contains(&suffix), "{name} under {current:?}");
            if let Some(value) = exemplar {
                assert!(
                    is_open
                        && matches!((family.kind, suffix), ("counter", "_total") | ("histogram", "_bucket"))
                );
                let bound = labels.get("le").filter(|_| suffix == "_bucket");
                let bound = bound.map(|bound| bound.parse::<f64>().expect("a bound is a number"));
                assert!(bound.is_none_or(|bound| value <= bound), "an exemplar of another bucket: {line:?}");
            }
            let part = match (family.kind, suffix) {
                ("histogram", "_bucket") => labels.get_mut("le"),
                ("summary", "") => labels.get_mut("quantile"),
                _ => None,
            };
            if let Some(bound) = part {
                *bound = bound_of(bound, is_open);
            }
            assert!(family.samples.insert((name, labels), number).is_none(), "{line:?} stands twice");
            assert!(help.is_none(), "a text without a type");
        }
    }
    assert!(families.values().all(|family| !family.samples.is_empty()), "a family without samples");
    families
}

/// What the samples of such a family are called behind its name; `None` if there is no such type.
fn suffixes(kind: &str, is_open: bool) -> Option<&'static [&'static str]> {
    Some(match kind {
        "counter" if is_open => &["_total"],
        "counter" | "gauge" => &[""],
        "histogram" => &["_bucket", "_sum", "_count"],
        "summary" => &["", "_sum", "_count"],
        "unknown" if is_open => &[""],
        _ => return None,
    })
}

/// A bound as all formats have it. OpenMetrics wants to see that it is no whole number.
fn bound_of(text: &str, is_open: bool) -> String {
    assert!(!is_open || text.contains(['.', 'e', 'I']), "{text:?} is no bound");
    let bound: f64 = text.parse().expect("a bound is a number");
    assert!(is_open || text == double(bound), "{text:?}");
    double(bound)
}

/// The name that a line of a family begins with, and what follows it.
fn named(text: &str) -> Option<(&str, &str)> {
    match text.strip_prefix('"') {
        Some(quoted) => {
            let (name, rest) = quoted_name(quoted)?;
            Some((name, rest.strip_prefix(' ')?))
        }
        None => text.split_once(' ').inspect(|(name, _)| assert!(is_metric_name(name), "{name:?}")),
    }
}

/// A name after its first quotation mark, and what follows its last. It stays escaped, as it is in all lines of its family.
fn quoted_name(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_at(closing_quote(text)?);
    // Panics for what is no escape.
    let plain = unescaped(name, true);
    assert!(!is_metric_name(&plain), "{name:?} needs no quotation marks");
    Some((name, &rest[1..]))
}

/// `name{a="1",b="2"} 3` or `{"a name",a="1",b="2"} 3`, and in OpenMetrics what may follow: ` # {} 3 1700000000`. Gives the value
/// of the exemplar, too.
fn sample(line: &str) -> (&str, Labels, Number<'_>, Option<f64>) {
    let (name, mut rest) = match line.strip_prefix("{\"") {
        Some(quoted) => quoted_name(quoted).expect("a quoted name ends"),
        None => {
            let name_ends = line.find(['{', ' ']).expect("a name ends");
            let (name, rest) = line.split_at(name_ends);
            assert!(is_metric_name(name), "{name:?}");
            (name, rest)
        }
    };
    let mut labels = Labels::new();
    if let Some(after) = rest.strip_prefix('}') {
        assert!(line.starts_with('{'), "{line:?} has no labels, and needs no braces");
        rest = after;
    } else if let Some(inside) = rest.strip_prefix(if line.starts_with('{') { ',' } else { '{' }) {
        rest = inside;
        loop {
            let label = match rest.strip_prefix('"') {
                Some(quoted) => {
                    let end = closing_quote(quoted).expect("a quoted key ends");
                    let (label, after) = quoted.split_at(end);
                    let label = unescaped(label, true);
                    assert!(!is_label_name(&label), "{label:?} needs no quotation marks");
                    rest = after.strip_prefix("\"=\"").expect("a label has a value");
                    label
                }
                None => {
                    let (label, after) = rest.split_once("=\"").expect("a label has a value");
                    assert!(is_label_name(label), "{label:?}");
                    rest = after;
                    label.to_owned()
                }
            };
            let end = closing_quote(rest).expect("the value ends");
            let (value, after) = rest.split_at(end);
            assert!(labels.insert(label, unescaped(value, true)).is_none(), "a label stands twice: {line:?}");
            rest = &after[1..];
            match rest.split_at(1) {
                (",", more) => rest = more,
                ("}", more) => break rest = more,
                other => panic!("after a label: {other:?}"),
            }
        }
    }
    let number = rest.strip_prefix(' ').expect("a space before the number");
    let (number, exemplar) = match number.split_once(" # {} ") {
        Some((number, exemplar)) => {
            let (value, time) = exemplar.split_once(' ').expect("an exemplar has a value and a time");
            let [value, time] = [value, time].map(|number| number.parse::<f64>().expect("a number"));
            assert!(time > 0.0, "{line:?}");
            (number, Some(value))
        }
        None => (number, None),
    };
    assert!(["NaN", "+Inf", "-Inf"].contains(&number) || is_finite_number(number), "{number:?}");
    (name, labels, number, exemplar)
}

fn is_finite_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.e".contains(&byte))
        && text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Whether a name needs no quotation marks.
pub fn is_metric_name(name: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
    name.starts_with(first) && name.chars().all(|c| first(c) || c.is_ascii_digit())
}

/// Names that begin with two `_` are the server's own.
pub fn is_label_name(name: &str) -> bool {
    is_metric_name(name) && !name.contains(':') && !name.starts_with("__")
}

/// Where an unescaped quote stands first.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        if !escaped && c == '"' {
            return Some(at);
        }
        escaped = !escaped && c == '\\';
        None
    })
}

fn unescaped(text: &str, quote: bool) -> String {
    let mut plain = String::new();
    let mut runes = text.chars();
    while let Some(rune) = runes.next() {
        plain.push(match rune {
            '\\' => match runes.next() {
                Some('\\') => '\\',
                Some('n') => '\n',
                Some('"') if quote => '"',
                other => panic!("no escape: {other:?} in {text:?}"),
            },
            rune => rune,
        });
    }
    plain
}

/// A double in a label's value: as the page spells a sample of it, so that both are compared as text.
///
/// # Panics
///
/// If it does not read back as itself.
pub fn double(value: f64) -> String {
    if !value.is_finite() {
        let sign = if value > 0.0 { "+Inf" } else { "-Inf" };
        return if value.is_nan() { "NaN" } else { sign }.to_owned();
    }
    let page = GAUGE.with(|store| {
        store.scope(|| metercast::f64_gauge!("one", "", value));
        PrometheusPage::new("double", Log::default()).render(store)
    });
    let text = page.trim_end().rsplit(' ').next().expect("a number").to_owned();
    assert!(is_double(&text, value), "{text:?} is not {value:?}");
    text
}

thread_local! {
    static GAUGE: Store = Store::new();
}

/// Whether this is how a page spells the double.
pub fn is_double(text: &str, value: f64) -> bool {
    match text {
        "NaN" => value.is_nan(),
        "+Inf" => value == f64::INFINITY,
        "-Inf" => value == f64::NEG_INFINITY,
        text => text.parse::<f64>().is_ok_and(|read| read.to_bits() == value.to_bits()),
    }
}
