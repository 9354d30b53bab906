//! What the program text says of a metric, as bytes in the program's file: the catalogue is read from there, and no code is run for it.
//!
//! Each declaration and each call site leaves one note. It is made while compiling and holds no addresses, so that it means
//! the same in the file as in memory, on any machine. Where programs are ELF files it is a note as the format has them (`readelf -n`
//! lists it): what linkers take as unused, they drop, but for notes; and stripping keeps those that are loaded. Elsewhere `#[used]` alone
//! keeps it. Whoever reads a file knows notes by their header and their checksum, and so needs to know no format of files.
//!
//! What is in a note is a list of fields: a byte that says which, the length of the content in four bytes, and the content. Numbers are
//! little-endian. Fields that a reader does not know are skipped.

use crate::definition::{Buckets, Descriptor, Kind, Visibility};
use crate::label::{Bound, ValueRef};
use crate::number::NumberType;

/// Whose note it is, as the header of an ELF note has it: with the zero that ends it, and more of them up to a multiple of four bytes.
pub const OWNER: &[u8; 12] = b"metercast\0\0\0";

/// How long the owner's name is.
pub const OWNER_SIZE: u32 = 10;

/// What notes of this shape have as their type.
pub const SHAPE: u32 = 1;

/// What the content begins with. Few bytes of a program have this value, so that a search for it is fast.
pub const MARK: u8 = 0xf7;

/// What is before the fields: the mark, three zeros, the length of the fields, and their checksum.
pub const PREFIX: usize = 12;

/// Which field it is.
pub mod field {
    #![allow(missing_docs, reason = "they say what they are")]
    pub const NAME: u8 = 1;
    pub const KIND: u8 = 2;
    pub const NUMBER: u8 = 3;
    pub const UNIT: u8 = 4;
    pub const DESCRIPTION: u8 = 5;
    pub const PRIVATE: u8 = 6;
    pub const OBSERVABLE: u8 = 7;
    pub const ZEROES: u8 = 8;
    pub const BOUNDS: u8 = 9;
    pub const EXPONENTIAL: u8 = 10;
    pub const QUANTILES: u8 = 11;
    pub const WINDOW_SECONDS: u8 = 12;
    pub const CRATE: u8 = 13;
    pub const VERSION: u8 = 14;
    pub const MODULE: u8 = 15;
    pub const FILE: u8 = 16;
    pub const LINE: u8 = 17;
    /// It is declared; a call site has no such field.
    pub const DECLARED: u8 = 18;
    /// The labels are known at run time alone.
    pub const OPEN: u8 = 19;
    /// The version of this crate.
    pub const CORE: u8 = 20;
    /// Begins a label, of which the fields that follow tell.
    pub const LABEL: u8 = 32;
    pub const OPTIONAL: u8 = 33;
    pub const WHOLE: u8 = 34;
    pub const VALUE: u8 = 35;
    pub const RANGE: u8 = 36;
    pub const CHARACTERS: u8 = 37;
    pub const LENGTH: u8 = 38;
    pub const FALLBACK: u8 = 39;
}

