//! Unsafe code lives in the few files of a table, and nowhere else.

use super::code;
use super::files::File;

/// The files that may hold unsafe code. Each is read with more care than the rest, so each new row wants a reason.
const UNSAFE_FILES: &[&str] = &[
    // The name of a section: the compiler counts it as unsafe.
    "crates/metercast-core/src/macros/note.rs",
    "crates/metercast-core/src/local.rs",
    "crates/metercast-core/src/store/region.rs",
    "crates/metercast-core/src/store/regions.rs",
    "crates/metercast-core/src/store/fixed_chunks.rs",
    "crates/metercast-core/src/store/directory.rs",
    "crates/metercast-core/src/store/blocks.rs",
    "crates/metercast-core/src/store/table.rs",
    "crates/metercast-core/src/store/wide.rs",
    "crates/metercast-core/src/store/barrier.rs",
    "crates/metercast-core/src/store/lifecycle.rs",
    "crates/metercast-core/src/label/overread.rs",
    "crates/metercast-core/src/store/memory.rs",
    "crates/metercast-core/src/store/deferred.rs",
    "crates/metercast-core/src/store/unplanned.rs",
    "crates/metercast-core/tests/allocator.rs",
    "crates/metercast-core/tests/fork.rs",
    "crates/metercast-core/tests/heap/mod.rs",
    "crates/metercast/tests/heap/mod.rs",
    // A global allocator that counts, which cannot be written without.
    "bench/src/heap.rs",
    // Calls into ThreadSanitizer and the standard library by the linker's names.
    "sanitizers/happens_before.rs",
    // Wrong on purpose, so that the sanitizers have something to see.
    "sanitizers/src/bin/freed.rs",
    "sanitizers/src/bin/race.rs",
];

pub(super) fn check(files: &[File]) -> Vec<String> {
    against(files, UNSAFE_FILES)
}

fn against(files: &[File], table: &[&str]) -> Vec<String> {
    let mut troubles = Vec::new();
    let mut used = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".rs")) {
        let Some(line) = code::line_of_word(&code::only(&file.text), "unsafe") else { continue };
        match table.iter().find(|row| **row == file.path) {
            Some(row) => used.push(row),
            None => troubles.push(format!(
                "{}:{line}: unsafe code; write it safely, or move it to a file of the table in xtask/src/tidy/unsafe_code.rs",
                file.path
            )),
        }
    }
    // A row that is left over would let unsafe code in unseen.
    for row in table.iter().filter(|row| !used.contains(row)) {
        troubles
            .push(format!("{row}: holds no unsafe code; remove its row from xtask/src/tidy/unsafe_code.rs"));
    }
    troubles
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn unsafe_code_outside_the_table_is_found() {
        let files = [file("a.rs", "fn f() {\n    unsafe { g() }\n}"), file("b.rs", "unsafe fn h() {}")];
        let found = against(&files, &["b.rs"]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("a.rs:2: unsafe code"), "{found:?}");
    }

    #[test]
    fn words_in_comments_strings_and_names_are_no_code() {
        let text = "#![forbid(unsafe_code)]\n// unsafe\n/* unsafe */ const A: &str = \"unsafe\";";
        assert_eq!(against(&[file("a.rs", text), file("a.md", "unsafe")], &[]), Vec::<String>::new());
    }

    #[test]
    fn a_row_without_unsafe_code_is_to_be_removed() {
        let found = against(&[file("a.rs", "fn f() {}")], &["a.rs", "gone.rs"]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[1].starts_with("gone.rs: holds no unsafe code"), "{found:?}");
    }
}
