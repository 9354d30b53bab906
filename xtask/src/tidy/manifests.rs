//! Every member takes what is the same for all from the workspace.

use std::path::Path;

use crate::workspace::Package;

pub(super) fn check(package: &Package, root: &Path) -> Vec<String> {
    let path = package.manifest.strip_prefix(root).unwrap_or(&package.manifest).display();
    match std::fs::read_to_string(&package.manifest) {
        Ok(text) => missing(&text)
            .into_iter()
            .map(|(section, line)| {
                format!("{path}: [{section}] has no line `{line}`; the workspace says it for all")
            })
            .collect(),
        Err(error) => vec![format!("{path}: cannot be read: {error}")],
    }
}

const INHERITED: [(&str, &str); 4] = [
    ("package", "edition.workspace = true"),
    ("package", "license.workspace = true"),
    ("package", "rust-version.workspace = true"),
    ("lints", "workspace = true"),
];

fn missing(manifest: &str) -> Vec<(&'static str, &'static str)> {
    let mut section = "";
    let mut present = Vec::new();
    for line in manifest.lines().map(str::trim) {
        match line.strip_prefix('[').and_then(|line| line.split(']').next()) {
            Some(name) => section = name,
            None => present.push((section, line)),
        }
    }
    INHERITED.into_iter().filter(|line| !present.contains(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inherited_is_not_missing() {
        let manifest = "[package]\nname = \"a\"\nedition.workspace = true\nrust-version.workspace = true\n\
                        license.workspace = true\n\n[lints]\nworkspace = true\n";
        assert_eq!(missing(manifest), []);
    }

    #[test]
    fn a_line_counts_in_its_section_only() {
        let manifest =
            "[package]\nedition.workspace = true\nlicense = \"MIT\"\n[x]\nrust-version.workspace = true\n";
        let expected = [INHERITED[1], INHERITED[2], INHERITED[3]];
        assert_eq!(missing(manifest), expected);
    }
}
