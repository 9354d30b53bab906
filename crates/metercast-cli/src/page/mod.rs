//! What a metrics page says, in Prometheus' text formats or OpenMetrics, whoever made it.
//!
//! No crate reads both as a tool for people must: a line that is wrong is counted and passed over, and however long a page is, what is
//! kept of it is bounded.

mod family;
mod line;

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read};

pub(crate) use family::{Distribution, Family, Kind, Value};

pub(crate) use line::Labels;
use line::Line;

/// How much of a page is read and kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes that are read.
    pub(crate) bytes: u64,
    /// Series that are kept.
    pub(crate) series: usize,
    /// Bytes of names, labels and help that are kept.
    pub(crate) text: usize,
}

/// A line that is longer is passed over.
const LONGEST_LINE: u64 = 64 * 1024;

/// Among so many bounds one is put that comes late; more have to come in order, so that no page takes long to sort.
const MOST_SORTED: usize = 256;

impl Default for Limits {
    fn default() -> Limits {
        Limits { bytes: 256_000_000, series: 10_000, text: 64_000_000 }
    }
}

/// A page that was read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    /// In the order of the page.
    pub(crate) families: Vec<Family>,
    /// Bytes that were read.
    pub(crate) bytes: u64,
    /// Series that were kept.
    pub(crate) series: usize,
    /// Lines for which there was no room.
    pub(crate) left_out: u64,
    /// Whether that was because of long names and labels, not of many series.
    is_full: bool,
    /// Lines that are wrong.
    pub(crate) faults: u64,
    /// The first of them and what is wrong with it.
    pub(crate) first_fault: Option<(u64, &'static str)>,
    /// Whether it is longer than may be read.
    pub(crate) is_cut: bool,
    index: HashMap<String, usize>,
}

impl Page {
    /// Reads a page to its end or to the limits.
    ///
    /// # Errors
    ///
    /// If it cannot be read; what is wrong with lines is no error.
    pub(crate) fn read(from: impl Read, limits: &Limits) -> io::Result<Page> {
        Reading { page: Page::default(), declared: HashMap::new(), limits, text: 0 }.run(from)
    }

    /// The metric of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Family> {
        self.index.get(name).map(|at| &self.families[*at])
    }

    /// Whether there is nothing on it that a metrics page has, as if it were one of another kind.
    pub(crate) fn is_foreign(&self) -> bool {
        self.families.is_empty() && self.faults > 0
    }

    /// What of it is not shown, in words, if anything.
    pub(crate) fn troubles(&self, limits: &Limits) -> Vec<String> {
        let mut troubles = Vec::new();
        if let Some((line, fault)) = self.first_fault {
            let wrong =
                if self.faults == 1 { "a line is".to_owned() } else { format!("{} lines are", self.faults) };
            troubles.push(format!("{wrong} not valid and left out; line {line} {fault}"));
        }
        if let Some((what, mend)) = self.lack(limits) {
            troubles.push(format!("{what}; {mend}"));
        }
        if self.is_cut {
            let most = limits.bytes / 1_000_000;
            troubles.push(format!("the page is longer than {most} MB; the rest of it is not read"));
        }
        troubles
    }

    /// What was left out for want of room, and what gives room.
    pub(crate) fn lack(&self, limits: &Limits) -> Option<(String, String)> {
        let lines = match self.left_out {
            0 => return None,
            1 => "a line is".to_owned(),
            lines => format!("{lines} lines are"),
        };
        if self.is_full {
            let what = format!("{lines} left out beyond {} MB of names and labels", limits.text / 1_000_000);
            return Some((what, "a page should have fewer".to_owned()));
        }
        let what = format!("{lines} left out beyond {} series", limits.series);
        Some((what, "--max-series takes more".to_owned()))
    }
}

/// Whether a line of a page has a value that can be read.
pub(crate) fn is_sample(line: &str) -> bool {
    matches!(line::read(line), Ok(Line::Sample { .. }))
}

/// What a page has said of a metric before its samples.
#[derive(Clone, Default)]
struct Declared {
    kind: Option<Kind>,
    help: String,
    unit: String,
}

/// Which of the values of a series a sample is.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Value,
    Quantile,
    Bucket,
    Count,
    Sum,
    /// When it began.
    Created,
}

