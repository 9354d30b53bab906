//! Runs every folder of `cases/`, and compares what came out with what the folder says, and what others understand of it with
//! what was recorded.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use conformance::{Given, Outcome, oracle, run_all, use_programs};

mod judges;

use judges::{Judged, judge};

/// A case that was run.
struct Case {
    folder: PathBuf,
    claim: String,
    given: Given,
    outcome: Outcome,
}

fn cases() -> Vec<Case> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut folders: Vec<_> =
        fs::read_dir(&cases).expect("cases/").map(|entry| entry.expect("a folder").path()).collect();
    folders.sort();
    assert!(folders.len() > 10, "{} cases", folders.len());
    let read = |folder: &PathBuf| {
        let claim = folder.file_name().expect("a name").to_string_lossy().into_owned();
        (claim, Given::parse(&fs::read_to_string(folder.join("given.toml")).expect("given.toml")))
    };
    let given: Vec<_> = folders.iter().map(read).collect();
    let outcomes = run_all(&given);
    let cases = folders.into_iter().zip(given).zip(outcomes);
    cases.map(|((folder, (claim, given)), outcome)| Case { folder, claim, given, outcome }).collect()
}

/// A page on which the times of exemplars are said to be times, and not which: they are those of the run.
fn timeless(page: &str) -> String {
    let line = |line: &str| match line.rsplit_once(' ') {
        Some((rest, time)) if line.contains(" # {") => {
            let time: f64 = time.parse().expect("the time of an exemplar");
            let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs_f64();
            assert!((0.0..600.0).contains(&(now - time)), "{line}");
            format!("{rest} TIME\n")
        }
        _ => format!("{line}\n"),
    };
    page.lines().map(line).collect()
}

#[test]
fn every_case_comes_out_as_its_folder_says() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut faults = Vec::new();
    for Case { folder, claim, given, outcome } in cases() {
        let pages = ["prometheus"].into_iter().chain(given.pages.iter().map(String::as_str));
        let pages =
            pages.map(|file| (file, timeless(std::str::from_utf8(&outcome.page(file).body).expect("UTF-8"))));
        let others = [
            ("otlp", outcome.otlp()),
            ("otlp_between", outcome.otlp_between()),
            ("log", outcome.log.clone()),
        ];
        for (file, got) in pages.chain(others) {
            let path = folder.join(format!("{file}.txt"));
            let expected = fs::read_to_string(&path).unwrap_or_default();
            if update && got.is_empty() {
                let _ = fs::remove_file(&path);
            } else if update {
                fs::write(&path, got).expect("cases/ can be written");
            } else if expected != got {
                faults.push(format!("{claim}/{file}.txt: expected\n{expected}\ngot\n{got}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}\n(UPDATE=1 writes the files anew)", faults.join("\n"));
}

#[test]
fn promtool_reads_the_page_of_every_case() {
    if !use_programs("promtool_reads_the_page_of_every_case", "promtool") {
        return;
    }
    for Case { claim, outcome, .. } in cases() {
        if let Err(reason) = oracle::promtool::check(&outcome.page("prometheus").body) {
            panic!("{claim}: {reason}");
        }
    }
}

#[test]
fn parsers_and_servers_of_others_understand_what_every_case_recorded() {
    let name = "parsers_and_servers_of_others_understand_what_every_case_recorded";
    if !use_programs(name, "prometheus, prometheus-pushgateway, victoria-metrics, Python packages") {
        return;
    }
    let judged =
        cases().into_iter().map(|Case { claim, given, outcome, .. }| Judged { name: claim, given, outcome });
    judge(&judged.collect::<Vec<_>>());
}
