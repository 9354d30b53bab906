//! The engine's copies, and the little of the rest of it that they need.

/// Includes the copy of a file.
macro_rules! copied {
    ($file:literal) => {
        include!(concat!(env!("OUT_DIR"), "/", $file));
    };
}

pub(crate) mod number {
    copied!("number.rs");
}
pub(crate) mod unit {
    copied!("unit.rs");
}

/// Labels of two words.
pub(crate) mod label {
    use crate::sync::atomic::AtomicU64;
    use crate::sync::atomic::Ordering::Relaxed;

    pub(crate) const WORDS: usize = 2;

    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Packed {
        pub(crate) words: [u64; WORDS],
        pub(crate) head: u64,
    }

    pub(crate) trait Words {
        fn word(&self, at: usize) -> u64;
        fn head(&self) -> u64;

        /// All labels meet in one bucket, and have one tag.
        fn hash(&self, _: &[u64; WORDS]) -> u64 {
            0
        }
    }

    impl Words for Packed {
        fn word(&self, at: usize) -> u64 {
            self.words[at]
        }

        fn head(&self) -> u64 {
            self.head
        }
    }

    /// Labels whose words are not in their line. All of them have one hash.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Long<'a>(pub(crate) &'a [u64; 2]);

    impl Long<'_> {
        pub(crate) fn shape(&self) -> u32 {
            1
        }

        pub(crate) fn count(&self) -> usize {
            self.0.len()
        }

        pub(crate) fn hash(&self) -> u64 {
            0
        }

        pub(crate) fn is(&self, words: &[AtomicU64]) -> bool {
            words.iter().zip(self.0).all(|(a, b)| a.load(Relaxed) == *b)
        }

        pub(crate) fn copy_to(&self, words: &[AtomicU64]) {
            words.iter().zip(self.0).for_each(|(to, word)| to.store(*word, Relaxed));
        }
    }

    pub(crate) fn seeds() -> &'static [u64; WORDS] {
        &[0; WORDS]
    }
}

/// The hot path. Which store and region a thread has is what the model says.
pub(crate) mod local {
    use std::cell::Cell;
    use std::ptr;

    use crate::number::Number;
    use crate::store::dictionary::Sought;
    use crate::store::layout::Layout;
    use crate::store::line::CellWord;
    use crate::store::region::Region;
    use crate::store::{Definition, Inner, barrier};
    use crate::sync::atomic::AtomicU64;
    use crate::sync::atomic::Ordering::{Relaxed, Release};

    copied!("local.rs");

    /// The engine has more reasons to be here.
    fn record_held_slow(store: &Inner, region: &Region, (number, _): (u32, &Definition), value: f64) {
        let slot = store.dictionary.line(number).expect("it is held").cell().slot();
        map_series(region, slot);
        assert!(record_at_line(store, region, number, value));
    }

    loom::thread_local! {
        static HERE: Here = Here::default();
    }

    #[derive(Default)]
    struct Here {
        store: Cell<Option<*const Inner>>,
        region: Cell<Option<*const Region>>,
    }

    struct RegionOfThread;
    struct StoreOfThread;

    const REGION: RegionOfThread = RegionOfThread;
    const STORE: StoreOfThread = StoreOfThread;

    impl RegionOfThread {
        /// Null where the engine has `EMPTY`.
        fn get(&self) -> *const Region {
            HERE.with(|here| here.region.get()).unwrap_or(ptr::null())
        }
    }

    impl StoreOfThread {
        fn get(&self) -> *const Inner {
            HERE.with(|here| here.store.get()).expect("the model says which store it is")
        }
    }

    /// As at the end of a thread: each operation leases for itself.
    fn with_leased_region<R>(f: impl FnOnce(&Region) -> R) -> R {
        with_store(|store| f(Lease(store.regions.lease(false).0).0))
    }

    /// What is to be done at a series.
    pub(crate) trait Write {
        fn write(&self, store: &Inner, region: &Region, cell: CellWord) -> bool;
    }

    /// Records into this store from now on; with a region, if one is given, for as long as the thread lives.
    pub(crate) fn enter(store: &Inner, region: Option<&Region>) {
        HERE.with(|here| {
            here.store.set(Some(store));
            here.region.set(region.map(ptr::from_ref));
        });
    }
}

pub(crate) mod store {
    pub(crate) mod barrier {
        copied!("barrier.rs");
    }
    pub(crate) mod blocks {
        copied!("blocks.rs");
    }
    pub(crate) mod deferred {
        use std::{mem, ptr};

        use crate::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
        use crate::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize};

        copied!("deferred.rs");

