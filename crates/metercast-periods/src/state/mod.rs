//! All that is known of periods, as the bytes of a file.
//!
//! A file is the magic number, the version, the length of what follows, that, and a checksum of everything before. Numbers are
//! little-endian. It holds hashes made with a key that is not in it, and counts; no id ever was.

mod bytes;
mod file;

use std::collections::BTreeMap;

use crate::history::{DAYS, HOURS, History};
use crate::key::checksum;
use crate::settled::{CountedOf, Counts};
use crate::sketch::Sketch;
use crate::window::{HOUR, Window};
use bytes::{Bytes, put_count, put_text, put_u64};

pub(crate) use file::StateFile;

const MAGIC: &[u8; 8] = b"mcperiod";
const VERSION: u32 = 1;
/// What comes before the content.
const HEAD: usize = 8 + 4 + 8;

/// All that is known of periods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// Tells which key the hashes were made with.
    pub(crate) fingerprint: u64,
    pub(crate) uniques: BTreeMap<String, UniqueState>,
    pub(crate) counted: BTreeMap<CountedOf, Counts>,
}

/// What is known of a count of different ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UniqueState {
    pub(crate) precision: u8,
    pub(crate) since: u64,
    pub(crate) history: History,
}

/// Why bytes are not a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It begins with something else.
    Foreign,
    /// Another version of the format.
    Version(u32),
    /// It is shorter or longer than it says.
    Length,
    /// Some bytes are others.
    Checksum,
    /// What is in it makes no sense, although nothing was changed.
    Content,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fault::Foreign => f.write_str("it is another program's file"),
            Fault::Version(version) => write!(f, "it has version {version} of the format, not {VERSION}"),
            Fault::Length => f.write_str("it is not as long as it says"),
            Fault::Checksum => f.write_str("its checksum is that of something else"),
            Fault::Content => f.write_str("its content makes no sense"),
        }
    }
}

