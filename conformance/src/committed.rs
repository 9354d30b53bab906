//! Files that are committed and made by programs: a test says if one is not what it should be, and `UPDATE=1` writes it anew.

use std::path::Path;

/// Holds a file against what it should be.
///
/// # Panics
///
/// If it is not that, and `UPDATE` is not `1`; or if it cannot be written.
#[track_caller]
pub fn assert_committed(path: &Path, expected: &str) {
    let shown = path.display();
    if std::env::var("UPDATE").is_ok_and(|update| update == "1") {
        std::fs::write(path, expected).unwrap_or_else(|error| panic!("cannot write {shown}: {error}"));
        return;
    }
    let found = std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("cannot read {shown}: {error}; UPDATE=1 writes it"));
    let differs = found.lines().zip(expected.lines()).enumerate().find(|(_, (found, made))| found != made);
    if let Some((at, (found, made))) = differs {
        panic!("{shown}:{}: is\n{found}\nand is made\n{made}\nUPDATE=1 writes it anew", at + 1);
    }
    assert_eq!(found, expected, "{shown} ends earlier or later than what is made; UPDATE=1 writes it anew");
}

/// A catalogue as data that changes with the metrics alone: one on each line, without the lines and versions of their places.
///
/// # Panics
///
/// If it is no catalogue.
pub fn catalogue(json: &str) -> String {
    let mut catalogue: serde_json::Value = serde_json::from_str(json).expect("a catalogue as JSON");
    let metrics = catalogue["metrics"].as_array_mut().expect("a list of metrics");
    for place in metrics.iter_mut().filter_map(|metric| metric["places"].as_array_mut()).flatten() {
        let place = place.as_object_mut().expect("a place");
        place.retain(|key, _| ["package", "module", "file"].contains(&key.as_str()));
    }
    let lines: Vec<String> = metrics.iter().map(ToString::to_string).collect();
    format!("{{\"metrics\":[\n{}\n]}}\n", lines.join(",\n"))
}