/// The checksum of a note's fields (FNV-1a).
pub const fn checksum(fields: &[u8]) -> u32 {
    let mut sum = 0x811c_9dc5_u32;
    let mut at = 0;
    while at < fields.len() {
        sum = (sum ^ fields[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    sum
}

/// What a macro knows of a metric, and of the place that names it.
#[doc(hidden)]
#[derive(Debug)]
pub struct Entry {
    pub descriptor: &'static Descriptor,
    /// One for each label of the descriptor.
    pub bounds: &'static [Bound],
    /// Whether the labels are known at run time alone.
    pub is_open: bool,
    pub is_declared: bool,
    pub module: &'static str,
    /// The folder of the package, as its build names it; files are said relative to it.
    pub folder: Option<&'static str>,
}

/// A note whose content is so long. Made by the macros.
#[doc(hidden)]
#[repr(C, align(4))]
#[derive(Debug)]
pub struct Note<const N: usize> {
    owner_size: u32,
    size: u32,
    shape: u32,
    owner: [u8; 12],
    content: [u8; N],
}

impl Entry {
    /// How long the content of its note is.
    pub const fn size(&self) -> usize {
        let mut writer = Writer { out: None, at: PREFIX };
        writer.put_all(self);
        writer.at.next_multiple_of(4)
    }

    /// Its note, whose content is as long as [`size`](Entry::size) says.
    pub const fn note<const N: usize>(&self) -> Note<N> {
        let mut content = [0; N];
        let mut writer = Writer { out: Some(&mut content), at: PREFIX };
        writer.put_all(self);
        let end = writer.at;
        let sum = checksum(content.split_at(end).0.split_at(PREFIX).1);
        let mut writer = Writer { out: Some(&mut content), at: 0 };
        writer.put(&[MARK, 0, 0, 0]);
        writer.put(&((end - PREFIX) as u32).to_le_bytes());
        writer.put(&sum.to_le_bytes());
        // The header is in the order of bytes that the machine has: so ELF has it.
        Note { owner_size: OWNER_SIZE, size: N as u32, shape: SHAPE, owner: *OWNER, content }
    }
}

/// Counts bytes, or writes them too.
struct Writer<'a> {
    out: Option<&'a mut [u8]>,
    at: usize,
}

impl Writer<'_> {
    const fn put_all(&mut self, entry: &Entry) {
        let of = entry.descriptor;
        self.text(field::NAME, of.name);
        self.field(field::KIND, &[kind_number(of.kind)]);
        self.field(field::NUMBER, &[number_number(of.number)]);
        self.text(field::UNIT, of.unit);
        self.text(field::DESCRIPTION, of.description);
        self.flag(field::PRIVATE, matches!(of.visibility, Visibility::Private));
        self.flag(field::OBSERVABLE, of.observable);
        self.flag(field::ZEROES, of.zeroes);
        match of.buckets {
            Buckets::ByUnit => {}
            Buckets::Bounds(bounds) => self.doubles(field::BOUNDS, bounds),
            Buckets::Exponential => self.field(field::EXPONENTIAL, &[]),
            Buckets::Quantiles { quantiles, window_seconds } => {
                self.doubles(field::QUANTILES, quantiles);
                self.field(field::WINDOW_SECONDS, &window_seconds.to_le_bytes());
            }
        }
        self.text(field::CRATE, of.scope.name);
        self.text(field::VERSION, of.scope.version);
        self.text(field::MODULE, entry.module);
        self.text(field::FILE, in_package(of.place.file, entry.folder));
        self.field(field::LINE, &of.place.line.to_le_bytes());
        self.flag(field::DECLARED, entry.is_declared);
        self.flag(field::OPEN, entry.is_open);
        self.text(field::CORE, env!("CARGO_PKG_VERSION"));
        let names = of.labels.names;
        let mut at = 0;
        while at < names.len() {
            self.text(field::LABEL, names[at]);
            self.bound(&entry.bounds[at]);
            at += 1;
        }
    }

    const fn bound(&mut self, bound: &Bound) {
        match bound {
            Bound::Text => {}
            Bound::Whole => self.field(field::WHOLE, &[]),
            Bound::Texts { texts, has_fallback } => {
                let listed = texts.len() - *has_fallback as usize;
                let mut at = 0;
                while at < texts.len() {
                    self.text(if at < listed { field::VALUE } else { field::FALLBACK }, texts[at]);
                    at += 1;
                }
            }
            Bound::Values(values) => {
                let mut at = 0;
                while at < values.len() {
                    match values[at] {
                        ValueRef::String(text) => self.text(field::VALUE, text),
                        ValueRef::Bool(true) => self.text(field::VALUE, "true"),
                        ValueRef::Bool(false) => self.text(field::VALUE, "false"),
                        // No type of label lists numbers, or nothing.
                        _ => {}
                    }
                    at += 1;
                }
            }
            Bound::Ranges { ranges, fallback } => {
                let mut at = 0;
                while at < ranges.len() {
                    self.head(field::RANGE, 16);
                    self.put(&ranges[at].start().to_le_bytes());
                    self.put(&ranges[at].end().to_le_bytes());
                    at += 1;
                }
                self.text(field::FALLBACK, fallback);
            }
            Bound::Pattern { characters, length, fallback } => {
                self.text(field::CHARACTERS, characters);
                self.head(field::LENGTH, 16);
                self.put(&(length.0 as u64).to_le_bytes());
                self.put(&(length.1 as u64).to_le_bytes());
                self.text(field::FALLBACK, fallback);
            }
            Bound::Optional(bound) => {
                self.field(field::OPTIONAL, &[]);
                self.bound(bound);
            }
        }
    }

    const fn text(&mut self, which: u8, text: &str) {
        self.field(which, text.as_bytes());
    }

    const fn flag(&mut self, which: u8, on: bool) {
        if on {
            self.field(which, &[]);
        }
    }

    const fn doubles(&mut self, which: u8, doubles: &[f64]) {
        self.head(which, doubles.len() * 8);
        let mut at = 0;
        while at < doubles.len() {
            self.put(&doubles[at].to_le_bytes());
            at += 1;
        }
    }

    const fn field(&mut self, which: u8, content: &[u8]) {
        self.head(which, content.len());
        self.put(content);
    }

    const fn head(&mut self, which: u8, size: usize) {
        self.put(&[which]);
        self.put(&(size as u32).to_le_bytes());
    }

    const fn put(&mut self, bytes: &[u8]) {
        if let Some(out) = &mut self.out {
            let (_, rest) = out.split_at_mut(self.at);
            let (here, _) = rest.split_at_mut(bytes.len());
            here.copy_from_slice(bytes);
        }
        self.at += bytes.len();
    }
}

/// The number of a kind in a note.
pub const fn kind_number(kind: Kind) -> u8 {
    match kind {
        Kind::Counter => 1,
        Kind::UpDownCounter => 2,
        Kind::Gauge => 3,
        Kind::Histogram => 4,
        Kind::Summary => 5,
    }
}

/// The number of a type of numbers in a note.
pub const fn number_number(number: NumberType) -> u8 {
    match number {
        NumberType::U64 => 1,
        NumberType::I64 => 2,
        NumberType::F64 => 3,
    }
}

/// A source file as the compiler names it, seen from the folder of its package. The compiler's name begins in the folder of the workspace, or
/// at the root of the machine, which is nobody's business but that of whoever built the program.
const fn in_package(file: &'static str, folder: Option<&'static str>) -> &'static str {
    if let Some(folder) = folder {
        let folder = folder.as_bytes();
        // The whole folder first, then ever fewer of its last parts.
        let mut from = 0;
        while from < folder.len() {
            let (_, part) = folder.split_at(from);
            let begins = from == 0 || is_slash(folder[from - 1]);
            if begins && let Some(rest) = below(file, part) {
                return rest;
            }
            from += 1;
        }
    }
    let bytes = file.as_bytes();
    let is_absolute = !bytes.is_empty() && (is_slash(bytes[0]) || bytes.len() > 1 && bytes[1] == b':');
    let mut from = bytes.len();
    while is_absolute && from > 0 {
        if is_slash(bytes[from - 1]) {
            return file.split_at(from).1;
        }
        from -= 1;
    }
    file
}