        /// A recording that waits.
        pub(crate) struct Recording(pub(crate) AtomicU64);
    }
    pub(crate) mod directory {
        copied!("directory.rs");
    }
    pub(crate) mod hint {
        copied!("hint.rs");
    }
    pub(crate) mod line {
        copied!("line.rs");
    }
    pub(crate) mod memory {
        copied!("memory.rs");
    }
    pub(crate) mod fixed_chunks {
        copied!("fixed_chunks.rs");
    }
    pub(crate) mod region {
        copied!("region.rs");
    }
    pub(crate) mod regions {
        copied!("regions.rs");
    }
    pub(crate) mod table {
        copied!("table.rs");
    }

    pub(crate) mod dictionary {
        use std::collections::{BTreeMap, HashMap};
        use std::time::{SystemTime, UNIX_EPOCH};

        use super::Definition;
        use super::directory::{CHUNK_WORDS, Directory};
        use super::hint::{Generation, Hint};
        use super::layout::{LAYOUT, Layout};
        use super::line::{CellWord, Key, LINE_WORDS, Line, SIDE_WORDS, Side};
        use super::table::{Table, Test};
        use crate::label::{Long, Packed, Words, seeds};
        use crate::sync::{Mutex, MutexGuard, PoisonError};
        use std::collections::HashSet;

        copied!("dictionary.rs");

        pub(crate) struct Dictionary {
            pub(crate) generation: Generation,
            pub(crate) table: Table,
            lines: Directory,
            sides: Directory,
            long: Directory,
            writer: Mutex<Option<Writer>>,
            clock: Clock,
        }

        /// When a series begins is of no account.
        struct Clock;

        impl Clock {
            fn unix_nanos(&self) -> u64 {
                0
            }
        }

        impl Dictionary {
            pub(crate) fn new() -> Dictionary {
                Dictionary {
                    generation: Generation::new(),
                    table: Table::new(),
                    lines: Directory::new(),
                    sides: Directory::new(),
                    long: Directory::new(),
                    writer: Mutex::new(None),
                    clock: Clock,
                }
            }

            /// Makes a series that counts in this cell.
            pub(crate) fn make(&self, packed: Packed, slot: u32) -> u32 {
                let guard = &mut *self.writer();
                let cell = CellWord::new(slot, 0, true);
                self.add_line(guard.get_or_insert_default(), &Key::Packed(packed), cell, None)
                    .expect("few lines")
            }

            /// The same for labels whose words are not in the line.
            pub(crate) fn make_long(&self, long: &Long<'_>, slot: u32) -> (u32, Key) {
                let guard = &mut *self.writer();
                let writer = guard.get_or_insert_default();
                let key = self.long_key(writer, long);
                (self.add_line(writer, &key, CellWord::new(slot, 0, true), None).expect("few lines"), key)
            }

            pub(crate) fn layout(&self, _: CellWord) -> &'static Layout {
                &LAYOUT
            }

            pub(crate) fn layout_among_first(&self, _: CellWord) -> Option<&'static Layout> {
                Some(&LAYOUT)
            }

            /// The models have no lists of lines, and no limits.
            pub(super) fn unlist(&self, _: &Definition, _: &HashSet<u32>) {}
            pub(super) fn count(&self, _: &mut Writer, _: u32, _: bool) {}
            pub(super) fn look_for_room(&self, _: Option<&Definition>) {}
        }
    }

    pub(crate) mod lifecycle {
        use std::cell::Cell;
        use std::collections::{BTreeMap, HashSet};
        use std::rc::Rc;

        use super::dictionary::{Dictionary, Writer};
        use super::line::{CellWord, Key};
        use super::region::Moment;
        use super::table::Retired;
        use super::{Definition, Inner, barrier};
        use crate::sync::atomic::Ordering::{Acquire, Relaxed};

        copied!("lifecycle.rs");

        #[derive(Default)]
        pub(crate) struct Departures {
            pub(crate) waiting: Vec<Leaving>,
            retired: Retired,
            grace: Option<Grace>,
        }

        pub(crate) struct Leaving {
            pub(crate) definition: &'static Definition,
            pub(crate) lines: Vec<(u32, Key)>,
            pub(crate) cell: CellWord,
            /// What had been counted when it was known that nobody counts any more.
            pub(crate) last: Rc<Cell<Option<u64>>>,
        }

        impl Departures {
            /// What a reading does before it begins.
            pub(crate) fn tidy(&mut self, store: &Inner) {
                self.retired.append(store.dictionary.table.take_retired());
                self.finish(store);
            }
        }

        impl Leaving {
            /// Removes the series.
            pub(crate) fn remove(self, store: &Inner, departures: &mut Departures) {
                let guard = &mut *store.dictionary.writer();
                self.leave(&store.dictionary, guard.get_or_insert_default());
                departures.waiting.push(self);
            }

            fn next_step(&mut self, store: &Inner) -> Step {
                let slot = self.cell.slot();
                let chunks = store.regions.iter().filter_map(|region| region.series(slot));
                self.last.set(Some(chunks.map(|chunk| chunk.word(slot).load(Acquire)).sum()));
                Step::Go
            }

            fn free(&self, store: &Inner, writer: &mut Writer) {
                self.clear(store, self.cell.slot(), 3);
                writer.free.lines.extend(self.lines.iter().map(|(number, _)| *number));
                for (_, key) in &self.lines {
                    if let Key::Long { words, count, .. } = *key {
                        writer.free.long.entry(count).or_default().push(words);
                    }
                }
            }
        }
    }

    pub(crate) mod unplanned {
        copied!("unplanned.rs");
    }
    pub(crate) mod past {
        use std::collections::HashMap;

        use crate::store::line::CellWord;
        use crate::sync::atomic::AtomicUsize;
        use crate::sync::atomic::Ordering::{Acquire, Release};
        use crate::sync::{Mutex, MutexGuard, PoisonError};

        copied!("past.rs");

        /// All that is kept is one count.
        #[derive(Clone)]
        pub(crate) struct Stage(pub(crate) u64);

        #[derive(Clone)]
        pub(crate) struct History {
            pub(crate) stages: Vec<Stage>,
            pub(crate) cells: Vec<(CellWord, usize)>,
        }

        impl Past {
            pub(crate) fn new() -> Past {
                Past { count: AtomicUsize::new(0), by_line: Mutex::new(None) }
            }
        }
    }

    pub(crate) mod layout {
        use super::directory::Chunk;
        use crate::sync::atomic::Ordering::{Relaxed, Release};

        copied!("layout.rs");

        pub(crate) struct Layout;

        /// Two buckets.
        pub(crate) static LAYOUT: Layout = Layout;

        impl Layout {
            pub(crate) fn record(&self, chunk: &Chunk, slot: u32, value: f64) -> bool {
                record_into(usize::from(value > 1.0), chunk, slot, value);
                true
            }

            pub(crate) fn record_usual(&self, chunk: &Chunk, slot: u32, value: f64) -> bool {
                self.record(chunk, slot, value)
            }
        }
    }

    use regions::Regions;

    pub(crate) struct Definition {
        pub(crate) id: u32,
    }

    pub(crate) struct Inner {
        pub(crate) regions: Regions,
        pub(crate) dictionary: dictionary::Dictionary,
        pub(crate) past: past::Past,
        pub(crate) unplanned: unplanned::Unplanned,
        pub(crate) is_watched: loom::sync::atomic::AtomicBool,
    }

    impl Inner {
        pub(crate) fn new() -> Inner {
            Inner {
                regions: Regions::new(),
                dictionary: dictionary::Dictionary::new(),
                past: past::Past::new(),
                unplanned: unplanned::Unplanned::new(),
                is_watched: loom::sync::atomic::AtomicBool::new(false),
            }
        }

        pub(crate) fn is_plain(&self) -> bool {
            true
        }

        pub(crate) fn is_watched(&self) -> bool {
            self.is_watched.load(loom::sync::atomic::Ordering::Relaxed)
        }
    }
}

