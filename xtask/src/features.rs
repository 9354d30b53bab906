//! Each feature of each published crate, alone: a feature that leans on another one shows here. And what is only there in builds with
//! flags of their own.

use crate::cargo;
use crate::workspace::{Package, Workspace};

/// Lints every published crate without features, and with each one alone.
pub(crate) fn check(workspace: &Workspace) -> Vec<String> {
    let published = workspace.packages().iter().filter(|package| package.published);
    let alone = published.flat_map(commands).filter_map(|arguments| {
        println!("cargo {}", arguments.join(" "));
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        cargo::run(
            cargo::command(workspace, &arguments),
            "the feature must name in Cargo.toml what it leans on",
        )
        .err()
    });
    alone.chain(tokio_unstable(workspace)).collect()
}

/// Tests what Tokio has in builds that ask for what it calls unstable. It is built anew for that, with the little that it leans on.
fn tokio_unstable(workspace: &Workspace) -> Option<String> {
    let arguments = ["test", "-q", "-p", "metercast-process", "--test", "runtime", "--locked"];
    println!("RUSTFLAGS=\"--cfg tokio_unstable\" cargo {}", arguments.join(" "));
    let mut command = cargo::command(workspace, &arguments);
    command.env("CARGO_ENCODED_RUSTFLAGS", "--cfg\u{1f}tokio_unstable");
    cargo::run(command, "src/runtime/unstable.rs of metercast-process follows Tokio's newest version").err()
}

/// Clippy, not check: its `-D warnings` reaches the member alone, where RUSTFLAGS would rebuild all dependencies.
fn commands(package: &Package) -> Vec<Vec<String>> {
    let alone = package.features.iter().map(|feature| vec!["--features", feature.as_str()]);
    std::iter::once(Vec::new())
        .chain(alone)
        .map(|features| {
            let head = ["clippy", "-q", "-p", &package.name, "--no-default-features"];
            let tail = ["--locked", "--", "-D", "warnings"];
            head.into_iter().chain(features).chain(tail).map(str::to_owned).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_and_each_one_alone() {
        let package = Package {
            name: "a".to_owned(),
            manifest: "a/Cargo.toml".into(),
            published: true,
            features: vec!["serve".to_owned(), "otlp".to_owned()],
            allowed_external: Vec::new(),
            unsaid: Vec::new(),
            version: "1.0.0".to_owned(),
        };
        let lines: Vec<_> = commands(&package).iter().map(|words| words.join(" ")).collect();
        assert_eq!(
            lines,
            [
                "clippy -q -p a --no-default-features --locked -- -D warnings",
                "clippy -q -p a --no-default-features --features serve --locked -- -D warnings",
                "clippy -q -p a --no-default-features --features otlp --locked -- -D warnings",
            ]
        );
    }
}
