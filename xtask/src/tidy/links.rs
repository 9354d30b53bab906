//! Every relative link of a Markdown file leads to a file.

use super::files::File;

/// `exists` is asked for paths from the root.
pub(super) fn check(file: &File, exists: impl Fn(&str) -> bool) -> Vec<String> {
    if !file.path.ends_with(".md") {
        return Vec::new();
    }
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut troubles = Vec::new();
    let mut in_block = false;
    for (number, line) in file.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            for target in targets(&without_code(line)) {
                if !resolve(folder, target).is_some_and(|path| exists(&path)) {
                    troubles.push(format!(
                        "{}:{number}: the link to {target} leads nowhere; links are relative to the file",
                        file.path
                    ));
                }
            }
        }
    }
    troubles
}

/// The line with its inline code blanked, where brackets are no links.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join(" ")
}

/// The targets of `[text](target "title")` and `[name]: target` that name files.
fn targets(line: &str) -> Vec<&str> {
    let inline = line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
    let definition = line
        .strip_prefix('[')
        .filter(|rest| !rest.starts_with('^'))
        .and_then(|rest| rest.split_once("]:"))
        .and_then(|(_, target)| target.split_whitespace().next());
    inline
        .chain(definition)
        .map(|target| target.trim_matches(['<', '>']))
        .map(|target| target.split('#').next().unwrap_or_default())
        // A colon makes an address (`https:`, `mailto:`) or a path of Rust, which rustdoc checks.
        .filter(|target| !target.is_empty() && !target.contains(':'))
        .collect()
}

/// The target as a path from the root; `None` if it leaves the repository.
fn resolve(folder: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = if target.starts_with('/') { Vec::new() } else { folder.split('/').collect() };
    for part in target.split('/') {
        match part {
            ".." => {
                parts.pop().filter(|part| !part.is_empty())?;
            }
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.retain(|part| !part.is_empty());
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(text: &str) -> Vec<String> {
        let file = File { path: "docs/a.md".to_owned(), text: text.to_owned() };
        check(&file, |path| ["README.md", "docs/b.md", ""].contains(&path))
    }

    #[test]
    fn links_that_lead_somewhere_are_fine() {
        let text = "[b](b.md) and [b](./b.md#part \"title\"), [up](../README.md), [root](/docs/b.md), [folder](..)\n\
                    [part](#part) [site](https://docs.rs/metercast) [mail](mailto:a@b) [type](crate::Store)\n\
                    [name]: b.md\n[^1]: a footnote\n";
        assert_eq!(check_text(text), Vec::<String>::new());
    }

    #[test]
    fn a_dangling_link_is_named_with_its_line() {
        let found = check_text("fine\n[c](c.md)\n[name]: d.md\n[out](../../README.md)");
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].starts_with("docs/a.md:2: the link to c.md leads nowhere"), "{found:?}");
    }

    #[test]
    fn code_holds_no_links() {
        assert_eq!(check_text("`a[i](x)` and\n```rust\nf[0](y)\n```\n"), Vec::<String>::new());
    }
}
