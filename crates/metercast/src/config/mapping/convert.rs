//! What becomes of the values of others.

use std::time::Duration;

use super::super::error::{Checked, Findings};

use super::super::place::Place;
use super::super::suggest::{did_you_mean, one_of};
use super::super::tree::{Node, Value, Written};

/// What becomes of a value on its way from a key of theirs to one of ours.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Conversion {
    /// Nothing.
    AsIs,
    /// A length of time: a number of seconds, or numbers with units, such as `1s`, `1m 30s` or `250ms`.
    Duration,
    /// A truth that means the opposite of ours.
    Opposite,
    /// A word, which is the second of its pair in our file.
    Words(&'static [(&'static str, &'static str)]),
    /// A text, behind this one, such as `"Bearer "`.
    Prefixed(&'static str),
    /// A port to listen on, at this host.
    Port(&'static str),
    /// The endpoint of an exporter: a URL, to which `/v1/metrics` is added only if it has no path; `host:port`; or `default`,
    /// which is ours.
    Endpoint,
    /// A table of headers, each with a text or with a list of one.
    Headers,
    /// A PEM file: its path, or a reference to it, `${file:path}`, which stands for its path here.
    Pem,
    /// Bounds of all histograms, also of those that declare bounds: a view of our list of views.
    BoundsOfAll,
}

/// A value of ours, and what our file cannot say of it.
pub(super) enum Converted {
    Value(Value),
    /// A URL that is used as it is.
    Exact(Value),
    /// Nothing is said.
    Silence,
}

impl Conversion {
    /// What the value comes to, or `None` if that is noted to be wrong.
    pub(super) fn apply(&self, at: &Place, node: &Node, findings: &mut Findings) -> Option<Converted> {
        let value = match self {
            Self::AsIs => node.value.clone(),
            Self::Duration => {
                let time = match &node.value {
                    Value::String(text) => duration(text),
                    Value::Integer(seconds) => self::seconds(*seconds as f64, &seconds.to_string()),
                    Value::Float(seconds) => self::seconds(*seconds, &seconds.to_string()),
                    other => return findings.mistyped(at, "seconds, or a text such as \"60s\"", other),
                };
                let time = findings.checked(at, time)?;
                Value::String(format!("{}ms", time.as_millis()))
            }
            Self::Opposite => Value::Bool(!findings.truth(at, node)?),
            Self::Words(words) => {
                let known: Vec<&str> = words.iter().map(|(theirs, _)| *theirs).collect();
                let text = findings.string(at, node, &format!("{:?}", known.first().unwrap_or(&"")))?;
                let Some((_, ours)) = words.iter().find(|(theirs, _)| *theirs == text) else {
                    let (expected, meant) = (one_of(&known), did_you_mean(text, &known));
                    findings.problem(at, format!("expected {expected}, found {text:?}{meant}"));
                    return None;
                };
                Value::String((*ours).to_owned())
            }
            Self::Prefixed(before) => {
                Value::String(format!("{before}{}", findings.string(at, node, "\"token\"")?))
            }
            Self::Port(host) => {
                let port = findings.count(at, node, "9090")?;
                Value::String(format!("{host}:{port}"))
            }
            Self::Endpoint => {
                return Some(endpoint(findings.string(at, node, "\"http://localhost:4318\"")?));
            }
            Self::Headers => headers(at, node, findings)?,
            Self::Pem => pem(at, node, findings)?,
            Self::BoundsOfAll => {
                let Value::List(_) = &node.value else {
                    return findings.mistyped(at, "a list of numbers", &node.value);
                };
                let entry = |key: &str, value| (key.to_owned(), node.stands_in(at, value));
                let view = Value::Table(vec![
                    entry("name", Value::String("*".to_owned())),
                    entry("kind", Value::String("histogram".to_owned())),
                    entry("buckets", node.value.clone()),
                ]);
                Value::List(vec![node.stands_in(at, view)])
            }
        };
        Some(Converted::Value(value))
    }
}

fn endpoint(text: &str) -> Converted {
    if text == "default" {
        return Converted::Silence;
    }
    let is_url = text.contains("://") || text.starts_with("unix:");
    let url = if is_url { text.to_owned() } else { format!("http://{text}") };
    let path = url.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
    match path {
        Some((_, path)) if !path.is_empty() && !url.starts_with("unix:") => {
            Converted::Exact(Value::String(url))
        }
        _ => Converted::Value(Value::String(url)),
    }
}

fn headers(at: &Place, node: &Node, findings: &mut Findings) -> Option<Value> {
    let entries = findings.table(at, node, "a table of headers")?;
    let mut headers = Vec::new();
    for (name, node) in entries {
        let place = at.child(name).of(node);
        let value = match &node.value {
            Value::List(items) => match items.as_slice() {
                [item] => item,
                _ => {
                    return findings.mistyped(
                        &place,
                        "one text, or a list of one",
                        &Value::Other("a list of several"),
                    );
                }
            },
            _ => node,
        };
        // The places of headers do not name them: a wrong name may have swallowed the value.
        headers.push((name.clone(), value.stands_in(at, value.value.clone())));
    }
    Some(Value::Table(headers))
}

/// Our files name PEM files and read them again when they change; a file that was filled in could not be.
fn pem(at: &Place, node: &Node, findings: &mut Findings) -> Option<Value> {
    if let Written::Filled(filled) = &node.origin
        && let Some(path) = filled.written.strip_prefix("${file:").and_then(|rest| rest.strip_suffix('}'))
        && !path.contains('$')
    {
        return Some(Value::String(path.to_owned()));
    }
    let text = findings.string(at, node, "\"/etc/ssl/ca.pem\"")?;
    if text.contains("-----BEGIN") {
        findings.problem(at, "has the content of a PEM file; write the path of the file");
        return None;
    }
    Some(Value::String(text.to_owned()))
}

/// Numbers and units one behind the other. A number alone is seconds.
fn duration(text: &str) -> Checked<Duration> {
    let malformed = || {
        format!(
            "{text:?} is not a length of time; write a number of seconds, or a text such as \"1s\", \"250ms\" or \"1m 30s\""
        )
    };
    let mut rest = text.trim();
    if let Ok(number) = rest.parse::<f64>() {
        return seconds(number, text);
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(malformed)?;
        let number: f64 = rest[..digits].parse().map_err(|_| malformed())?;
        rest = rest[digits..].trim_start();
        let letters = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
        let unit = match &rest[..letters] {
            "ns" | "nsec" => 1e-9,
            "us" | "µs" | "usec" => 1e-6,
            "ms" | "msec" => 1e-3,
            "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
            "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
            "h" | "hr" | "hrs" | "hour" | "hours" => 3_600.0,
            "d" | "day" | "days" => 86_400.0,
            _ => return Err(malformed()),
        };
        total += number * unit;
        rest = rest[letters..].trim_start();
    }
    if text.trim().is_empty() { Err(malformed()) } else { seconds(total, text) }
}

fn seconds(number: f64, shown: &str) -> Checked<Duration> {
    let time = Duration::try_from_secs_f64(number);
    let time =
        time.map_err(|_| format!("{shown} is not a length of time; write one of 0 seconds to a year"))?;
    // A thousandth that a double cannot say exactly is that thousandth.
    Ok(Duration::from_millis((time.as_secs_f64() * 1_000.0).round() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_seconds_or_have_units() {
        let cases = [
            ("1s", 1_000),
            ("60s", 60_000),
            ("1m 30s", 90_000),
            ("1h30m", 5_400_000),
            ("250ms", 250),
            ("1.5s", 1_500),
            ("2 minutes", 120_000),
            ("30", 30_000),
            ("0.001", 1),
            ("1d", 86_400_000),
        ];
        for (text, milliseconds) in cases {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", " ", "s", "1", "5 parsecs", "1s 5", "-1s", "-1", "NaN", "inf", "1e300"] {
            assert!(text == "1" || duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_endpoint_with_a_path_is_used_as_it_is() {
        let shown = |text| match endpoint(text) {
            Converted::Value(Value::String(url)) => format!("base {url}"),
            Converted::Exact(Value::String(url)) => format!("exact {url}"),
            _ => "silence".to_owned(),
        };
        let cases = [
            ("default", "silence"),
            ("collector:4317", "base http://collector:4317"),
            ("http://collector:4318", "base http://collector:4318"),
            ("http://collector:4318/", "base http://collector:4318/"),
            ("https://collector/custom", "exact https://collector/custom"),
            ("unix:///run/otel.sock", "base unix:///run/otel.sock"),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text), expected);
        }
    }
}
