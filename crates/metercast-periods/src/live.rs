//! The hour that runs: what recording threads write to, without a lock.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64};

use crate::sketch::{Grain, Sketch};

/// The different ones of the hour that runs. Both of what a sketch may be is kept from the first one on, so that there is no moment at
/// which one becomes the other.
pub(crate) struct Live {
    grain: Grain,
    /// Hours since 1970.
    pub(crate) hour: u64,
    /// Hashes wherever there was room for them; 0 is room.
    table: Box<[AtomicU64]>,
    /// How many hashes are in the table; above the cap they do not matter any more.
    hashes: AtomicU32,
    registers: Box<[AtomicU8]>,
}

impl Live {
    /// An hour with what is known of it.
    pub(crate) fn new(grain: Grain, hour: u64, known: &Sketch) -> Live {
        // Half empty when it is full, so that a place is found soon.
        let room = (2 * grain.exact as usize + 64).next_power_of_two();
        let live = Live {
            grain,
            hour,
            table: (0..room).map(|_| AtomicU64::new(0)).collect(),
            hashes: AtomicU32::new(0),
            registers: (0..grain.registers()).map(|_| AtomicU8::new(0)).collect(),
        };
        match known {
            Sketch::Exact(hashes) => hashes.iter().for_each(|hash| live.add(*hash)),
            Sketch::Registers(registers) => {
                live.hashes.store(grain.exact + 1, Relaxed);
                for (register, known) in live.registers.iter().zip(registers) {
                    register.store(*known, Relaxed);
                }
            }
        }
        live
    }

    /// Counts what has this hash. Nobody waits for anybody.
    #[inline]
    pub(crate) fn add(&self, hash: u64) {
        let (at, says) = self.grain.place(hash);
        let register = &self.registers[at];
        // Mostly it is known already, and then nothing is written.
        if register.load(Relaxed) < says {
            register.fetch_max(says, Relaxed);
        }
        if self.hashes.load(Relaxed) <= self.grain.exact {
            self.remember(hash);
        }
    }

    fn remember(&self, hash: u64) {
        // The one hash that looks like room is taken for another; so is that other.
        let hash = hash.max(1);
        let mask = self.table.len() - 1;
        // The registers go by the upper bits.
        let first = hash as usize & mask;
        for step in 0..self.table.len() {
            let place = &self.table[(first + step) & mask];
            let mut there = place.load(Relaxed);
            if there == 0 {
                match place.compare_exchange(0, hash, Relaxed, Relaxed) {
                    Ok(_) => {
                        // It may wrap nowhere: no more are added than there are places.
                        self.hashes.fetch_add(1, Relaxed);
                        return;
                    }
                    Err(other) => there = other,
                }
            }
            if there == hash {
                return;
            }
        }
        // As many threads as there is room met here at once.
        self.hashes.fetch_max(self.grain.exact + 1, Relaxed);
    }

    /// What was counted so far.
    pub(crate) fn sketch(&self) -> Sketch {
        let there = self.table.iter().map(|place| place.load(Relaxed)).filter(|hash| *hash != 0);
        let mut hashes: Vec<u64> = there.collect();
        if self.hashes.load(Relaxed) > self.grain.exact || hashes.len() > self.grain.exact as usize {
            return Sketch::Registers(self.registers.iter().map(|register| register.load(Relaxed)).collect());
        }
        hashes.sort_unstable();
        Sketch::Exact(hashes)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::key::Key;
    use crate::sketch::union;

    #[test]
    fn threads_that_count_at_once_count_what_one_would() {
        let key = Key::from_text(&"5a".repeat(16)).unwrap();
        for (grain, numbers) in [
            (Grain { precision: 14, exact: 1_024 }, 1_024),
            (Grain { precision: 14, exact: 1_024 }, 1_025),
            (Grain { precision: 10, exact: 0 }, 5_000),
            (Grain { precision: 12, exact: 16_384 }, 16_384),
        ] {
            let hash = |number: u64| key.hash(&number.to_le_bytes());
            let (live, one) = (Live::new(grain, 1, &Sketch::EMPTY), Live::new(grain, 1, &Sketch::EMPTY));
            (0..numbers).for_each(|number| one.add(hash(number)));
            thread::scope(|scope| {
                for thread in 0..4 {
                    let live = &live;
                    scope.spawn(move || {
                        (0..numbers).for_each(|n| live.add(hash((n + thread * 97) % numbers)));
                    });
                }
            });
            let sketch = live.sketch();
            assert_eq!(sketch, one.sketch());
            assert_eq!(matches!(sketch, Sketch::Exact(_)), numbers <= u64::from(grain.exact));
            assert_eq!(Live::new(grain, 1, &sketch).sketch(), sketch, "it comes back as it was");
            assert_eq!(union(grain, [&sketch, &one.sketch()]), sketch);
        }
    }

    #[test]
    fn a_hash_of_zero_is_counted_once() {
        let live = Live::new(Grain { precision: 14, exact: 8 }, 1, &Sketch::EMPTY);
        (0..5).for_each(|_| live.add(0));
        assert_eq!(live.sketch(), Sketch::Exact(vec![1]));
    }
}
