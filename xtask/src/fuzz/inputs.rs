//! The inputs of a short run: those of the corpus, and what becomes of them by a fixed sequence of changes.
//!
//! They follow from the files of the corpus and from nothing else: no clock, no chance, and nothing that a program did with an input.

use std::collections::BTreeSet;
use std::path::Path;

/// Fills the folder, which is emptied before, with this many inputs, the corpus itself among them.
pub(super) fn write(corpus: &Path, count: usize, into: &Path) -> Result<(), String> {
    let inputs = make(&read(corpus)?, count);
    let wrong = |error: std::io::Error| format!("{}: cannot be filled: {error}", into.display());
    match std::fs::remove_dir_all(into) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(wrong(error)),
        _ => std::fs::create_dir_all(into).map_err(wrong)?,
    }
    for (at, input) in inputs.iter().enumerate() {
        std::fs::write(into.join(format!("{at:06}")), input).map_err(wrong)?;
    }
    Ok(())
}

/// The files of the corpus in the order of their names: a file system gives them in an order of its own.
fn read(corpus: &Path) -> Result<Vec<Vec<u8>>, String> {
    let wrong = |error: std::io::Error| format!("{}: cannot be read: {error}", corpus.display());
    let mut paths: Vec<_> =
        std::fs::read_dir(corpus).map_err(wrong)?.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).map_err(wrong)).collect()
}

/// The corpus, and behind it each of its files again and again with a few changes, until there are enough.
fn make(corpus: &[Vec<u8>], count: usize) -> Vec<Vec<u8>> {
    let mut dice = Dice(0);
    let mut inputs = corpus.to_vec();
    let mut known: BTreeSet<_> = corpus.iter().cloned().collect();
    for of in corpus.iter().cycle() {
        if inputs.len() >= count {
            break;
        }
        let mut input = of.clone();
        // One change finds the way back most often; a few find what needs two things at once.
        for _ in 0..=dice.below(4) {
            change(&mut input, corpus, &mut dice);
        }
        if known.insert(input.clone()) {
            inputs.push(input);
        }
    }
    inputs
}

/// What is odd where bytes are numbers, lengths or characters.
const ODD: [&[u8]; 12] = [
    &[0],
    &[1],
    &[0x7f],
    &[0x80],
    &[0xff],
    b"\n",
    b"\"",
    b"\\\\",
    b" ",
    b"-",
    &[0xff; 8],
    "\u{fffd}".as_bytes(),
];

/// One change: bytes become others, go, come twice, or come from elsewhere.
fn change(input: &mut Vec<u8>, corpus: &[Vec<u8>], dice: &mut Dice) {
    let at = dice.below(input.len() + 1);
    let range = at..input.len().min(at + 1 + dice.below(32));
    match dice.below(7) {
        0 if !range.is_empty() => input[at] ^= 1 << dice.below(8),
        1 if !range.is_empty() => input[at] = u8::try_from(dice.below(256)).unwrap_or_default(),
        2 => drop(input.drain(range)),
        3 => {
            let again = input[range].to_vec();
            insert(input, at, &again);
        }
        4 => insert(input, at, ODD[dice.below(ODD.len())]),
        5 if !range.is_empty() => drop(input.splice(range, ODD[dice.below(ODD.len())].iter().copied())),
        // A piece of another one, so that what two files say comes together.
        _ => {
            let other = &corpus[dice.below(corpus.len())];
            let from = dice.below(other.len() + 1);
            let to = other.len().min(from + 1 + dice.below(64));
            insert(input, at, &other[from..to]);
        }
    }
}

fn insert(input: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    drop(input.splice(at..at, bytes.iter().copied()));
}

/// Numbers that look like chance and are the same every time: SplitMix64.
struct Dice(u64);

impl Dice {
    /// One below the limit, which is not 0.
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        // The remainder is below the limit, and so fits.
        usize::try_from(mixed % limit as u64).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corpus() -> Vec<Vec<u8>> {
        [&b"interval = \"10s\"\n"[..], b"", b"orders{side=\"buy\"} 1", &[0, 255, 7]]
            .map(<[u8]>::to_vec)
            .into()
    }

    #[test]
    fn inputs_are_the_same_every_time_and_the_corpus_is_among_them() {
        let inputs = make(&corpus(), 500);
        assert_eq!(inputs.len(), 500);
        assert_eq!(inputs[..4], corpus());
        assert_eq!(inputs, make(&corpus(), 500));
    }

    #[test]
    fn more_inputs_are_the_same_ones_and_others_behind_them() {
        assert_eq!(make(&corpus(), 500)[..], make(&corpus(), 900)[..500]);
    }

    #[test]
    fn no_input_is_there_twice() {
        let mut inputs = make(&corpus(), 1000);
        inputs.sort();
        inputs.dedup();
        assert_eq!(inputs.len(), 1000);
    }

    #[test]
    fn a_corpus_that_is_enough_stays_as_it_is() {
        assert_eq!(make(&corpus(), 3), corpus());
        assert_eq!(make(&[], 3), Vec::<Vec<u8>>::new());
    }
}