struct Reading<'a> {
    page: Page,
    declared: HashMap<String, Declared>,
    limits: &'a Limits,
    /// Bytes of text that are kept.
    text: usize,
}

impl Reading<'_> {
    fn run(mut self, from: impl Read) -> io::Result<Page> {
        let mut from = BufReader::with_capacity(64 * 1024, from.take(self.limits.bytes + 1));
        let (mut line, mut number) = (Vec::new(), 0);
        loop {
            line.clear();
            let read = (&mut from).take(LONGEST_LINE).read_until(b'\n', &mut line)? as u64;
            if read == 0 {
                break;
            }
            self.page.bytes += read;
            number += 1;
            if line.last() == Some(&b'\n') {
                line.pop();
            } else if read == LONGEST_LINE {
                self.page.bytes += skip_line(&mut from)?;
                self.fault(number, "is longer than 64 KiB");
                continue;
            }
            let read = std::str::from_utf8(&line).map_err(|_| "is not in UTF-8").and_then(line::read);
            match read {
                Ok(Line::End) => break,
                Ok(line) => {
                    if let Err(fault) = self.take(line) {
                        self.fault(number, fault);
                    }
                }
                Err(fault) => self.fault(number, fault),
            }
        }
        if self.page.bytes > self.limits.bytes {
            self.page.bytes = self.limits.bytes;
            self.page.is_cut = true;
        }
        self.page.index =
            self.page.families.iter().enumerate().map(|(at, family)| (family.name.clone(), at)).collect();
        Ok(self.page)
    }

    fn fault(&mut self, line: u64, fault: &'static str) {
        self.page.faults += 1;
        self.page.first_fault.get_or_insert((line, fault));
    }

    fn take(&mut self, line: Line) -> Result<(), &'static str> {
        match line {
            Line::Help(name, help) => self.declare(name, help.len(), |declared| declared.help = help),
            Line::Unit(name, unit) => self.declare(name, unit.len(), |declared| declared.unit = unit),
            Line::Kind(name, kind) => {
                self.declare(name, 0, |declared| declared.kind = Some(Kind::of(&kind)));
            }
            Line::Sample { name, labels, value } => return self.sample(name, labels, value),
            Line::Nothing | Line::End => {}
        }
        Ok(())
    }

    fn declare(&mut self, name: String, more: usize, say: impl FnOnce(&mut Declared)) {
        // A metric whose series had no room needs no help.
        if self.has_room(name.len() + more) {
            say(self.declared.entry(name).or_default());
        }
    }

    fn has_room(&mut self, text: usize) -> bool {
        let enough = self.text + text <= self.limits.text;
        self.text += if enough { text } else { 0 };
        enough
    }

    fn sample(&mut self, name: String, labels: Labels, value: f64) -> Result<(), &'static str> {
        let (family, part) = self.family_of(name, &labels);
        if part == Part::Created {
            return Ok(());
        }
        let (labels, bound) = match part {
            Part::Bucket => without(labels, "le"),
            Part::Quantile => without(labels, "quantile"),
            _ => (labels, None),
        };
        let bound = match (part, bound) {
            (Part::Bucket | Part::Quantile, bound) => {
                Some(bound.and_then(|bound| line::number(&bound)).ok_or("has a bound that is no number")?)
            }
            _ => None,
        };
        let known = self.page.index.get(&family).copied();
        let is_new = known.is_none_or(|at| self.page.families[at].get(&labels).is_none());
        let text = labels.iter().map(|(key, value)| key.len() + value.len() + 48).sum::<usize>();
        let is_beyond = is_new && self.page.series >= self.limits.series;
        let needs = if is_new { 2 * text + 128 } else { 0 } + if bound.is_some() { 16 } else { 0 };
        if is_beyond || !self.has_room(needs) {
            self.page.left_out += 1;
            self.page.is_full |= !is_beyond;
            return Ok(());
        }
        let at = known.unwrap_or_else(|| self.begin(family));
        let family = &mut self.page.families[at];
        let slot = match family.value(&labels) {
            Some(Value::Number(_)) => return Err("is there already"),
            Some(Value::Distribution(distribution)) => distribution,
            None if part == Part::Value => {
                family.add(labels, Value::Number(value));
                self.page.series += 1;
                return Ok(());
            }
            None => {
                family.add(labels.clone(), Value::Distribution(Distribution::default()));
                self.page.series += 1;
                match family.value(&labels) {
                    Some(Value::Distribution(distribution)) => distribution,
                    _ => return Err("is there already"),
                }
            }
        };
        slot.put(part, bound, value)
    }

    fn begin(&mut self, name: String) -> usize {
        // OpenMetrics says the kind of a name without its suffix.
        let suffixed = |suffix: &str, kind: Kind| {
            let declared = self.declared.get(name.strip_suffix(suffix)?)?;
            (declared.kind == Some(kind)).then_some(declared)
        };
        let declared = self.declared.get(&name);
        let declared = declared.or_else(|| suffixed("_total", Kind::Counter));
        let declared = declared.or_else(|| suffixed("_info", Kind::Info));
        let Declared { kind, help, unit } = declared.cloned().unwrap_or_default();
        self.page.index.insert(name.clone(), self.page.families.len());
        self.page.families.push(Family::new(name, kind.unwrap_or_default(), help, unit));
        self.page.families.len() - 1
    }

    /// The name of the metric that a sample belongs to, and what it says of it.
    fn family_of(&mut self, name: String, labels: &Labels) -> (String, Part) {
        let kind = |name: &str| self.declared.get(name).and_then(|declared| declared.kind);
        match kind(&name) {
            Some(Kind::Summary) => return (name, Part::Quantile),
            Some(_) => return (name, Part::Value),
            None => {}
        }
        for (suffix, part) in [
            ("_bucket", Part::Bucket),
            ("_count", Part::Count),
            ("_sum", Part::Sum),
            ("_gcount", Part::Count),
            ("_gsum", Part::Sum),
            ("_created", Part::Created),
        ] {
            let Some(family) = name.strip_suffix(suffix) else { continue };
            match (kind(family), part) {
                (Some(Kind::Histogram | Kind::GaugeHistogram), _)
                | (Some(Kind::Summary), Part::Count | Part::Sum | Part::Created)
                | (Some(Kind::Counter), Part::Created) => return (family.to_owned(), part),
                // Nobody says so, but nothing else has this label.
                (None, Part::Bucket) if labels.iter().any(|(key, _)| key == "le") => {
                    let family = family.to_owned();
                    self.declare(family.clone(), 0, |declared| declared.kind = Some(Kind::Histogram));
                    return (family, part);
                }
                _ => {}
            }
        }
        (name, Part::Value)
    }
}

