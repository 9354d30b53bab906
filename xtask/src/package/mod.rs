//! Every crate that is published can be: it says what a registry shows, sends out the files that belong to it and no others, and
//! builds from them.

pub(crate) mod minimal;

use std::path::Path;

use crate::cargo;
use crate::report::Outcome;
use crate::workspace::{Package, Workspace};

/// What stands beside the sources of a published crate. The first two are written by cargo.
const BESIDE: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "Cargo.toml.orig",
    ".cargo_vcs_info.json",
    "README.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
];

/// What must be among them.
const REQUIRED: &[&str] = &["Cargo.toml", "README.md", "LICENSE-APACHE", "LICENSE-MIT"];

/// The largest file that goes out, in bytes. Sources are far below; data for tests would not be.
const LARGEST: u64 = 128 * 1024;

/// Looks at every published crate, and has cargo package them all and build each from its package.
pub(crate) fn check(workspace: &Workspace) -> Outcome {
    let published: Vec<_> = workspace.packages().iter().filter(|package| package.published).collect();
    let mut troubles = Vec::new();
    for package in &published {
        troubles
            .extend(package.unsaid.iter().map(|key| format!("{}: Cargo.toml says no `{key}`", package.name)));
        match files(workspace, package) {
            Ok(files) => {
                println!("{}: {} files", package.name, files.len());
                troubles.extend(wrong(&package.name, &files));
            }
            Err(trouble) => troubles.push(trouble),
        }
    }
    if troubles.is_empty() {
        troubles.extend(build(workspace, &published).err());
    }
    Outcome::of(troubles)
}

/// The files of a package, each with its size where it is a file of ours.
fn files(workspace: &Workspace, package: &Package) -> Result<Vec<(String, u64)>, String> {
    let mut command = cargo::command(workspace, &["package", "-p", &package.name, "--list", "--allow-dirty"]);
    let line = cargo::line_of(&command);
    let output = command.output().map_err(|error| cargo::cannot_start(&line, &error))?;
    if !output.status.success() {
        return Err(format!("`{line}` failed:\n{}", String::from_utf8_lossy(&output.stderr).trim_end()));
    }
    let folder = package.manifest.parent().unwrap_or(Path::new("."));
    let text = String::from_utf8_lossy(&output.stdout);
    let size = |path: &str| std::fs::metadata(folder.join(path)).map_or(0, |file| file.len());
    Ok(text.lines().map(|path| (path.to_owned(), size(path))).collect())
}

/// What is wrong with the files that would go out.
fn wrong(name: &str, files: &[(String, u64)]) -> Vec<String> {
    let mut troubles = Vec::new();
    for (path, size) in files {
        if !BESIDE.contains(&path.as_str()) && !path.starts_with("src/") {
            troubles.push(format!(
                "{name}: {path} would be published; write `include.workspace = true` in its Cargo.toml, or list it in {}",
                file!()
            ));
        } else if *size > LARGEST {
            troubles.push(format!(
                "{name}: {path} would be published with {size} bytes; what is larger than {LARGEST} belongs beside `src`"
            ));
        }
    }
    let has = |path: &str| files.iter().any(|(there, _)| there == path);
    for path in REQUIRED.iter().filter(|path| !has(path)) {
        let mend = if path.starts_with("LICENSE") {
            format!("ln -s ../../{path} crates/{name}/{path}")
        } else {
            "write it".to_owned()
        };
        troubles.push(format!("{name}: {path} is missing; {mend}"));
    }
    if !has("src/lib.rs") && !has("src/main.rs") {
        troubles.push(format!("{name}: no sources would be published"));
    }
    troubles
}

/// Builds all from their packages, side by side. Cargo's own verification would build each beside copies of the others that it keeps in
/// its home and finds there by version alone, so that they are those of an earlier day.
fn build(workspace: &Workspace, published: &[&Package]) -> Result<(), String> {
    let folder = workspace.target().join("packaged");
    pack(workspace, published)?;
    minimal::lay_out(workspace, published, &folder)?;
    let lock = folder.join("Cargo.lock");
    std::fs::copy(workspace.root().join("Cargo.lock"), &lock)
        .map_err(|error| format!("{}: cannot be written: {error}", lock.display()))?;
    let mut command = cargo::bare();
    command.current_dir(&folder).args(["check", "--workspace", "--offline"]);
    command.env("CARGO_TARGET_DIR", workspace.target());
    cargo::run(command, "what it names is not in the package, or not in its Cargo.toml")
}

/// All at once, so that cargo lets each find the others as if they were published.
fn pack(workspace: &Workspace, published: &[&Package]) -> Result<(), String> {
    // Everything is there then, and cargo need not ask the registry for each of them.
    cargo::run(cargo::command(workspace, &["fetch", "--locked"]), "is the registry reachable?")?;
    let mut command =
        cargo::command(workspace, &["package", "--no-verify", "--locked", "--offline", "--allow-dirty"]);
    for package in published {
        command.args(["-p", &package.name]);
    }
    command.env("CARGO_TARGET_DIR", workspace.target());
    cargo::run(command, "what it names is not in the package, or not in its Cargo.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong_with(files: &[(&str, u64)]) -> Vec<String> {
        let files: Vec<_> = files.iter().map(|(path, size)| ((*path).to_owned(), *size)).collect();
        wrong("a", &files)
    }

    const ALL: [(&str, u64); 7] = [
        ("Cargo.lock", 9),
        ("Cargo.toml", 9),
        ("Cargo.toml.orig", 9),
        ("README.md", 9),
        ("LICENSE-APACHE", 9),
        ("LICENSE-MIT", 9),
        ("src/lib.rs", 9),
    ];

    #[test]
    fn sources_and_what_stands_beside_them_go_out() {
        assert_eq!(wrong_with(&ALL), [""; 0]);
    }

    #[test]
    fn what_is_no_source_is_named_and_so_is_what_is_too_large() {
        let mut files = ALL.to_vec();
        files.extend([("tests/data.bin", 9), ("src/table.rs", LARGEST + 1)]);
        let found = wrong_with(&files);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("a: tests/data.bin would be published; "), "{found:?}");
        assert!(found[1].starts_with("a: src/table.rs would be published with 131073 bytes"), "{found:?}");
    }

    #[test]
    fn what_is_missing_is_named_with_the_mend() {
        let found = wrong_with(&[("Cargo.toml", 9), ("README.md", 9), ("LICENSE-MIT", 9)]);
        let expected = [
            "a: LICENSE-APACHE is missing; ln -s ../../LICENSE-APACHE crates/a/LICENSE-APACHE",
            "a: no sources would be published",
        ];
        assert_eq!(found, expected);
    }
}
