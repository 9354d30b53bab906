//! Runs every folder of `cases/`, and compares what came out with what the folder says.

use std::fs;
use std::path::Path;

use conformance::{Given, check, run, use_programs};

#[test]
fn every_case_comes_out_as_its_folder_says() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let programs = use_programs("every_case_comes_out_as_its_folder_says", "promtool");
    let update = std::env::var_os("UPDATE").is_some();
    let mut folders: Vec<_> =
        fs::read_dir(&cases).expect("cases/").map(|entry| entry.expect("a folder").path()).collect();
    folders.sort();
    assert!(folders.len() > 10, "{} cases", folders.len());

    let mut faults = Vec::new();
    for folder in &folders {
        let claim = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let given = Given::parse(&fs::read_to_string(folder.join("given.toml")).expect("given.toml"));
        let outcome = run(&given);
        if programs && let Err(reason) = check(&outcome.prometheus) {
            faults.push(format!("{claim}: promtool cannot read the page: {reason}"));
        }
        for (file, got) in
            [("prometheus.txt", &outcome.prometheus), ("otlp.txt", &outcome.otlp), ("log.txt", &outcome.log)]
        {
            let path = folder.join(file);
            let expected = fs::read_to_string(&path).unwrap_or_default();
            if update && got.is_empty() {
                let _ = fs::remove_file(&path);
            } else if update {
                fs::write(&path, got).expect("cases/ can be written");
            } else if expected != *got {
                faults.push(format!("{claim}/{file}: expected\n{expected}\ngot\n{got}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}\n(UPDATE=1 writes the files anew)", faults.join("\n"));
}
