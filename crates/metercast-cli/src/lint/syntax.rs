//! What scrapers refuse of a page, line by line: the grammar that `promtool check metrics` reads, with what its newer versions take besides.
//!
//! The reader of [`page`](crate::page) passes over what is odd, as a tool for people must. A scraper refuses the whole page instead.

use std::collections::HashMap;

use crate::page;

/// A page without the lines that are refused, which are blank instead, so that the others keep their numbers.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Checked {
    pub(super) text: String,
    /// Whether it is in OpenMetrics.
    pub(super) is_open: bool,
    /// Lines that are refused.
    pub(super) faults: u64,
    /// The first of them and what is wrong with it.
    pub(super) first_fault: Option<(u64, &'static str)>,
    /// Lines for whose metrics there was no room.
    pub(super) left_out: u64,
    /// Whether any line has a value, be it refused.
    pub(super) is_page: bool,
}

/// Why a line is not passed on.
enum Refused {
    /// What is wrong with it.
    Fault(&'static str),
    /// There are more metrics than are remembered.
    NoRoom,
}

impl From<&'static str> for Refused {
    fn from(fault: &'static str) -> Refused {
        Refused::Fault(fault)
    }
}

/// Looks at each line of a page, and remembers so many metrics at most.
pub(super) fn check(mut page: Vec<u8>, most: usize) -> Checked {
    let is_open = page.trim_ascii_end().ends_with(b"\n# EOF");
    let mut checked = Checked { is_open, ..Checked::default() };
    let mut grammar = Grammar { is_open, most, metrics: HashMap::new() };
    let (mut from, mut number) = (0, 0);
    while from < page.len() {
        let end = page[from..].iter().position(|byte| *byte == b'\n').map(|length| from + length);
        number += 1;
        let until = end.unwrap_or(page.len());
        let line = &mut page[from..until];
        let read = match std::str::from_utf8(line) {
            Ok(line) => {
                checked.is_page = checked.is_page || page::is_sample(line);
                grammar.line(line)
            }
            Err(_) => Err(Refused::Fault("is not in UTF-8")),
        };
        let fault = match read {
            Err(Refused::Fault(fault)) => Some(fault),
            Err(Refused::NoRoom) => {
                checked.left_out += 1;
                line.fill(b' ');
                None
            }
            Ok(()) => None,
        };
        if fault.is_some() {
            line.fill(b' ');
        }
        // What the last line says is read all the same.
        let fault = fault.or((end.is_none() && !is_open).then_some("has no newline at its end"));
        if let Some(fault) = fault {
            checked.faults += 1;
            checked.first_fault.get_or_insert((number, fault));
        }
        from = until + 1;
    }
    // What is not in UTF-8 is blank now.
    checked.text = String::from_utf8(page).unwrap_or_default();
    checked
}

/// The grammar, and what the page said so far.
struct Grammar {
    is_open: bool,
    most: usize,
    metrics: HashMap<String, Metric>,
}

/// What was said of a metric.
#[derive(Default)]
struct Metric {
    has_help: bool,
    has_unit: bool,
    /// In lower case; `untyped` once there are samples.
    kind: Option<&'static str>,
}

/// Kinds in Prometheus' text format, in any case.
const KINDS: [&str; 6] = ["counter", "gauge", "summary", "untyped", "histogram", "gauge_histogram"];

/// Kinds in OpenMetrics.
const OPEN_KINDS: [&str; 8] =
    ["counter", "gauge", "gaugehistogram", "histogram", "info", "stateset", "summary", "unknown"];

const BLANKS: [char; 2] = [' ', '\t'];

impl Grammar {
    fn line(&mut self, line: &str) -> Result<(), Refused> {
        let line = line.trim_start_matches(BLANKS);
        match line.strip_prefix('#') {
            _ if line.is_empty() => Ok(()),
            Some(comment) => self.comment(comment.trim_start_matches(BLANKS)),
            None => self.sample(line),
        }
    }

