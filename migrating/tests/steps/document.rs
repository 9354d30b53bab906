//! `MIGRATING.md` shows the programs as they are: each block below a comment that says where it is from has what stands
//! there. `UPDATE=1` writes it.

use std::path::Path;

use crate::page::difference;
use crate::program::run;

#[test]
fn the_document_shows_the_programs_as_they_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let path = root.join("MIGRATING.md");
    let there = std::fs::read_to_string(&path).unwrap();
    let (written, blocks) = filled(&there, &root);
    assert!(blocks >= 30, "only {blocks} blocks of MIGRATING.md come from programs");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &written).unwrap();
        return;
    }
    if let Some((line, (is, should))) =
        there.lines().zip(written.lines()).enumerate().find(|(_, (is, should))| is != should)
    {
        panic!("MIGRATING.md:{}: is {is:?}, should be {should:?}; UPDATE=1 writes it", line + 1);
    }
    assert_eq!(there, written, "UPDATE=1 writes it");
}

/// Every block of code is compiled or printed by a step, but for those in a shell.
#[test]
fn no_code_of_the_document_stands_there_unchecked() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../MIGRATING.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut above = "";
    let mut is_inside = false;
    for (number, line) in text.lines().enumerate() {
        if let Some(language) = line.strip_prefix("```") {
            is_inside = !is_inside;
            let is_checked = above.starts_with("<!-- ") || language == "sh";
            assert!(!is_inside || is_checked, "MIGRATING.md:{}: nobody says where this is from", number + 1);
        }
        above = line;
    }
}

/// The document with its blocks as they should be, and how many there are.
fn filled(document: &str, root: &Path) -> (String, usize) {
    let (mut filled, mut blocks) = (String::new(), 0);
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        filled += &format!("{line}\n");
        let Some(order) = line.strip_prefix("<!-- ").and_then(|line| line.strip_suffix(" -->")) else {
            continue;
        };
        let fence = lines.next().unwrap_or_default();
        assert!(fence.starts_with("```"), "below {line:?} stands {fence:?}, no block");
        for inside in lines.by_ref() {
            if inside == "```" {
                break;
            }
        }
        filled += &format!("{fence}\n{}```\n", block(order, root));
        blocks += 1;
    }
    (filled, blocks)
}

/// What a comment asks for: `FILE`, `FILE, region NAME`, `page: STEP becomes STEP[, lines with TEXT]`, or the same of the `push`.
fn block(order: &str, root: &Path) -> String {
    let (order, detail) = order.split_once(", ").unwrap_or((order, ""));
    let steps = |steps: &str| {
        let (before, after) = steps.split_once(" becomes ").expect("two steps");
        (run(before), run(after))
    };
    let difference = if let Some(of) = order.strip_prefix("page: ") {
        let (before, after) = steps(of);
        difference(&before.page, &after.page)
    } else if let Some(of) = order.strip_prefix("push: ") {
        let (before, after) = steps(of);
        difference(&before.pushed, &after.pushed)
    } else {
        let text =
            std::fs::read_to_string(root.join(order)).unwrap_or_else(|error| panic!("{order}: {error}"));
        return match detail.strip_prefix("region ") {
            Some(name) => region(&text, name).unwrap_or_else(|| panic!("{order} has no region {name}")),
            None => text,
        };
    };
    if difference.is_empty() {
        return "no line differs\n".to_owned();
    }
    let wanted = detail.strip_prefix("lines with ").unwrap_or_default();
    difference.lines().filter(|line| line.contains(wanted)).map(|line| format!("{line}\n")).collect()
}

/// The lines of a region, as they would stand in a program of one file.
fn region(text: &str, name: &str) -> Option<String> {
    let begin = format!("// region: {name}");
    let lines = text.lines().skip_while(|line| line.trim() != begin).skip(1);
    let lines: Vec<&str> = lines.take_while(|line| line.trim() != "// endregion").collect();
    (!lines.is_empty()).then(|| lines.iter().map(|line| line.replace("pub(crate) ", "") + "\n").collect())
}
