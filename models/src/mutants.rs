//! The ways in which the engine could be wrong: each an ordering that is weakened, or a step that is left out.

/// A line of the engine that could be wrong. Those of one name are wrong together.
pub(crate) struct Mutant {
    /// What a model's test calls it.
    pub(crate) name: &'static str,
    pub(crate) file: &'static str,
    /// What stands in the engine, once: an expression.
    pub(crate) right: &'static str,
    #[cfg_attr(test, allow(dead_code, reason = "the build script puts it into the copy"))]
    pub(crate) wrong: &'static str,
}

const fn mutant(name: &'static str, file: &'static str, right: &'static str, wrong: &'static str) -> Mutant {
    Mutant { name, file, right, wrong }
}

pub(crate) const MUTANTS: &[Mutant] = &[
    // The lease of a region.
    mutant(
        "a lease is taken without Acquire",
        "store/region.rs",
        "self.taken.compare_exchange(false, true, Acquire, Relaxed)",
        "self.taken.compare_exchange(false, true, Relaxed, Relaxed)",
    ),
    mutant(
        "a lease is returned without Release",
        "store/region.rs",
        "self.taken.store(false, Release)",
        "self.taken.store(false, Relaxed)",
    ),
    mutant(
        "a region is listed without Release",
        "store/regions.rs",
        "at.compare_exchange(ptr::null_mut(), region, Release, Acquire)",
        "at.compare_exchange(ptr::null_mut(), region, Relaxed, Acquire)",
    ),
    mutant(
        "a fixed chunk is mapped without Release",
        "store/fixed_chunks.rs",
        "shown.store(chunk, Release)",
        "shown.store(chunk, Relaxed)",
    ),
    mutant("a chunk is shown without a fence", "store/fixed_chunks.rs", "fence(SeqCst)", "()"),
    mutant(
        "a chunk is hidden before it can be found",
        "store/fixed_chunks.rs",
        "self.shown[at].store(ptr::null_mut(), Release)",
        "self.shown[at].store(ptr::null_mut(), Relaxed)",
    ),
    // What a reader sees at once.
    mutant(
        "a count is stored without Release",
        "store/layout.rs",
        "count.store(count.load(Relaxed).wrapping_add(1), Release)",
        "count.store(count.load(Relaxed).wrapping_add(1), Relaxed)",
    ),
    mutant(
        "a sum is stored without Release",
        "store/layout.rs",
        "sum.store((f64::from_bits(sum.load(Relaxed)) + value).to_bits(), Release)",
        "sum.store((f64::from_bits(sum.load(Relaxed)) + value).to_bits(), Relaxed)",
    ),
    mutant(
        "writing ends without Release",
        "store/region.rs",
        "self.operation.store(idle.wrapping_add(ONE), Release)",
        "self.operation.store(idle.wrapping_add(ONE), Relaxed)",
    ),
    mutant("a reader has no fence", "store/region.rs", "fence(Acquire)", "()"),
    mutant(
        "a reader does not look whether somebody writes",
        "store/region.rs",
        "before % ONE != WRITING",
        "before != u64::MAX",
    ),
    mutant(
        "a reader does not look again",
        "store/region.rs",
        "writes_begun(self.operation.load(Relaxed)) == writes_begun(before)",
        "true",
    ),
    // Up-down counters.
    mutant(
        "an addition has no Release",
        "local.rs",
        "word.store(N::from_bits(word.load(Relaxed)).plus(amount).bits(), Release)",
        "word.store(N::from_bits(word.load(Relaxed)).plus(amount).bits(), Relaxed)",
    ),
    mutant(
        "a total is read without Acquire",
        "reading/columns.rs",
        "chunk.word(slot).load(Acquire)",
        "chunk.word(slot).load(Relaxed)",
    ),
    mutant(
        "ups are read before downs",
        "reading/columns.rs",
        "(read(slot + 1), read(slot))",
        "{ let ups = read(slot); (read(slot + 1), ups) }",
    ),
    // The table.
    mutant(
        "a tag is stored without Release",
        "store/table.rs",
        "word.store(word.load(Relaxed) & !(0xffff << shift) | tag << shift, Release)",
        "word.store(word.load(Relaxed) & !(0xffff << shift) | tag << shift, Relaxed)",
    ),
    mutant(
        "a tag is read without Acquire",
        "store/table.rs",
        "[bucket.tags[0].load(Acquire), bucket.tags[1].load(Acquire)]",
        "[bucket.tags[0].load(Relaxed), bucket.tags[1].load(Relaxed)]",
    ),
    mutant(
        "a number is stored without Release",
        "store/table.rs",
        "bucket.numbers[lane].store(number, Release)",
        "bucket.numbers[lane].store(number, Relaxed)",
    ),
    mutant(
        "a number is read without Acquire",
        "store/table.rs",
        "self.numbers[lane % LANES].load(Acquire)",
        "self.numbers[lane % LANES].load(Relaxed)",
    ),
    mutant(
        "the root is stored without Release",
        "store/table.rs",
        "self.root.swap(root, Release)",
        "self.root.swap(root, Relaxed)",
    ),
    mutant(
        "the root is read without Acquire",
        "store/table.rs",
        "unsafe { self.root.load(Acquire).as_ref()? }",
        "unsafe { self.root.load(Relaxed).as_ref()? }",
    ),
    mutant(
        "the smaller index is dropped before it is copied",
        "store/table.rs",
        "until == current.mask + 1",
        "true",
    ),
    mutant(
        "only the smaller index is searched",
        "store/table.rs",
        "root.next.as_ref()?.find(hash, test)",
        "None",
    ),
    // What is replaced.
    mutant(
        "a cell is replaced without Release",
        "store/line.rs",
        "self.0[WORDS + 1].store(cell.0, Release)",
        "self.0[WORDS + 1].store(cell.0, Relaxed)",
    ),
    mutant("a handle looks before that can be seen", "local.rs", "barrier::light()", "()"),
    mutant(
        "a cell is found without Acquire",
        "store/line.rs",
        "self.0[WORDS + 1].load(Acquire)",
        "self.0[WORDS + 1].load(Relaxed)",
    ),
    // What is kept as it is.
    mutant(
        "a value is kept without Release",
        "store/unplanned.rs",
        "chunk.word(at).store(u64::from(line) + 1, Release)",
        "chunk.word(at).store(u64::from(line) + 1, Relaxed)",
    ),
    mutant(
        "a value is taken out without Acquire",
        "store/unplanned.rs",
        "chunk.word(at).load(Acquire).checked_sub(1)",
        "chunk.word(at).load(Relaxed).checked_sub(1)",
    ),
    // Words beyond those of a line.
    mutant(
        "long labels are found by their hash alone",
        "store/dictionary.rs",
        "self.1.is(self.0.long.chunk(words)?.words(words, self.1.count()))",
        "true",
    ),
    // What is used again.
    mutant("an operation begins without a barrier", "store/region.rs", "barrier::light()", "()"),
    mutant("threads are asked without a barrier", "store/lifecycle.rs", "!barrier::all_threads()", "false"),
    mutant("nobody waits for operations to end", "store/lifecycle.rs", "grace.is_over(store)", "true"),
    mutant(
        "an operation begins without Release",
        "store/region.rs",
        "self.operation.store(before.wrapping_add(LOOKING), Release)",
        "self.operation.store(before.wrapping_add(LOOKING), Relaxed)",
    ),
    mutant(
        "writing begins without Release",
        "store/region.rs",
        "self.operation.store(idle.wrapping_add(WRITING), Release)",
        "self.operation.store(idle.wrapping_add(WRITING), Relaxed)",
    ),
    mutant(
        "an operation that writes is taken for the next one",
        "store/region.rs",
        "self.operation.load(Acquire) / ONE != since.0 / ONE",
        "self.operation.load(Acquire) != since.0",
    ),
    mutant(
        "an operation ends without Release",
        "store/region.rs",
        "self.operation.store(begun.wrapping_add(ONE), Release)",
        "self.operation.store(begun.wrapping_add(ONE), Relaxed)",
    ),
    mutant(
        "a moment is read without Acquire",
        "store/region.rs",
        "Moment(self.operation.load(Acquire))",
        "Moment(self.operation.load(Relaxed))",
    ),
    mutant(
        "the end of an operation is read without Acquire",
        "store/region.rs",
        "self.operation.load(Acquire) / ONE != since.0 / ONE",
        "self.operation.load(Relaxed) / ONE != since.0 / ONE",
    ),
    // What is remembered of a lookup.
    mutant("a generation never ends", "store/lifecycle.rs", "dictionary.generation.renew()", "()"),
    mutant("a generation ends too early", "store/lifecycle.rs", "dictionary.generation.renew()", "()"),
    mutant("a generation ends too late", "store/lifecycle.rs", "dictionary.generation.renew()", "()"),
    mutant(
        "a generation ends too early",
        "store/lifecycle.rs",
        "dictionary.take_out_of_table(*number, key)",
        "{ dictionary.generation.renew(); dictionary.take_out_of_table(*number, key) }",
    ),
    mutant(
        "a generation ends too late",
        "store/lifecycle.rs",
        "store.regions.iter().map(|region| region.moment()).collect()",
        "{ store.dictionary.generation.renew(); store.regions.iter().map(|region| region.moment()).collect() }",
    ),
    mutant(
        "a line is known in every generation",
        "store/hint.rs",
        "word >> NUMBER == generation",
        "word >> NUMBER != 0",
    ),
    mutant(
        "a generation ends without Release",
        "store/hint.rs",
        "self.0.store(fitting(next), Release)",
        "self.0.store(fitting(next), Relaxed)",
    ),
    mutant(
        "a generation is read without Acquire",
        "store/hint.rs",
        "self.0.load(Acquire)",
        "self.0.load(Relaxed)",
    ),
    mutant(
        "a hint is kept without Release",
        "store/hint.rs",
        "self.word.store(word, Release)",
        "self.word.store(word, Relaxed)",
    ),
    mutant(
        "a hint is read without Acquire",
        "store/hint.rs",
        "self.word.load(Acquire)",
        "self.word.load(Relaxed)",
    ),
    mutant(
        "a series is looked for outside of the operation",
        "local.rs",
        "labels.cell_in(&store.dictionary)",
        "{ region.end(begun); let cell = labels.cell_in(&store.dictionary); region.begin(); cell }",
    ),
    // Lists that grow.
    mutant(
        "the length is stored without Release",
        "store/blocks.rs",
        "self.length.store(index + 1, Release)",
        "self.length.store(index + 1, Relaxed)",
    ),
    mutant(
        "the length is read without Acquire",
        "store/blocks.rs",
        "index >= self.length.load(Acquire)",
        "index >= self.length.load(Relaxed)",
    ),
    mutant(
        "a chunk is mapped without Release",
        "store/directory.rs",
        "entry.store(chunk, Release)",
        "entry.store(chunk, Relaxed)",
    ),
    mutant(
        "a longer list is stored without Release",
        "store/directory.rs",
        "self.newest.store(newest, Release)",
        "self.newest.store(newest, Relaxed)",
    ),
    mutant(
        "a longer list begins empty",
        "store/directory.rs",
        "old.get(at).map_or(ptr::null_mut(), |chunk| chunk.load(Relaxed))",
        "ptr::null_mut()",
    ),
    mutant(
        "a recording is left without Release",
        "store/deferred.rs",
        "self.newest.compare_exchange_weak(older, node, Release, Relaxed)",
        "self.newest.compare_exchange_weak(older, node, Relaxed, Relaxed)",
    ),
    mutant(
        "recordings are taken without Acquire",
        "store/deferred.rs",
        "self.newest.swap(ptr::null_mut(), AcqRel)",
        "self.newest.swap(ptr::null_mut(), Release)",
    ),
    mutant(
        "recordings are looked at before they are taken",
        "store/deferred.rs",
        "self.newest.swap(ptr::null_mut(), AcqRel)",
        "{ let newest = self.newest.load(Acquire); self.newest.store(ptr::null_mut(), Release); newest }",
    ),
];