    fn comment(&mut self, comment: &str) -> Result<(), Refused> {
        let (word, rest) = comment.split_once(BLANKS).unwrap_or((comment, ""));
        let rest = rest.trim_start_matches(BLANKS);
        let says = matches!(word, "HELP" | "TYPE") || word == "UNIT" && self.is_open;
        if !says || rest.is_empty() {
            return Ok(());
        }
        let quoted = rest.strip_prefix('"').map(quoted).transpose()?;
        let (name, text) = quoted.unwrap_or_else(|| metric_name(rest));
        if name.is_empty() || !(text.is_empty() || text.starts_with(BLANKS)) {
            return Err("has a name that no metric may have".into());
        }
        let text = text.trim_start_matches(BLANKS);
        if text.is_empty() {
            return Ok(());
        }
        let is_open = self.is_open;
        let metric = self.metric(name)?;
        match word {
            "HELP" if metric.has_help => return Err("is a second HELP of its metric".into()),
            "HELP" if !is_open && !is_escaped(text) => {
                return Err("has an escape other than \\\\ and \\n".into());
            }
            "HELP" => metric.has_help = true,
            "UNIT" if metric.has_unit => return Err("is a second UNIT of its metric".into()),
            "UNIT" => metric.has_unit = true,
            _ if metric.kind.is_some() => {
                return Err("is a second TYPE of its metric, or stands behind samples".into());
            }
            _ => {
                let known = match is_open {
                    true => OPEN_KINDS.iter().find(|kind| **kind == text),
                    false => KINDS.iter().find(|kind| kind.eq_ignore_ascii_case(text)),
                };
                metric.kind = Some(known.ok_or("has a type that there is not")?);
            }
        }
        Ok(())
    }

    fn sample(&mut self, line: &str) -> Result<(), Refused> {
        let (mut name, rest) = metric_name(line);
        let mut rest = rest.trim_start_matches(BLANKS);
        let mut bounds = Vec::new();
        if let Some(inside) = rest.strip_prefix('{') {
            rest = labels(inside, &mut name, &mut bounds, self.is_open)?.trim_start_matches(BLANKS);
        }
        if name.is_empty() {
            return Err("has no name that a metric may have".into());
        }
        let is_open = self.is_open;
        let metric = self.metric(name)?;
        let kind = *metric.kind.get_or_insert("untyped");
        let is_bound = |key| matches!((kind, key), ("histogram", "le") | ("summary", "quantile"));
        if bounds.iter().any(|(key, bound)| is_bound(*key) && number(bound).is_err()) {
            return Err("has a bound that is no number".into());
        }
        let (value, time) = match rest.split_once(BLANKS) {
            Some((value, time)) => (value, Some(time.trim_start_matches(BLANKS))),
            None => (rest, None),
        };
        number(value)?;
        match time {
            // The reader looks at times, which may have fractions, and at exemplars.
            _ if is_open => Ok(()),
            Some(time) if time.parse::<i64>().is_err() => {
                Err("has something behind its value that is no time in whole milliseconds".into())
            }
            _ => Ok(()),
        }
    }

    /// The metric that a name is of: the sum, the count and the buckets are their metric's.
    fn metric(&mut self, name: &str) -> Result<&mut Metric, Refused> {
        let of = |suffix: &str, kind: &str| {
            let metric = name.strip_suffix(suffix)?;
            (self.metrics.get(metric)?.kind == Some(kind)).then_some(metric)
        };
        let parts = [
            ("_count", "summary"),
            ("_sum", "summary"),
            ("_count", "histogram"),
            ("_sum", "histogram"),
            ("_bucket", "histogram"),
        ];
        let metric = match self.metrics.contains_key(name) {
            true => name,
            false => parts.iter().find_map(|(suffix, kind)| of(suffix, kind)).unwrap_or(name),
        };
        if self.metrics.len() >= self.most && !self.metrics.contains_key(metric) {
            return Err(Refused::NoRoom);
        }
        Ok(self.metrics.entry(metric.to_owned()).or_default())
    }
}

