//! A list of chunks is read while a thread maps more of them, and the list is made longer.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use loom::sync::atomic::AtomicU32;
use loom::thread;

use crate::run::{Model, Shared};
use crate::store::directory::{CHUNK_WORDS, Directory};

struct Mapped {
    directory: Directory,
    /// How many chunks there are, as far as anybody was told.
    told: AtomicU32,
}

fn slot(chunk: u32) -> u32 {
    chunk * CHUNK_WORDS as u32
}

/// Chunk 0 is found in one step, chunk 1 through a list, chunk 2 through a longer one.
const MAPPED: Model = Model { stops: 5, run: mapped };

fn mapped() {
    let mapped = Shared::new(Mapped { directory: Directory::new(), told: AtomicU32::new(0) });
    let (maps, reads) = (mapped.clone(), mapped.clone());
    let maps = thread::spawn(move || {
        for chunk in 0..3 {
            maps.directory.map_alone(slot(chunk)).word(slot(chunk)).store(7, Relaxed);
            maps.told.store(chunk + 1, Release);
        }
    });
    let reads = thread::spawn(move || {
        let told = reads.told.load(Acquire);
        for chunk in (0..3).rev() {
            let word = reads.directory.chunk(slot(chunk)).map(|chunk| chunk.word(0).load(Relaxed));
            assert!(word == Some(7) || chunk >= told, "missed chunk {chunk} of {told}");
        }
    });
    maps.join().unwrap();
    reads.join().unwrap();
}

#[test]
fn chunks_are_seen_whole_and_never_missed_again() {
    MAPPED.holds();
}

#[test]
fn a_chunk_is_mapped_with_release() {
    MAPPED.fails("a chunk is mapped without Release", "Causality violation");
}

#[test]
fn a_longer_list_is_stored_with_release() {
    MAPPED.fails("a longer list is stored without Release", "Causality violation");
}

#[test]
fn a_longer_list_begins_with_what_was_in_the_shorter() {
    MAPPED.fails("a longer list begins empty", "missed chunk");
}
