//! Two versions of a program, by its file or by what was printed of it.

use serde_json::{Value, json};

use crate::support::{file, page, run};

const PROGRAM: &str = env!("CARGO_BIN_EXE_metercast");

/// The catalogue of the program itself, which has the demo's metrics.
fn catalogue() -> Value {
    let ran = run(&["docs", "--binary", PROGRAM, "--json"]);
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn a_program_is_what_was_printed_of_it() {
    let printed = file("same.json", &catalogue().to_string());
    let ran = run(&["diff", &printed, PROGRAM]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    assert!(ran.stdout.starts_with("nothing changed in "), "{}", ran.stdout);
}

#[test]
fn what_breaks_is_told_from_what_is_added() {
    let mut was = catalogue();
    let metrics = was["metrics"].as_array_mut().unwrap();
    let placed = metrics.iter_mut().find(|metric| metric["name"] == "orders.placed").unwrap();
    let mut gone = placed.clone();
    placed["kind"] = json!("gauge");
    gone["name"] = json!("orders.gone");
    metrics.retain(|metric| metric["name"] != "orders.settled");
    let additive =
        json!({ "metrics": metrics.iter().filter(|metric| metric["kind"] != "gauge").collect::<Vec<_>>() });
    metrics.push(gone);
    let was = file("was.json", &was.to_string());
    let ran = run(&["diff", &was, PROGRAM]);
    assert_eq!(
        (ran.status, ran.stdout.as_str()),
        (
            1,
            "breaking  orders.gone: removed (counter)\nbreaking  orders.placed: kind gauge -> counter\n\
             additive  orders.settled: added (counter)\n"
        )
    );
    let json: Value = serde_json::from_str(&run(&["diff", "--json", &was, PROGRAM]).stdout).unwrap();
    assert_eq!((&json["breaking"], &json["changes"][0]["metric"]), (&2.into(), &"orders.gone".into()));
    let ran = run(&["diff", &file("additive.json", &additive.to_string()), PROGRAM]);
    assert_eq!(ran.status, 0, "{}", ran.stdout);
    assert!(
        ran.stdout.lines().count() > 1 && ran.stdout.lines().all(|line| line.starts_with("additive  ")),
        "{}",
        ran.stdout
    );
    let ran = run(&["diff", "--crate", "metercast_core", &was, PROGRAM]);
    assert_eq!(ran.status, 0, "{}", ran.stdout);
}

#[test]
fn what_is_no_catalogue_is_said() {
    for (name, text, said) in [
        ("list.json", "{\"a\":1}", "is no catalogue: it has no list `metrics`"),
        ("broken.json", "{\"a\"", "is no catalogue: EOF while parsing"),
        ("empty.json", "{\"metrics\":[]}", "has no metrics; `metercast docs` says"),
        ("script.sh", "#!/bin/sh\n", "is a script, not a program"),
    ] {
        let ran = run(&["diff", &file(name, text), PROGRAM]);
        assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
        assert!(ran.stderr.contains(said), "{name}: {}", ran.stderr);
    }
    let ran = run(&["diff", &page("demo/1.txt"), &page("demo/2.txt")]);
    assert!(
        ran.stderr.ends_with(
            "is a metrics page, which is no catalogue; `metercast compare` says what two pages differ in\n"
        ),
        "{}",
        ran.stderr
    );
    let ran = run(&["diff", "127.0.0.1:9102", PROGRAM]);
    assert!(
        ran.stderr.contains("if that is the address of a metrics page, `metercast compare` says"),
        "{}",
        ran.stderr
    );
    let ran = run(&["diff", "--crate", "shoop", PROGRAM, PROGRAM]);
    assert!(ran.stderr.contains("has no metrics of shoop; "), "{}", ran.stderr);
}
