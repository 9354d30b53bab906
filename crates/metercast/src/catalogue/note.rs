//! Notes: what macros have left in a program's file, found and read.

use std::io::{self, BufRead, Read};

use metercast_core::__private::note::{
    MARK, OWNER, OWNER_SIZE, PREFIX, SHAPE, checksum, field, kind_number, number_number,
};
use metercast_core::__private::{QUANTILES, WINDOW_SECONDS, usual_bounds};
use metercast_core::{Kind, NumberType, Visibility};

use super::metric::{Buckets, Label, Metric, Place, Values};

/// What was found in a file.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// One for each place, in the order of the file.
    pub(super) metrics: Vec<Metric>,
    /// The versions of the core that left them, each once.
    pub(super) cores: Vec<String>,
    /// How many notes are in a shape that is not known here.
    pub(super) unknown: usize,
    /// What the file begins with.
    pub(super) head: Vec<u8>,
}

/// How much is read at a time.
const STEP: u64 = 1 << 20;
/// No note is longer.
const MOST: usize = 1 << 24;
/// What is before a note's content: three numbers, and whose note it is.
const HEADER: usize = 12 + OWNER.len();

/// Finds all notes of a file, wherever in it they are: so it need not be a file that runs here, nor of a known format.
pub(super) fn find(mut file: impl Read) -> io::Result<Found> {
    let mut found = Found::default();
    let mut buffer = Vec::new();
    // Where to look on for the mark of a note.
    let mut at = 0;
    loop {
        let is_end = file.by_ref().take(STEP).read_to_end(&mut buffer)? == 0;
        if found.head.is_empty() {
            found.head.extend(&buffer[..buffer.len().min(16)]);
        }
        while let Some(mark) = next_mark(&buffer, at) {
            at = match note(&buffer, mark) {
                Sight::Note { shape, fields } => {
                    let end = mark + PREFIX + fields.len();
                    found.take(shape, fields);
                    end
                }
                Sight::Beginning if !is_end => {
                    at = mark;
                    break;
                }
                _ => mark + 1,
            };
        }
        if is_end {
            return Ok(found);
        }
        if next_mark(&buffer, at).is_none() {
            at = buffer.len();
        }
        let done = at.saturating_sub(HEADER);
        buffer.drain(..done);
        at -= done;
    }
}

/// The place of the next byte that has the value of a mark. The standard library looks for it many bytes at a time, which no loop
/// of ours would, the less so in a test.
fn next_mark(buffer: &[u8], at: usize) -> Option<usize> {
    let mut rest = buffer.get(at..)?;
    let skipped = rest.skip_until(MARK).ok()?;
    (skipped > 0 && buffer[at + skipped - 1] == MARK).then(|| at + skipped - 1)
}

/// What there is at a mark.
enum Sight<'a> {
    Nothing,
    /// Of a note, of which more must be read.
    Beginning,
    Note {
        shape: u32,
        fields: &'a [u8],
    },
}

fn note(buffer: &[u8], mark: usize) -> Sight<'_> {
    let Some(header) = mark.checked_sub(HEADER).and_then(|from| buffer.get(from..mark)) else {
        return Sight::Nothing;
    };
    let number = |at: usize| <[u8; 4]>::try_from(&header[at..at + 4]).unwrap_or_default();
    // Of either order of bytes: a program may be for another machine.
    let read = match number(0) {
        size if u32::from_le_bytes(size) == OWNER_SIZE => u32::from_le_bytes,
        size if u32::from_be_bytes(size) == OWNER_SIZE => u32::from_be_bytes,
        _ => return Sight::Nothing,
    };
    if header[12..] != OWNER[..] || read(number(4)) as usize > MOST {
        return Sight::Nothing;
    }
    let Some(prefix) = buffer.get(mark..mark + PREFIX) else { return Sight::Beginning };
    let size = u32::from_le_bytes(prefix[4..8].try_into().unwrap_or_default()) as usize;
    let sum = u32::from_le_bytes(prefix[8..12].try_into().unwrap_or_default());
    if size > MOST {
        return Sight::Nothing;
    }
    match buffer.get(mark + PREFIX..mark + PREFIX + size) {
        None => Sight::Beginning,
        // Who looks for notes has the same texts in its own program, and they are not followed by this.
        Some(fields) if checksum(fields) != sum => Sight::Nothing,
        Some(fields) => Sight::Note { shape: read(number(8)), fields },
    }
}

impl Found {
    fn take(&mut self, shape: u32, fields: &[u8]) {
        let read = if shape == SHAPE { metric(fields) } else { None };
        let Some((metric, core)) = read else {
            self.unknown += 1;
            return;
        };
        self.metrics.push(metric);
        if !self.cores.contains(&core) {
            self.cores.push(core);
        }
    }
}

