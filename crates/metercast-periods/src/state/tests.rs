//! A state comes back as it was, and nothing else is taken for one.

use super::*;
use crate::key::Key;
use crate::sketch::{Grain, union};

/// Random numbers from a seed, the same on every machine (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end as u64) as usize
    }
}

/// A state with everything that there may be in it.
fn state() -> State {
    let grain = Grain { precision: 10, exact: 100 };
    let key = Key::from_text(&"a7".repeat(16)).unwrap();
    let mut history = History::default();
    for (hour, numbers) in [(490_000_u64, 3), (490_001, 101), (490_030, 5_000)] {
        let mut hashes: Vec<u64> = (0..numbers).map(|number: u64| key.hash(&number.to_le_bytes())).collect();
        hashes.sort_unstable();
        history.add(grain, hour, &union(grain, [&Sketch::Exact(hashes)]));
    }
    let mut state = State { fingerprint: key.fingerprint(), ..State::default() };
    state.uniques.insert("ids".to_owned(), UniqueState { precision: 10, since: 5, history });
    let empty = UniqueState { precision: 16, since: u64::MAX, history: History::default() };
    state.uniques.insert(String::new(), empty);
    for (window, labels) in [(Window::Week, vec![]), (Window::Month, vec!["a".to_owned(), "é".to_owned()])] {
        let of = CountedOf { counter: "http_requests_total".to_owned(), window, labels: labels.clone() };
        let figures =
            |by: u64| (0..by).map(|n| (labels.iter().map(|l| format!("{l}{n}")).collect(), n)).collect();
        let windows = [(3, figures(1)), (4, figures(7))].into_iter().collect();
        state.counted.insert(of, Counts { since: 9, windows });
    }
    state
}

#[test]
fn a_state_comes_back_as_it_was() {
    for state in [State::default(), state()] {
        assert_eq!(State::from_bytes(&state.to_bytes()), Ok(state));
    }
}

#[test]
fn a_state_that_is_cut_or_longer_or_of_another_is_none() {
    let bytes = state().to_bytes();
    for length in 0..bytes.len() {
        assert_eq!(State::from_bytes(&bytes[..length]), Err(Fault::Length), "{length}");
    }
    assert_eq!(State::from_bytes(&[&bytes[..], &[0]].concat()), Err(Fault::Length));
    assert_eq!(State::from_bytes(&[&bytes[..], &bytes[..]].concat()), Err(Fault::Length));
    assert_eq!(State::from_bytes(b"weekly_counts v1\n"), Err(Fault::Foreign));
    assert_eq!(State::from_bytes(&bytes[1..]), Err(Fault::Foreign));
    let mut newer = bytes.clone();
    newer[8] = 2;
    assert_eq!(State::from_bytes(&newer), Err(Fault::Version(2)));
}

#[test]
fn one_bit_that_is_another_is_found_wherever_it_is() {
    let bytes = state().to_bytes();
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        assert!(State::from_bytes(&flipped).is_err(), "byte {at}");
    }
}

#[test]
fn nothing_that_random_hands_make_of_a_state_is_taken_or_a_panic() {
    let bytes = state().to_bytes();
    let mut random = Random(7);
    for _ in 0..4_000 {
        let mut other = bytes.clone();
        for _ in 0..=random.below(4) {
            let at = random.below(other.len());
            match random.below(4) {
                0 => other.truncate(at.max(1)),
                1 => other[at] = other[at].wrapping_add(1 + random.below(255) as u8),
                2 => _ = other.remove(at.min(other.len() - 1)),
                _ => other.insert(at, random.below(256) as u8),
            }
            if other.len() < 2 {
                break;
            }
        }
        assert!(other == bytes || State::from_bytes(&other).is_err());
    }
}

#[test]
fn content_of_others_with_a_right_checksum_makes_no_state_and_no_panic() {
    // What is behind the checksum is looked at as if there were none.
    let whole = state().to_bytes();
    let content = &whole[HEAD..whole.len() - 8];
    let (mut random, mut taken) = (Random(11), 0);
    for _ in 0..4_000 {
        let mut other = content.to_vec();
        for _ in 0..=random.below(3) {
            let at = random.below(other.len());
            match random.below(3) {
                0 => other.truncate(at.max(1)),
                1 => other[at] ^= 1 << random.below(8),
                _ => other[at] = [0, 1, 127, 128, 255][random.below(5)],
            }
        }
        let mut bytes =
            [&MAGIC[..], &VERSION.to_le_bytes(), &(other.len() as u64).to_le_bytes(), &other].concat();
        let sum = checksum(&bytes);
        put_u64(&mut bytes, sum);
        if let Ok(mut state) = State::from_bytes(&bytes) {
            taken += 1;
            // And it can be worked with, whatever it says.
            state.tidy(490_031 * HOUR);
            for unique in state.uniques.values() {
                let grain = Grain { precision: unique.precision, exact: 100 };
                let _ = union(grain, unique.history.days.values()).count(grain);
            }
            assert!(State::from_bytes(&state.to_bytes()).is_ok());
        }
    }
    assert!(taken > 200, "{taken}: other numbers make another state");
}
