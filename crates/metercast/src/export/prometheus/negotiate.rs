//! Which format a scraper gets, of those that it says it takes.

use super::format::{Escaping, Format, PageFormat};

/// The formats that pages can be written in, the one first that whoever takes anything gets.
const WRITTEN: &[Format] =
    &[Format::Text0, Format::OpenMetrics1, Format::OpenMetrics0, Format::Text1, Format::Protobuf];

/// How much of a header is read. Scrapers send about 300 bytes and six entries.
const MOST_BYTES: usize = 8 * 1024;
const MOST_ENTRIES: usize = 64;

impl PageFormat {
    /// What to answer to an `Accept` header, as Prometheus' documents ("Content negotiation") have it.
    ///
    /// The entry with the highest `q` that is written here has it; of equal ones the first. `q=0` excludes. What
    /// cannot be read is passed over, and if nothing is left, or there is no header, it is text 0.0.4 with
    /// underscores: a scraper is never refused. `*/*` is anything, which is text 0.0.4 too, so that browsers show it.
    /// Of a header that is longer than 8 KiB, or has more than 64 entries, the beginning counts.
    ///
    /// ```
    /// use metercast::{Escaping, Format, PageFormat};
    ///
    /// let accept = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;q=0.5";
    /// let chosen = PageFormat { format: Format::OpenMetrics1, escaping: Escaping::AllowUtf8 };
    /// assert_eq!(PageFormat::negotiate(Some(accept)), chosen);
    /// assert_eq!(PageFormat::negotiate(None), PageFormat::default());
    /// ```
    pub fn negotiate(accept: Option<&str>) -> PageFormat {
        accept.and_then(choose).unwrap_or_default()
    }
}

/// What a scraper takes.
#[derive(Clone, Copy, PartialEq)]
enum Range {
    One(Format),
    /// `text/*`
    Text,
    /// `application/*`
    Application,
    Any,
}

impl Range {
    fn has(self, format: Format) -> bool {
        let is_text = matches!(format, Format::Text0 | Format::Text1);
        match self {
            Range::One(one) => one == format,
            Range::Text => is_text,
            Range::Application => !is_text,
            Range::Any => true,
        }
    }
}

struct Entry {
    range: Range,
    escaping: Escaping,
    /// From 0 to 1.
    quality: f32,
}

fn choose(accept: &str) -> Option<PageFormat> {
    // Header names and values that are known here are ASCII, so that a character may be cut.
    let beginning = accept.as_bytes().get(..MOST_BYTES).map_or(accept.into(), String::from_utf8_lossy);
    let mut entries: Vec<Entry> = split(&beginning, ',').take(MOST_ENTRIES).filter_map(read).collect();
    let excluded: Vec<Range> =
        entries.iter().filter(|entry| entry.quality == 0.0).map(|entry| entry.range).collect();
    entries.retain(|entry| entry.quality > 0.0);
    // Stable: equals stay in the order of the header.
    entries.sort_by(|a, b| b.quality.total_cmp(&a.quality));
    entries.iter().find_map(|entry| {
        let format = WRITTEN.iter().copied().find(|format| {
            let is_named = entry.range == Range::One(*format);
            // RFC 9110, section 12.5.1: what is said of one format counts more than what is said of many.
            entry.range.has(*format)
                && !excluded
                    .iter()
                    .any(|range| range.has(*format) && (!is_named || matches!(range, Range::One(_))))
        })?;
        Some(PageFormat { format, escaping: entry.escaping })
    })
}

/// `text/plain;version=0.0.4;q=0.3`. None if it is nothing that is written, or cannot be read.
fn read(entry: &str) -> Option<Entry> {
    let mut parts = split(entry, ';').map(str::trim);
    let media_type = parts.next()?;
    let (mut version, mut proto, mut encoding) = (None, None, None);
    let (mut escaping, mut quality) = (Escaping::default(), 1.0);
    for (name, value) in parts.filter_map(|part| part.split_once('=')) {
        let (name, value) = (name.trim(), unquoted(value.trim()));
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("q") {
            quality = read_quality(value)?;
        } else if is("version") {
            version = Some(value);
        } else if is("escaping") {
            escaping = Escaping::named(value).unwrap_or_default();
        } else if is("proto") {
            proto = Some(value);
        } else if is("encoding") {
            encoding = Some(value);
        }
    }
    let is = |known: &str| media_type.eq_ignore_ascii_case(known);
    let range = if is("*/*") {
        Range::Any
    } else if is("text/*") {
        Range::Text
    } else if is("application/*") {
        Range::Application
    } else if is("text/plain") {
        match version {
            None | Some("0.0.4") => Range::One(Format::Text0),
            Some("1.0.0") => Range::One(Format::Text1),
            Some(_) => return None,
        }
    } else if is("application/openmetrics-text") {
        match version {
            None | Some("0.0.1") => Range::One(Format::OpenMetrics0),
            Some("1.0.0") => Range::One(Format::OpenMetrics1),
            Some(_) => return None,
        }
    } else if is("application/vnd.google.protobuf")
        && proto == Some("io.prometheus.client.MetricFamily")
        && encoding == Some("delimited")
    {
        Range::One(Format::Protobuf)
    } else {
        return None;
    };
    let is_written = WRITTEN.iter().any(|format| range.has(*format));
    is_written.then_some(Entry { range, escaping, quality })
}

/// From 0 to 1; more counts as 1.
pub(crate) fn read_quality(text: &str) -> Option<f32> {
    // Neither a sign nor an exponent, nor a word such as `nan`.
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let quality: f32 = is_number.then(|| text.parse().ok()).flatten()?;
    Some(quality.min(1.0))
}

/// The parts between separators, but for those within quotation marks.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(move |c| {
        let ends = !is_quoted && c == separator;
        is_quoted ^= c == '"' && !is_escaped;
        is_escaped = is_quoted && c == '\\' && !is_escaped;
        ends
    })
}

/// Without the quotation marks that a parameter's value may stand in. None that is known here has anything to escape.
fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

impl Escaping {
    /// The scheme of this name.
    fn named(name: &str) -> Option<Escaping> {
        [Escaping::Underscores, Escaping::Dots, Escaping::Values, Escaping::AllowUtf8]
            .into_iter()
            .find(|escaping| name.eq_ignore_ascii_case(escaping.name()))
    }
}

#[cfg(test)]
mod tests;