/// The metric that the fields tell of, and the version of the core that wrote them; `None` if they have what is not known here.
fn metric(fields: &[u8]) -> Option<(Metric, String)> {
    let mut place = Place {
        package: String::new(),
        version: String::new(),
        file: String::new(),
        line: 0,
        module: String::new(),
        declared: false,
    };
    let (mut name, mut unit, mut description, mut core) = Default::default();
    let (mut kind, mut number, mut visibility) = (None, None, Visibility::Public);
    let (mut observable, mut zeroes, mut open_labels) = (false, false, false);
    let (mut bounds, mut exponential, mut quantiles, mut window_seconds) = (None, false, None, None);
    let mut labels: Vec<RawLabel> = Vec::new();
    for (which, content) in Fields(fields) {
        let text = || String::from_utf8_lossy(content).into_owned();
        match which {
            field::NAME => name = text(),
            field::KIND => kind = KINDS.into_iter().find(|kind| [kind_number(*kind)] == *content),
            field::NUMBER => number = NUMBERS.into_iter().find(|number| [number_number(*number)] == *content),
            field::UNIT => unit = text(),
            field::DESCRIPTION => description = in_lines(&text()),
            field::PRIVATE => visibility = Visibility::Private,
            field::OBSERVABLE => observable = true,
            field::ZEROES => zeroes = true,
            field::BOUNDS => bounds = Some(doubles(content)),
            field::EXPONENTIAL => exponential = true,
            field::QUANTILES => quantiles = Some(doubles(content)),
            field::WINDOW_SECONDS => window_seconds = Some(u32::from_le_bytes(content.try_into().ok()?)),
            field::CRATE => place.package = text(),
            field::VERSION => place.version = text(),
            field::MODULE => place.module = text(),
            field::FILE => place.file = text().replace('\\', "/"),
            field::LINE => place.line = u32::from_le_bytes(content.try_into().ok()?),
            field::DECLARED => place.declared = true,
            field::OPEN => open_labels = true,
            field::CORE => core = text(),
            field::LABEL => labels.push(RawLabel { key: text(), ..RawLabel::default() }),
            _ => {
                if let Some(label) = labels.last_mut() {
                    label.take(which, content)?;
                }
            }
        }
    }
    let kind = kind?;
    let buckets = match kind {
        Kind::Histogram if exponential => Some(Buckets::Exponential),
        Kind::Histogram => {
            Some(bounds.map_or_else(|| Buckets::ByUnit(usual_bounds(&unit).to_vec()), Buckets::Bounds))
        }
        Kind::Summary => Some(Buckets::Quantiles {
            quantiles: quantiles.unwrap_or_else(|| QUANTILES.to_vec()),
            window_seconds: window_seconds.unwrap_or(WINDOW_SECONDS),
        }),
        _ => None,
    };
    let labels = labels.into_iter().map(RawLabel::label).collect();
    let metric = Metric {
        name,
        kind,
        number: number?,
        unit,
        description,
        visibility,
        observable,
        zeroes,
        buckets,
        labels,
        open_labels,
        places: vec![place],
        met: false,
        named_for_prometheus: false,
    };
    Some((metric, core))
}

const KINDS: [Kind; 5] = [Kind::Counter, Kind::UpDownCounter, Kind::Gauge, Kind::Histogram, Kind::Summary];

const NUMBERS: [NumberType; 3] = [NumberType::U64, NumberType::I64, NumberType::F64];

/// A label of whose values not everything was read yet.
#[derive(Default)]
struct RawLabel {
    key: String,
    optional: bool,
    whole: bool,
    texts: Vec<String>,
    ranges: Vec<std::ops::RangeInclusive<i64>>,
    characters: Option<String>,
    length: Option<(u64, u64)>,
    fallback: Option<String>,
}

impl RawLabel {
    fn take(&mut self, which: u8, content: &[u8]) -> Option<()> {
        let text = || String::from_utf8_lossy(content).into_owned();
        let pair = || -> Option<(u64, u64)> {
            let (first, second) = content.split_at_checked(8)?;
            Some((u64::from_le_bytes(first.try_into().ok()?), u64::from_le_bytes(second.try_into().ok()?)))
        };
        match which {
            field::OPTIONAL => self.optional = true,
            field::WHOLE => self.whole = true,
            field::VALUE => self.texts.push(text()),
            field::RANGE => {
                let (first, last) = pair()?;
                self.ranges.push(first.cast_signed()..=last.cast_signed());
            }
            field::CHARACTERS => self.characters = Some(text()),
            field::LENGTH => self.length = Some(pair()?),
            field::FALLBACK => self.fallback = Some(text()),
            _ => {}
        }
        Some(())
    }

    fn label(self) -> Label {
        let values = match (self.characters, self.length) {
            (Some(characters), Some((least, most))) => Values::Pattern {
                characters,
                length: least..=most,
                fallback: self.fallback.unwrap_or_default(),
            },
            _ if !self.ranges.is_empty() => {
                Values::Ranges { ranges: self.ranges, fallback: self.fallback.unwrap_or_default() }
            }
            _ if !self.texts.is_empty() => Values::OneOf { texts: self.texts, fallback: self.fallback },
            _ if self.whole => Values::Whole,
            _ => Values::Text,
        };
        Label { key: self.key, optional: self.optional, values }
    }
}

/// A description whose paragraphs are lines, as exporters show it.
fn in_lines(description: &str) -> String {
    let paragraphs = description.split("\n\n").map(|paragraph| {
        paragraph.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
    });
    paragraphs.collect::<Vec<_>>().join("\n")
}

fn doubles(content: &[u8]) -> Vec<f64> {
    content.chunks_exact(8).map(|double| f64::from_le_bytes(double.try_into().unwrap_or_default())).collect()
}

/// The fields of a note, each with what says which it is.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (head, rest) = self.0.split_at_checked(5)?;
        let size = u32::from_le_bytes(head[1..].try_into().ok()?) as usize;
        let (content, rest) = rest.split_at_checked(size)?;
        self.0 = rest;
        Some((head[0], content))
    }
}

#[cfg(test)]
mod tests;