/// Looks at labels up to the closing brace, among which the name may stand in quotes, and returns what follows. Bounds are kept for when
/// the metric is known.
fn labels<'a>(
    mut rest: &'a str,
    name: &mut &'a str,
    bounds: &mut Vec<(&'a str, &'a str)>,
    is_open: bool,
) -> Result<&'a str, &'static str> {
    let mut keys = Vec::new();
    loop {
        rest = rest.trim_start_matches(BLANKS);
        if let Some(rest) = rest.strip_prefix('}') {
            keys.sort_unstable();
            let is_twice = keys.windows(2).any(|pair| pair[0] == pair[1]);
            return if is_twice { Err("has a label twice") } else { Ok(rest) };
        }
        let (key, after, is_quoted) = match rest.strip_prefix('"') {
            Some(inside) => quoted(inside).map(|(key, after)| (key, after, true))?,
            None => {
                let (key, after) = label_name(rest);
                (key, after, false)
            }
        };
        if key.is_empty() {
            return Err("has a name that no label may have");
        }
        rest = after.trim_start_matches(BLANKS);
        match rest.strip_prefix('=') {
            Some(_) if key == "__name__" => return Err("has the label __name__, which is the metric's"),
            Some(after) => {
                let after = after.trim_start_matches(BLANKS);
                let (value, after) = quoted(after.strip_prefix('"').ok_or("has a label without a value")?)?;
                if !is_open && !is_escaped(value) {
                    return Err("has an escape other than \\\\, \\\" and \\n");
                }
                if matches!(key, "le" | "quantile") {
                    bounds.push((key, value));
                }
                keys.push(key);
                rest = after;
            }
            // Quoted and without a value it is the name.
            None if is_quoted && name.is_empty() && keys.is_empty() => *name = key,
            None if rest.starts_with([',', '}']) || rest.is_empty() => {
                return Err("has a label without a value");
            }
            None => return Err("has a name that no label may have"),
        }
        rest = rest.trim_start_matches(BLANKS);
        rest = match rest.strip_prefix(',') {
            Some(next) => next,
            None if rest.starts_with('}') => rest,
            None => return Err("has labels that do not end"),
        };
    }
}

/// What begins a text and may be the name of a metric, and what follows.
fn metric_name(text: &str) -> (&str, &str) {
    word(text, |rune| rune == ':')
}

/// The same of a label.
fn label_name(text: &str) -> (&str, &str) {
    word(text, |_| false)
}

fn word(text: &str, also: fn(char) -> bool) -> (&str, &str) {
    let is_legal = |rune: char| rune.is_ascii_alphanumeric() || rune == '_' || also(rune);
    let end = text.find(|rune| !is_legal(rune)).unwrap_or(text.len());
    text.split_at(if text.starts_with(|first: char| first.is_ascii_digit()) { 0 } else { end })
}

/// A text up to the closing quote, as it is written, and what follows it.
fn quoted(inside: &str) -> Result<(&str, &str), &'static str> {
    let mut is_escaped = false;
    let end = inside.bytes().position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    });
    let end = end.ok_or("has a text that does not end")?;
    Ok((&inside[..end], &inside[end + 1..]))
}

/// Whether only what needs it is escaped. Old scrapers take no `\"` in help, newer ones do.
fn is_escaped(text: &str) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'\\' && !matches!(bytes.next(), Some(b'\\' | b'"' | b'n')) {
            return false;
        }
    }
    true
}

/// A number as Go reads it, without hexadecimal ones.
fn number(text: &str) -> Result<f64, &'static str> {
    let number: f64 = text.parse().map_err(|_| "has a value that is no number")?;
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    match text.starts_with(['+', '-']) {
        _ if has_digit && number.is_infinite() => Err("has a value that no double can hold"),
        true if number.is_nan() => Err("has a value that is no number"),
        _ => Ok(number),
    }
}
