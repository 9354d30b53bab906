//! The exporter of the page *Write an exporter*, as somebody else would have it: outside of the workspace.

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn an_exporter_of_three_files_is_built_outside_of_the_workspace_and_passes_its_tests() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (from, to) = (docs.join("exporter"), Path::new(env!("CARGO_TARGET_TMPDIR")).join("exporter"));
    let files = ["src/lib.rs", "src/format.rs", "src/transport.rs"];
    for path in files.into_iter().chain(["tests/graphite.rs"]) {
        fs::create_dir_all(to.join(path).parent().unwrap()).unwrap();
        fs::copy(from.join(path), to.join(path)).unwrap();
    }
    assert_eq!(fs::read_dir(from.join("src")).unwrap().count(), files.len());
    let manifest = fs::read_to_string(from.join("Cargo.toml")).unwrap();
    let here = docs.join("..").canonicalize().unwrap();
    fs::write(to.join("Cargo.toml"), manifest.replace("../..", here.to_str().unwrap())).unwrap();
    // The versions that the workspace is tested with.
    fs::copy(here.join("Cargo.lock"), to.join("Cargo.lock")).unwrap();
    let tested = Command::new(env!("CARGO"))
        .args(["test", "--quiet"])
        .current_dir(&to)
        // Kept between runs, apart from the workspace's own, whose lock the running test command may hold.
        .env("CARGO_TARGET_DIR", to.parent().unwrap().join("target"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&tested.stdout);
    assert!(tested.status.success(), "{said}{}", String::from_utf8_lossy(&tested.stderr));
    assert!(said.contains("1 passed"), "{said}");
}
