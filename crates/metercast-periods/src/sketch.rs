//! What is known of the different ones in a period: their hashes while they are few, and registers of HyperLogLog beyond that.

use std::collections::HashSet;

use crate::estimate::estimate;

/// How finely a count looks at things: the same for all its sketches, or they could not be put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grain {
    /// There are 2^precision registers.
    pub(crate) precision: u8,
    /// The most that are counted exactly.
    pub(crate) exact: u32,
}

impl Grain {
    pub(crate) fn registers(self) -> usize {
        1 << self.precision
    }

    /// Which register a hash belongs to, and what it says there: the place of the first one among the bits that choose no
    /// register, from 1.
    #[inline]
    pub(crate) fn place(self, hash: u64) -> (usize, u8) {
        let register = hash >> (64 - self.precision);
        // A one behind the last bit ends the search.
        let rest = hash << self.precision | 1 << (self.precision - 1);
        (register as usize, rest.leading_zeros() as u8 + 1)
    }

    /// The most that a register can say.
    pub(crate) fn most(self) -> u8 {
        64 - self.precision + 1
    }
}

/// The different ones of a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sketch {
    /// Their hashes, sorted, each once.
    Exact(Vec<u64>),
    /// What each register says.
    Registers(Vec<u8>),
}

impl Sketch {
    pub(crate) const EMPTY: Sketch = Sketch::Exact(Vec::new());

    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Sketch::Exact(hashes) if hashes.is_empty())
    }

    /// How many there are. A sketch that could not be exact any more is of more than could be.
    pub(crate) fn count(&self, grain: Grain) -> u64 {
        match self {
            Sketch::Exact(hashes) => hashes.len() as u64,
            Sketch::Registers(registers) => estimate(registers, grain).max(u64::from(grain.exact) + 1),
        }
    }
}

/// Puts sketches together: those that are in several are counted once.
#[derive(Debug)]
pub(crate) struct Union {
    grain: Grain,
    /// `None` once there were too many.
    hashes: Option<HashSet<u64>>,
    /// Empty as long as all are known by their hashes.
    registers: Vec<u8>,
}

impl Union {
    pub(crate) fn new(grain: Grain) -> Union {
        Union { grain, hashes: Some(HashSet::new()), registers: Vec::new() }
    }

    pub(crate) fn add(&mut self, sketch: &Sketch) {
        match sketch {
            Sketch::Exact(of) => of.iter().for_each(|hash| self.add_hash(*hash)),
            Sketch::Registers(of) => {
                self.give_up_hashes();
                for (register, other) in self.registers.iter_mut().zip(of) {
                    *register = (*register).max(*other);
                }
            }
        }
    }

    fn add_hash(&mut self, hash: u64) {
        if let Some(hashes) = &mut self.hashes {
            hashes.insert(hash);
            if hashes.len() > self.grain.exact as usize {
                self.give_up_hashes();
            }
        } else {
            self.add_to_register(hash);
        }
    }

    fn give_up_hashes(&mut self) {
        if let Some(hashes) = self.hashes.take() {
            self.registers = vec![0; self.grain.registers()];
            hashes.into_iter().for_each(|hash| self.add_to_register(hash));
        }
    }

    fn add_to_register(&mut self, hash: u64) {
        let (at, says) = self.grain.place(hash);
        self.registers[at] = self.registers[at].max(says);
    }

    pub(crate) fn finish(self) -> Sketch {
        match self.hashes {
            Some(hashes) => {
                let mut hashes: Vec<u64> = hashes.into_iter().collect();
                hashes.sort_unstable();
                Sketch::Exact(hashes)
            }
            None => Sketch::Registers(self.registers),
        }
    }
}

/// All of these together.
pub(crate) fn union<'s>(grain: Grain, sketches: impl IntoIterator<Item = &'s Sketch>) -> Sketch {
    let mut union = Union::new(grain);
    sketches.into_iter().for_each(|sketch| union.add(sketch));
    union.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;

    const GRAIN: Grain = Grain { precision: 14, exact: 1_024 };

    fn of(key: &Key, numbers: std::ops::Range<u64>) -> Sketch {
        let mut union = Union::new(GRAIN);
        numbers.for_each(|number| union.add_hash(key.hash(&number.to_le_bytes())));
        union.finish()
    }

    fn key(number: u8) -> Key {
        Key::from_text(&format!("{number:02x}").repeat(Key::LENGTH)).unwrap()
    }

    #[test]
    fn a_place_is_the_register_and_the_first_one_behind_it() {
        assert_eq!(GRAIN.place(u64::MAX), ((1 << 14) - 1, 1));
        assert_eq!(GRAIN.place(0), (0, GRAIN.most()));
        assert_eq!(GRAIN.place(1), (0, 50));
        assert_eq!(GRAIN.place(3 << 49), (1, 1));
        assert_eq!(GRAIN.place(1 << 50 | 1 << 47), (1, 3));
    }

    #[test]
    fn up_to_the_cap_the_count_is_exact_and_from_there_it_goes_on_without_a_jump() {
        for number in 0..5 {
            let key = key(number);
            for count in [0, 1, 2, 10, 1_000, 1_024] {
                assert_eq!(of(&key, 0..count).count(GRAIN), count);
            }
            let mut before = 1_024;
            for count in 1_025..1_200 {
                let estimated = of(&key, 0..count).count(GRAIN);
                assert!(estimated > 1_024 && estimated.abs_diff(count) <= count / 25, "{count}: {estimated}");
                assert!(estimated.abs_diff(before) <= 30, "{before} is followed by {estimated} at {count}");
                before = estimated;
            }
        }
    }

    #[test]
    fn the_error_is_what_theory_says() {
        // The standard error is 1.04 / sqrt(2^14), 0.81 %. Of 25 numbers it is seen as far less
        // than 1.5 times as much, and their mean is nowhere far from the truth.
        for count in [2_000, 10_000, 40_000] {
            let mut squares = 0.0;
            let mut sum = 0.0;
            for number in 0..25 {
                let estimated = of(&key(number), 0..count).count(GRAIN) as f64;
                let error = (estimated - count as f64) / count as f64;
                assert!(error.abs() < 0.0081 * 5.0, "{count}: {estimated}");
                squares += error * error;
                sum += error;
            }
            let (mean, deviation) = (sum / 25.0, (squares / 25.0_f64).sqrt());
            assert!(deviation < 0.0081 * 1.5, "{count}: {deviation}");
            assert!(mean.abs() < 0.0081 / 25.0_f64.sqrt() * 5.0, "{count}: biased by {mean}");
        }
    }

    #[test]
    fn together_those_in_several_are_counted_once_in_any_order() {
        let key = key(1);
        let parts = [
            of(&key, 0..600),
            of(&key, 300..900),
            of(&key, 0..30_000),
            Sketch::EMPTY,
            of(&key, 29_000..30_500),
        ];
        let whole = of(&key, 0..30_500);
        assert_eq!(union(GRAIN, &parts), whole);
        assert_eq!(union(GRAIN, parts.iter().rev()), whole);
        assert_eq!(union(GRAIN, &parts[..2]), of(&key, 0..900));
        assert_eq!(union(GRAIN, []), Sketch::EMPTY);
        assert!(union(GRAIN, [&of(&key, 0..1_000), &of(&key, 1_000..1_025)]) == of(&key, 0..1_025));
    }
}
