//! The published crates build with the oldest versions that their manifests ask for: a bound that is too low would break whoever has
//! an older lock file.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cargo;
use crate::workspace::{Package, Workspace};

/// Unpacks what would be published into a workspace of its own, has cargo choose the oldest direct dependencies, and, in a long
/// run, checks the crates with all features: hardly anything that others have built can be used.
pub(crate) fn check(workspace: &Workspace, is_long: bool) -> Vec<String> {
    let published: Vec<_> = workspace.packages().iter().filter(|package| package.published).collect();
    let folder = workspace.target().join("minimal");
    let made = super::pack(workspace, &published)
        .and_then(|()| lay_out(workspace, &published, &folder))
        .and_then(|()| choose(&folder))
        .and_then(|()| if is_long { build(workspace, &folder) } else { Ok(()) });
    made.err().into_iter().collect()
}

/// A workspace of the packages as they would be published, but for what they need for their tests: that reaches nobody.
pub(super) fn lay_out(workspace: &Workspace, published: &[&Package], folder: &Path) -> Result<(), String> {
    let wrong = |error: std::io::Error| format!("{}: cannot be filled: {error}", folder.display());
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(wrong(error)),
        _ => fs::create_dir_all(folder).map_err(wrong)?,
    }
    let mut root = String::from("[workspace]\nresolver = \"3\"\nmembers = [\"*\"]\n\n[patch.crates-io]\n");
    for Package { name, version, .. } in published {
        let packed = workspace.target().join("package").join(format!("{name}-{version}.crate"));
        let status =
            Command::new("tar").arg("-xzf").arg(&packed).arg("-C").arg(folder).status().map_err(wrong)?;
        if !status.success() {
            return Err(format!("{}: tar ended with {status}", packed.display()));
        }
        root += &format!("{name} = {{ path = \"{name}-{version}\" }}\n");
        let manifest = folder.join(format!("{name}-{version}/Cargo.toml"));
        let text = fs::read_to_string(&manifest).map_err(wrong)?;
        fs::write(&manifest, without_tests(&text)).map_err(wrong)?;
    }
    fs::write(folder.join("Cargo.toml"), root).map_err(wrong)
}

/// A manifest as cargo writes it into a package, without what tests need.
fn without_tests(manifest: &str) -> String {
    let mut kept = String::new();
    let mut is_kept = true;
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_kept =
                !line.trim_start_matches('[').split('.').any(|part| part.starts_with("dev-dependencies"));
        }
        if is_kept {
            kept += line;
            kept.push('\n');
        }
    }
    kept
}

/// Writes the lock file. What is chosen is an unstable option, which the variable opens for this one command.
fn choose(folder: &Path) -> Result<(), String> {
    let mut command = cargo::bare();
    command.current_dir(folder).args(["generate-lockfile", "-Z", "direct-minimal-versions"]);
    command.env("RUSTC_BOOTSTRAP", "1");
    cargo::run(command, "two crates ask for versions that do not go together; raise the lower one")
}

/// Checks, and does not build: what is missing in an older version is missing then.
fn build(workspace: &Workspace, folder: &Path) -> Result<(), String> {
    let mut command = cargo::bare();
    command.current_dir(folder).args(["check", "--workspace", "--all-features", "--locked"]);
    command.env("CARGO_TARGET_DIR", workspace.target());
    cargo::run(command, "raise the bound of what it names to the version that has it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tests_need_is_left_out_of_a_manifest() {
        let text = "[package]\nname = \"a\"\n\n[dependencies.b]\nversion = \"1\"\n\n[dev-dependencies.c]\nversion = \"1\"\n\n\
                    [target.'cfg(unix)'.dev-dependencies.e]\nversion = \"1\"\n\n[lints.rust]\nx = \"warn\"\n";
        let expected =
            "[package]\nname = \"a\"\n\n[dependencies.b]\nversion = \"1\"\n\n[lints.rust]\nx = \"warn\"\n";
        assert_eq!(without_tests(text), expected);
    }
}