/// What comes after the folder, if the file is in it.
const fn below(file: &'static str, folder: &[u8]) -> Option<&'static str> {
    let bytes = file.as_bytes();
    if bytes.len() <= folder.len() || !is_slash(bytes[folder.len()]) {
        return None;
    }
    let mut at = 0;
    while at < folder.len() {
        if bytes[at] != folder[at] && !(is_slash(bytes[at]) && is_slash(folder[at])) {
            return None;
        }
        at += 1;
    }
    Some(file.split_at(folder.len() + 1).1)
}

const fn is_slash(byte: u8) -> bool {
    byte == b'/' || byte == b'\\'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_from_the_folder_of_its_package() {
        for (file, folder, named) in [
            ("services/shop/src/a.rs", Some("/home/u/all/services/shop"), "src/a.rs"),
            ("src/main.rs", Some("/home/u/app"), "src/main.rs"),
            ("/home/u/dep-1.0/src/lib.rs", Some("/home/u/dep-1.0"), "src/lib.rs"),
            ("/home/u/app/target/build/x/out/gen.rs", Some("/home/u/app"), "target/build/x/out/gen.rs"),
            ("/elsewhere/out/gen.rs", Some("/home/u/app"), "gen.rs"),
            ("/elsewhere/out/gen.rs", None, "gen.rs"),
            (r"crates\a\src\x.rs", Some(r"C:\all\crates\a"), r"src\x.rs"),
            (r"D:\out\gen.rs", Some(r"C:\all\crates\a"), "gen.rs"),
            ("shop/src/a.rs", Some("/home/u/workshop"), "shop/src/a.rs"),
        ] {
            assert_eq!(in_package(file, folder), named, "{file} in {folder:?}");
        }
    }

    #[test]
    fn a_checksum_is_that_of_fnv() {
        // From the tables of FNV's authors.
        assert_eq!(checksum(b""), 0x811c_9dc5);
        assert_eq!(checksum(b"a"), 0xe40c_292c);
        assert_eq!(checksum(b"foobar"), 0xbf9c_f968);
    }
}