impl State {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut content = Vec::new();
        put_u64(&mut content, self.fingerprint);
        put_count(&mut content, self.uniques.len());
        for (name, unique) in &self.uniques {
            put_text(&mut content, name);
            content.push(unique.precision);
            put_u64(&mut content, unique.since);
            for of in [&unique.history.hours, &unique.history.days] {
                put_count(&mut content, of.len());
                for (index, sketch) in of {
                    put_u64(&mut content, *index);
                    put_sketch(&mut content, sketch);
                }
            }
        }
        put_count(&mut content, self.counted.len());
        for (of, counts) in &self.counted {
            put_text(&mut content, &of.counter);
            content.push(of.window.code());
            put_count(&mut content, of.labels.len());
            of.labels.iter().for_each(|label| put_text(&mut content, label));
            put_u64(&mut content, counts.since);
            put_count(&mut content, counts.windows.len());
            for (index, window) in &counts.windows {
                put_u64(&mut content, *index);
                put_count(&mut content, window.len());
                for (values, count) in window {
                    values.iter().for_each(|value| put_text(&mut content, value));
                    put_u64(&mut content, *count);
                }
            }
        }
        let mut bytes = Vec::with_capacity(HEAD + content.len() + 8);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        put_u64(&mut bytes, content.len() as u64);
        bytes.extend_from_slice(&content);
        let sum = checksum(&bytes);
        put_u64(&mut bytes, sum);
        bytes
    }

    /// # Errors
    ///
    /// The bytes are not those of a state, whole and as they were written.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<State, Fault> {
        let mut head = Bytes(bytes);
        if head.take(MAGIC.len()) != Some(MAGIC) {
            // What was cut off that early is empty or of nobody.
            return Err(if MAGIC.starts_with(bytes) { Fault::Length } else { Fault::Foreign });
        }
        match head.u32() {
            Some(VERSION) => {}
            Some(version) => return Err(Fault::Version(version)),
            None => return Err(Fault::Length),
        }
        let length = head.u64().ok_or(Fault::Length)?;
        if (head.0.len() as u64).checked_sub(8) != Some(length) {
            return Err(Fault::Length);
        }
        let (whole, sum) = bytes.split_at(bytes.len() - 8);
        if checksum(whole).to_le_bytes() != sum {
            return Err(Fault::Checksum);
        }
        let mut content = Bytes(&whole[HEAD..]);
        let state = State::read(&mut content).ok_or(Fault::Content)?;
        if content.0.is_empty() { Ok(state) } else { Err(Fault::Content) }
    }

    fn read(bytes: &mut Bytes<'_>) -> Option<State> {
        let fingerprint = bytes.u64()?;
        let uniques = bytes.list(21, |bytes| {
            let name = bytes.text()?;
            let precision = bytes.u8().filter(|precision| (10..=16).contains(precision))?;
            let since = bytes.u64()?;
            let mut sketches = |most: u64| {
                let list = bytes.list(13, |bytes| Some((bytes.u64()?, sketch(bytes, precision)?)))?;
                (list.len() as u64 <= most).then(|| list.into_iter().collect())
            };
            // The clock may have been back by what is left to it.
            let history = History { hours: sketches(HOURS + 1)?, days: sketches(DAYS + 1)? };
            Some((name, UniqueState { precision, since, history }))
        })?;
        let counted = bytes.list(21, |bytes| {
            let counter = bytes.text()?;
            let window = Window::of_code(bytes.u8()?)?;
            let labels = bytes.list(4, Bytes::text).filter(|labels| labels.len() <= 3)?;
            let since = bytes.u64()?;
            let windows = bytes.list(12, |bytes| {
                let index = bytes.u64()?;
                let figures = bytes.list(8 + 4 * labels.len(), |bytes| {
                    let values = labels.iter().map(|_| bytes.text()).collect::<Option<Vec<String>>>()?;
                    Some((values, bytes.u64()?))
                })?;
                Some((index, figures.into_iter().collect()))
            })?;
            let counts = Counts { since, windows: windows.into_iter().collect() };
            Some((CountedOf { counter, window, labels }, counts))
        })?;
        Some(State {
            fingerprint,
            uniques: uniques.into_iter().collect(),
            counted: counted.into_iter().collect(),
        })
    }

    /// Forgets what is too old to be kept, or cannot be.
    pub(crate) fn tidy(&mut self, now: u64) {
        for unique in self.uniques.values_mut() {
            unique.history.tidy(unique.history.hour(now / HOUR));
        }
        for (of, counts) in &mut self.counted {
            let index = of.window.index_at(counts.time(of.window, now));
            counts.windows.retain(|known, _| *known <= index && known.saturating_add(1) >= index);
        }
    }

    /// Forgets that there was something of which nothing is kept.
    pub(crate) fn drop_empty(&mut self) {
        self.uniques.retain(|_, unique| !unique.history.days.is_empty());
        self.counted.retain(|_, counts| !counts.windows.is_empty());
    }
}

/// Hashes one after the other; registers in six bits each, of which none says more than 55.
fn put_sketch(to: &mut Vec<u8>, sketch: &Sketch) {
    match sketch {
        Sketch::Exact(hashes) => {
            to.push(0);
            put_count(to, hashes.len());
            hashes.iter().for_each(|hash| put_u64(to, *hash));
        }
        Sketch::Registers(registers) => {
            to.push(1);
            put_count(to, registers.len() / 4 * 3);
            for four in registers.chunks_exact(4) {
                let bits = four.iter().rev().fold(0_u32, |bits, says| bits << 6 | u32::from(says & 63));
                to.extend_from_slice(&bits.to_le_bytes()[..3]);
            }
        }
    }
}

fn sketch(bytes: &mut Bytes<'_>, precision: u8) -> Option<Sketch> {
    match bytes.u8()? {
        0 => {
            let hashes = bytes.list(8, Bytes::u64)?;
            hashes.is_sorted_by(|one, next| one < next).then_some(Sketch::Exact(hashes))
        }
        1 => {
            let length = bytes.count(1)?;
            if length != (1 << precision) / 4 * 3 {
                return None;
            }
            let three = bytes.take(length)?.chunks_exact(3);
            let most = 64 - precision + 1;
            let registers = three.flat_map(|three| {
                let bits = u32::from_le_bytes([three[0], three[1], three[2], 0]);
                [0, 6, 12, 18].map(|shift| ((bits >> shift & 63) as u8).min(most))
            });
            Some(Sketch::Registers(registers.collect()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