/// What front ends prepare.
pub(crate) mod front_end {
    use crate::label::Packed;
    use crate::store::dictionary::{Dictionary, Sought};
    use crate::store::hint::Hint;
    use crate::store::line::CellWord;

    copied!("front_end.rs");

    impl PreparedLabels {
        pub(crate) fn new(packed: Packed) -> PreparedLabels {
            PreparedLabels { packed, hint: Hint::new() }
        }
    }
}

pub(crate) mod reading {
    use crate::number::sealed::Cell as _;
    use crate::number::{Number, NumberType};
    use crate::store::directory::{CHUNK_WORDS, Chunk};
    use crate::store::region::Region;
    use crate::sync::atomic::Ordering::{Acquire, Relaxed};

    copied!("columns.rs");

    pub(crate) struct Reading<'a> {
        pub(crate) regions: Vec<&'a Region>,
    }

    impl<'a> Reading<'a> {
        pub(crate) fn of(regions: &'a crate::store::regions::Regions) -> Reading<'a> {
            Reading { regions: regions.iter().collect() }
        }

        /// The value of an up-down counter.
        pub(crate) fn up_down(&self, slot: u32) -> i64 {
            Columns::new(&self.regions, Place::Series)
                .up_down(slot, NumberType::I64)
                .map_or(0, |bits| bits as i64)
        }

        /// The value of a counter.
        pub(crate) fn total(&self, slot: u32) -> u64 {
            Columns::new(&self.regions, Place::Series).sum(slot, NumberType::U64).unwrap_or(0)
        }

        /// The value of a counter that the program text names.
        pub(crate) fn fixed(&self, slot: u32) -> u64 {
            Columns::new(&self.regions, Place::Fixed).sum(slot, NumberType::U64).unwrap_or(0)
        }

        /// The words of a histogram, with the regions' added up.
        pub(crate) fn histogram(&self, slot: u32, words: usize) -> Vec<u64> {
            let mut all = vec![0; words];
            Columns::new(&self.regions, Place::Series)
                .each_at_once(slot, words, |of_one| all.copy_from_slice(of_one));
            all
        }
    }
}
