//! The programs in `examples` do what they say at their heads.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Each runs by itself and ends by itself; what it prints stands at its head, behind the command.
#[test]
fn every_example_prints_what_stands_at_its_head() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    // This test is in `deps`, beside which cargo puts the examples.
    let built = std::env::current_exe().unwrap().parent().unwrap().join("../examples");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let names: BTreeSet<String> =
        files.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    assert!(names.len() >= 5, "{names:?}");
    for name in names {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/{name}.rs"));
        let head: Vec<String> = fs::read_to_string(source)
            .unwrap()
            .lines()
            .map_while(|line| line.strip_prefix("//!"))
            .map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned())
            .collect();
        let shown =
            head.iter().skip_while(|line| *line != "```text").skip(1).take_while(|line| *line != "```");
        let mut shown = shown.map(String::as_str);
        assert_eq!(shown.next(), Some(format!("$ cargo run -q -p docs --example {name}").as_str()));
        let output = Command::new(built.join(&name)).output().unwrap_or_else(|error| {
            panic!(
                "{name}: {error}; `cargo build -p docs --examples` builds it, as `cargo test -p docs` does"
            )
        });
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {said}");
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(printed.lines().collect::<Vec<_>>(), shown.collect::<Vec<_>>(), "{name}: {said}");
    }
}
