//! A record into a histogram is several stores, of which a reader sees all or none.

use loom::thread;

use crate::local;
use crate::reading::Reading;
use crate::run::{Model, Shared};
use crate::store::Inner;
use crate::store::layout::LAYOUT;

const SLOT: u32 = 2;
const WORDS: usize = 3;

/// One in the first bucket, two in the second: the counts say what the sum is.
const RECORDED: Model = Model { stops: 3, run: recorded };

fn recorded() {
    let store = Shared::new(Inner::new());
    let (region, _) = store.regions.lease(true);
    local::map_series(region, SLOT);
    region.release();
    let writer = {
        let store = store.clone();
        thread::spawn(move || {
            let (region, _) = store.regions.lease(true);
            // As after a lookup, in its operation, and as through a handle, without one.
            let begun = region.begin();
            local::record_series(region, SLOT, &LAYOUT, 1.0);
            region.end(begun);
            local::record_series(region, SLOT, &LAYOUT, 2.0);
            region.release();
        })
    };
    let reader = {
        let store = store.clone();
        thread::spawn(move || whole(&Reading::of(&store.regions)))
    };
    writer.join().unwrap();
    reader.join().unwrap();
    assert_eq!(whole(&Reading::of(&store.regions)), (1, 1));
}

fn whole(reading: &Reading<'_>) -> (u64, u64) {
    let words = reading.histogram(SLOT, WORDS);
    let (sum, ones, twos) = (f64::from_bits(words[0]), words[1], words[2]);
    assert!(sum == (ones + 2 * twos) as f64, "torn: {ones} and {twos} sum up to {sum}");
    (ones, twos)
}

#[test]
fn a_reader_sees_a_record_whole_or_not_at_all() {
    RECORDED.holds();
}

#[test]
fn a_count_is_stored_with_release() {
    RECORDED.fails("a count is stored without Release", "torn");
}

#[test]
fn a_sum_is_stored_with_release() {
    RECORDED.fails("a sum is stored without Release", "torn");
}

#[test]
fn writing_ends_with_release() {
    RECORDED.fails("writing ends without Release", "torn");
}

#[test]
fn a_reader_has_a_fence_before_it_looks_again() {
    RECORDED.fails("a reader has no fence", "torn");
}

#[test]
fn a_reader_looks_whether_somebody_writes() {
    RECORDED.fails("a reader does not look whether somebody writes", "torn");
}

#[test]
fn a_reader_looks_again() {
    RECORDED.fails("a reader does not look again", "torn");
}
