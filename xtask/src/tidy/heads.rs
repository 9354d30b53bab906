//! Every source file says in its first line what it is for.

use super::files::File;

pub(super) fn check(file: &File) -> Option<String> {
    let bare = has_head(&file.path) && !file.text.starts_with("//!");
    bare.then(|| format!("{}:1: opens without `//!`; say in one sentence what the file is for", file.path))
}

fn has_head(path: &str) -> bool {
    let folders: Vec<_> = path.split('/').collect();
    path.ends_with(".rs")
        && matches!(
            folders[..],
            ["crates" | "services", _, "src", ..] | ["conformance", ..] | ["xtask", "src", ..]
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_at(path: &str, text: &str) -> Option<String> {
        check(&File { path: path.to_owned(), text: text.to_owned() })
    }

    #[test]
    fn sources_open_with_what_they_are_for() {
        for path in [
            "crates/a/src/lib.rs",
            "services/a/src/b/c.rs",
            "conformance/tests/cases.rs",
            "xtask/src/main.rs",
        ] {
            assert_eq!(check_at(path, "//! What it is for.\n"), None);
            let trouble = check_at(path, "\n//! Too late.\n").unwrap();
            assert!(trouble.starts_with(&format!("{path}:1: ")), "{trouble}");
        }
    }

    #[test]
    fn other_files_are_left_alone() {
        for path in ["crates/a/src/page.html", "crates/a/tests/ui/fail.rs", "README.md"] {
            assert_eq!(check_at(path, "text"), None);
        }
    }
}