impl Distribution {
    fn put(&mut self, part: Part, bound: Option<f64>, value: f64) -> Result<(), &'static str> {
        let (slots, bound) = match (part, bound) {
            (Part::Count, _) => return once(&mut self.count, value),
            (Part::Sum, _) => return once(&mut self.sum, value),
            (Part::Bucket, Some(bound)) => (&mut self.buckets, bound),
            (Part::Quantile, Some(bound)) => (&mut self.quantiles, bound),
            _ => return Err("is no part of what it is called after"),
        };
        // They come in order, but for pages of people who do not know that.
        let at = match slots.last() {
            Some((last, _)) if bound > *last => slots.len(),
            Some((last, _)) if bound != *last && slots.len() > MOST_SORTED => {
                return Err("has a bound that is lower than many before it");
            }
            _ => slots.partition_point(|(before, _)| *before < bound),
        };
        if slots.get(at).is_some_and(|(there, _)| *there == bound) {
            return Err("is there already");
        }
        slots.insert(at, (bound, value));
        Ok(())
    }
}

fn once(slot: &mut Option<f64>, value: f64) -> Result<(), &'static str> {
    if slot.replace(value).is_some() { Err("is there already") } else { Ok(()) }
}

/// The labels without one of them, and its value.
fn without(labels: Labels, key: &str) -> (Labels, Option<String>) {
    let mut labels = labels.into_vec();
    let found = labels.iter().position(|(there, _)| there == key).map(|at| labels.remove(at).1);
    (labels.into(), found)
}

/// Reads to the end of a line without keeping it, and says how long that was.
fn skip_line(from: &mut impl BufRead) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let there = from.fill_buf()?;
        if there.is_empty() {
            return Ok(skipped);
        }
        let end = there.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(there.len(), |end| end + 1);
        from.consume(length);
        skipped += length as u64;
        if end.is_some() {
            return Ok(skipped);
        }
    }
}

#[cfg(test)]
mod tests;
