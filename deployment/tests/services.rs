//! What stands in the READMEs of the services is so, and no service has what the crates should give it.

use std::path::Path;

use deployment::{
    Row, SERVICES, STANDING, Service, Sources, machinery, rows, troubles_of_readme, with_lines,
};

#[test]
fn each_readme_names_what_there_is() {
    for service in SERVICES {
        let found = troubles_of_readme(service, &service.text("README.md"), &Sources::of(service));
        assert!(found.is_empty(), "{}/README.md:\n{}", service.name, found.join("\n"));
    }
}

#[test]
fn what_a_readme_says_of_another_service_is_noticed() {
    let service = Service::named("relay");
    let text = service.text("README.md");
    for (from, to, expected) in [
        ("`BUZZ_PORT`", "`BUZZ_PORTS`", "BUZZ_PORTS: the service reads no such variable"),
        ("`BUZZ_PORT`", "`PORT`", "BUZZ_PORT is not named"),
        ("/_liveness", "/_alive", "/_alive: there is nothing"),
        ("cargo run -p relay", "cargo run -p relays", "not cargo run -p relay"),
        ("](docs/metrics.md)", "](metrics.md)", "](docs/metrics.md)"),
        ("127.0.0.1:9102", "127.0.0.1:9103", "9103: the service has no such default"),
    ] {
        assert!(text.contains(from), "there is no {from:?} any more");
        let found = troubles_of_readme(service, &text.replace(from, to), &Sources::of(service));
        assert!(found.iter().any(|trouble| trouble.contains(expected)), "{to}: {found:?}");
    }
}

/// So that a small change of a service is no change of the table, a number is off by a tenth at most. `UPDATE=1` writes them anew.
#[test]
fn the_table_has_every_service_and_about_how_many_lines_it_takes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../services/README.md");
    let mut text = std::fs::read_to_string(&path).unwrap();
    let lines = |name: &str| Sources::of(Service::named(name)).lines();
    if std::env::var_os("UPDATE").is_some() {
        text = with_lines(&text, |name| lines(name).next_multiple_of(10));
        std::fs::write(&path, &text).unwrap();
    }
    let rows = rows(&text);
    let names: Vec<_> = rows.iter().map(|row| &*row.name).collect();
    assert_eq!(names, SERVICES.map(|service| service.name));
    for Row { name, lines: said } in &rows {
        let lines = lines(name);
        assert!(said.abs_diff(lines) * 10 <= lines, "{name}: {said} lines are {lines}; UPDATE=1 writes it");
    }
    let folders = std::fs::read_dir(path.with_file_name("")).unwrap();
    // What puts load on them is no service.
    let folders = folders.filter(|entry| entry.as_ref().unwrap().path().join("Dockerfile").exists()).count();
    assert_eq!(folders, SERVICES.len(), "a service is missing");
}

#[test]
fn no_service_has_machinery_of_its_own() {
    let mut found: Vec<_> = SERVICES.iter().flat_map(|service| machinery(&Sources::of(*service))).collect();
    let mut standing: Vec<_> = STANDING.iter().map(|of| (of.file.to_owned(), of.what, of.times)).collect();
    found.sort();
    standing.sort();
    let new: Vec<_> = found.iter().filter(|of| !standing.contains(of)).collect();
    let gone: Vec<_> = standing.iter().filter(|of| !found.contains(of)).collect();
    assert!(new.is_empty(), "a crate should give this, or STANDING says why it is no machinery: {new:#?}");
    assert!(gone.is_empty(), "STANDING of deployment/src/machinery.rs lists what is not there: {gone:#?}");
}
