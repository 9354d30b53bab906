//! Which of the engine's files the models copy, and what is changed in them.

use super::mutants::Mutant;

/// What is copied from a file of `metercast-core/src`.
pub(crate) struct Copied {
    pub(crate) file: &'static str,
    parts: Parts,
    /// What stands there, and what the models have instead.
    changes: &'static [(&'static str, &'static str)],
}

enum Parts {
    /// All but the tests.
    Whole,
    /// These items: each with the `impl` around it, if any, and the beginning of its first line.
    Items(&'static [(&'static str, &'static str)]),
}

use Parts::{Items, Whole};

/// Every order is tried, so everything is as small as it can be while it still grows, fills up and is used again.
pub(crate) const COPIES: &[Copied] = &[
    Copied {
        file: "store/region.rs",
        parts: Whole,
        changes: &[
            ("pub(crate) static EMPTY: Region = Region::new(true);", ""),
            // Loom lets a thread that yields wait for the others.
            ("if attempt > 64 {", "{"),
            ("for attempt in 0..ATTEMPTS", "for _ in 0..ATTEMPTS"),
        ],
    },
    Copied {
        file: "store/fixed_chunks.rs",
        parts: Whole,
        changes: &[("FIXED_CHUNKS: usize = 256", "FIXED_CHUNKS: usize = 2")],
    },
    Copied {
        file: "store/regions.rs",
        parts: Whole,
        changes: &[
            ("#[cfg(test)]\nmod tests;", ""),
            // Of the machine, not of a store: nothing is ordered by it.
            (
                "CAP: AtomicUsize = AtomicUsize::",
                "CAP: core::sync::atomic::AtomicUsize = core::sync::atomic::AtomicUsize::",
            ),
        ],
    },
    Copied {
        file: "store/directory.rs",
        parts: Whole,
        changes: &[
            ("CHUNK_WORDS: usize = 512", "CHUNK_WORDS: usize = 8"),
            ("FIRST: usize = 16", "FIRST: usize = 1"),
            // Loom's words are not made of zeros.
            ("unsafe { memory::zeroed() }", "memory::new(Chunk(std::array::from_fn(|_| AtomicU64::new(0))))"),
        ],
    },
    Copied { file: "store/memory.rs", parts: Whole, changes: &[] },
    Copied {
        file: "store/barrier.rs",
        parts: Whole,
        changes: &[
            // Loom has no system calls; this is what systems without the one do.
            ("#[cfg(all(target_os = \"linux\", not(miri)))]", "#[cfg(any())]"),
            ("#[cfg(not(all(target_os = \"linux\", not(miri))))]", ""),
        ],
    },
    Copied {
        file: "store/table.rs",
        parts: Whole,
        changes: &[
            ("SMALLEST: usize = 16", "SMALLEST: usize = 2"),
            ("STRIDE: usize = 2", "STRIDE: usize = 1"),
            ("const fn empty() -> Bucket {", "fn empty() -> Bucket {"),
            ("[const { AtomicU64::new(0) }; 2]", "std::array::from_fn(|_| AtomicU64::new(0))"),
            ("[const { AtomicU32::new(0) }; LANES]", "std::array::from_fn(|_| AtomicU32::new(0))"),
            // What is freed stays, so that loom can say who still looks at it.
            ("drop(unsafe { Box::from_raw(root) });", ""),
            (
                "drop(unsafe { Box::from_raw(buckets) });",
                "unsafe { &mut *buckets }.iter_mut().for_each(|bucket| bucket.tags[0].with_mut(|_| {}));",
            ),
        ],
    },
    Copied {
        file: "store/blocks.rs",
        parts: Whole,
        changes: &[("FIRST: usize = 32", "FIRST: usize = 2"), ("BLOCKS: usize = 26", "BLOCKS: usize = 3")],
    },
    Copied {
        file: "store/deferred.rs",
        parts: Items(&[
            ("", "pub(crate) struct Deferred {"),
            ("", "struct Node {"),
            ("", "const MOST:"),
            ("", "impl Deferred {"),
            ("", "impl Drop for Deferred {"),
            ("", "unsafe impl Send for Deferred {"),
            ("", "unsafe impl Sync for Deferred {"),
        ]),
        changes: &[],
    },
    Copied {
        file: "store/line.rs",
        parts: Whole,
        changes: &[
            // Two words of labels; the models have none that are kept as text.
            ("u64::from(labels), 0, 0, 0]", "u64::from(labels)]"),
            ("u64::from(words), 0, 0, 0, 0]", "u64::from(words)]"),
            ("[hash[0], hash[1], ", "[hash[0], "),
            ("seeds: &[AtomicU64; WORDS]", "seeds: &[u64; WORDS]"),
        ],
    },
    Copied {
        file: "store/hint.rs",
        parts: Whole,
        changes: &[
            // Of the process, not of a store: nothing is ordered by it.
            (
                "NEXT: AtomicU64 = AtomicU64::",
                "NEXT: core::sync::atomic::AtomicU64 = core::sync::atomic::AtomicU64::",
            ),
        ],
    },
    Copied {
        file: "instrument/runtime/front_end.rs",
        parts: Items(&[("", "pub struct PreparedLabels {"), ("", "impl Sought for PreparedLabels {")]),
        changes: &[],
    },
    Copied { file: "store/layout.rs", parts: Items(&[("", "fn record_into(")]), changes: &[] },
    Copied {
        file: "store/dictionary.rs",
        parts: Items(&[
            ("", "pub(super) struct Writer {"),
            ("", "pub(super) struct Free {"),
            ("impl Dictionary", "pub(crate) fn find_packed("),
            ("impl Dictionary", "pub(crate) fn find_again("),
            ("impl Dictionary", "fn find_and_hint("),
            ("impl Dictionary", "pub(crate) fn find_long("),
            ("impl Dictionary", "pub(super) fn long_key("),
            ("impl Dictionary", "pub(crate) fn line("),
            ("impl Dictionary", "pub(crate) fn line_among_first("),
            ("impl Dictionary", "pub(crate) fn side("),
            ("impl Dictionary", "pub(super) fn writer("),
            ("impl Dictionary", "pub(super) fn add_line("),
            ("impl Dictionary", "pub(super) fn put_in_table("),
            ("impl Dictionary", "pub(super) fn take_out_of_table("),
            ("", "struct HasLabels<"),
            ("", "impl<W: Words> Test for HasLabels<"),
            ("", "struct HasLong<"),
            ("", "impl Test for HasLong<"),
            ("", "pub(crate) trait Sought {"),
            ("", "impl Sought for Packed {"),
            ("", "impl Sought for Long<"),
            ("", "fn take("),
        ]),
        changes: &[],
    },
    Copied {
        file: "store/lifecycle.rs",
        parts: Items(&[
            ("", "struct Grace {"),
            ("", "impl Grace {"),
            ("", "pub(crate) fn have_moved_on("),
            ("", "enum Step {"),
            ("impl Departures", "fn finish("),
            ("impl Leaving", "fn leave("),
            ("impl Leaving", "fn come_back("),
            ("impl Leaving", "fn own_line("),
            (
                "impl Leaving { fn clear(&self, store: &Inner, slot: u32, words: usize)",
                "for chunk in store.regions.iter().filter_map(",
            ),
        ]),
        changes: &[
            ("const PATIENCE: usize = 1_000", "const PATIENCE: usize = 1"),
            ("std::hint::spin_loop();", ""),
            ("store.forget_exemplars(definition, &gone);", ""),
        ],
    },
    Copied { file: "store/unplanned.rs", parts: Whole, changes: &[("MOST: u32 = 4096", "MOST: u32 = 4")] },
    Copied {
        file: "store/past.rs",
        parts: Items(&[
            ("", "pub(crate) struct Past {"),
            ("impl Past", "pub(crate) fn of<"),
            ("impl Past", "pub(crate) fn made<"),
            ("impl Past", "fn lock("),
        ]),
        changes: &[],
    },
    Copied {
        file: "local.rs",
        parts: Items(&[
            ("", "fn add_to<"),
            ("", "pub(crate) fn add_fixed<"),
            ("", "fn in_a_register("),
            ("", "pub(crate) fn map_and_add_fixed<"),
            ("", "pub(crate) fn add_held<"),
            ("", "pub(crate) fn add_series<"),
            ("", "pub(crate) fn record_held("),
            ("", "fn record_at_first_lines("),
            ("", "fn record_held_elsewhere("),
            ("", "fn record_at_line("),
            ("", "fn look_and_write("),
            ("", "pub(crate) fn record_series("),
            ("", "pub(crate) fn map_series("),
            ("", "pub(crate) fn write_at("),
            ("", "pub(crate) fn with_store<"),
            ("", "pub(crate) fn with_region<"),
            ("", "struct Lease<"),
            ("", "impl Drop for Lease<"),
        ]),
        changes: &[("ptr::eq(region, &raw const EMPTY)", "region.is_null()")],
    },
    Copied { file: "number.rs", parts: Whole, changes: &[] },
    Copied { file: "unit.rs", parts: Whole, changes: &[] },
    Copied {
        file: "reading/columns.rs",
        parts: Items(&[
            ("", "pub(super) enum Place {"),
            ("", "pub(super) struct Columns<"),
            ("", "impl<'a> Columns<"),
            ("", "const TRIES:"),
        ]),
        changes: &[],
    },
];

/// What differs between loom and the standard library in every file.
const EVERYWHERE: &[(&str, &str)] = &[
    ("std::sync::", "crate::sync::"),
    ("const fn new", "fn new"),
    ("std::thread::yield_now", "loom::thread::yield_now"),
];

/// The copy of a file, and the names of the mutants whose lines are not in it once.
pub(crate) fn copied(copy: &Copied, text: &str, mutants: &[Mutant]) -> (String, Vec<&'static str>) {
    let text = without_head(text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default());
    let mut made = match copy.parts {
        Whole => text,
        Items(items) => items.iter().map(|(around, begin)| item(copy.file, &text, around, begin)).collect(),
    };
    for (from, to) in copy.changes {
        if !made.contains(from) {
            made += &complaint(copy.file, from);
        }
        made = made.replace(from, to);
    }
    let mut missing = Vec::new();
    for mutant in mutants.iter().filter(|mutant| mutant.file == copy.file) {
        let Mutant { name, right, wrong, .. } = *mutant;
        if made.matches(right).count() != 1 {
            missing.push(name);
            continue;
        }
        let switch = format!("(if crate::run::is({name:?}) {{ {wrong} }} else {{ {right} }})");
        made = made.replace(right, &switch);
    }
    for (from, to) in EVERYWHERE {
        made = made.replace(from, to);
    }
    (made_at_run_time(&made), missing)
}

fn complaint(file: &str, text: &str) -> String {
    let message = format!("{file} does not have what models/src names: {text}");
    format!("compile_error!({message:?});\n")
}

/// Copies are included, where a file cannot begin with what it is for.
fn without_head(text: &str) -> String {
    text.lines().skip_while(|line| line.starts_with("//!")).flat_map(|line| [line, "\n"]).collect()
}

/// The item that begins so, with its attributes, up to the line that closes it.
fn item(file: &str, text: &str, around: &str, begin: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let (begin, second) = begin.split_once('\n').unwrap_or((begin, ""));
    let mut starts = (0..lines.len()).filter(|at| {
        let next = lines.get(at + 1).copied().unwrap_or_default();
        lines[*at].trim_start().starts_with(begin) && next.starts_with(second)
    });
    let (Some(start), None) = (starts.next(), starts.next()) else { return complaint(file, begin) };
    let indent = lines[start].len() - lines[start].trim_start().len();
    let closes = |at: &usize| {
        let (blank, rest) = lines[*at].split_at_checked(indent).unwrap_or(("x", ""));
        blank.trim_start().is_empty()
            && (rest.starts_with('}') || (*at == start && rest.ends_with([';', '}'])))
    };
    let Some(end) = (start..lines.len()).find(closes) else { return complaint(file, begin) };
    let belongs = |line: &&&str| line.trim_start().starts_with("#[");
    let first = start - lines[..start].iter().rev().take_while(belongs).count();
    let item = lines[first..=end].join("\n");
    if around.is_empty() {
        return format!("{item}\n");
    }
    format!("{around} {{\n{item}\n}}{}\n", "}".repeat(around.matches('{').count()))
}

/// Loom's atomics cannot be made at compile time: `[const { a }; n]` becomes a call.
fn made_at_run_time(text: &str) -> String {
    let mut parts = text.split("[const { ");
    let mut made = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(" }; ").and_then(|(value, rest)| Some((value, rest.split_once(']')?))) {
            Some((value, (_, rest))) => made += &format!("std::array::from_fn(|_| {value}){rest}"),
            None => made += &format!("[const {{ {part}"),
        }
    }
    made
}
