//! The README, followed by somebody new: an empty axum project, its snippets, and what a scrape then shows.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use conformance::program::free_address;

/// The Rust snippets of the README.
fn snippets() -> Vec<String> {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    readme.split("```rust\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// An axum project with one dependency more, and the command that works on it.
fn project(name: &str, main: &str) -> impl Fn(&str) -> Command + use<> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(folder.join("src")).unwrap();
    let tower = root().join("crates/metercast-tower");
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\naxum = \"0.8\"\n\
         tokio = {{ version = \"1\", features = [\"full\"] }}\nmetercast-tower = {{ path = {tower:?} }}\n\n\
         [workspace]\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    // The versions that the workspace is tested with.
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    fs::write(folder.join("src/main.rs"), main).unwrap();
    move |what| {
        let mut cargo = Command::new(env!("CARGO"));
        // Kept between runs, apart from the workspace's own, whose lock the running test command may hold.
        cargo
            .args([what, "--quiet"])
            .current_dir(&folder)
            .env("CARGO_TARGET_DIR", folder.parent().unwrap().join("target"));
        cargo
    }
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn get(address: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn the_first_snippet_scrapes_an_http_metric_with_at_most_four_added_lines_and_one_dependency() {
    let snippet = &snippets()[0];
    let added = snippet.lines().filter(|line| line.contains("metercast")).count();
    assert!((1..=4).contains(&added), "{added} lines");

    let (app, scrape) = (free_address(), free_address());
    let main = snippet.replace("127.0.0.1:3000", &app);
    let (_, scrape_port) = scrape.rsplit_once(':').unwrap();
    let cargo = project("first-metric", &main);
    let built = cargo("build").output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let mut child = cargo("run")
        .env("OTEL_EXPORTER_PROMETHEUS_PORT", scrape_port)
        .stderr(Stdio::piped())
        .spawn()
        .map(Running)
        .unwrap();
    // The start-up line says where the metrics are; the listener is bound by then.
    let mut said = String::new();
    BufReader::new(child.0.stderr.take().unwrap()).read_line(&mut said).unwrap();
    assert_eq!(said, format!("metercast: metrics http://{scrape}/metrics\n"));
    // The application binds its own port a moment later.
    let answer = loop {
        match get(&app, "/orders/17") {
            Ok(answer) => break answer,
            Err(_) => assert!(child.0.try_wait().unwrap().is_none(), "the program runs"),
        }
        std::thread::yield_now();
    };
    assert!(answer.ends_with("an order"), "{answer}");
    let page = get(&scrape, "/metrics").unwrap();
    assert!(
        page.contains(
            "http_server_request_duration_seconds_count{http_request_method=\"GET\",\
             url_scheme=\"http\",http_route=\"/orders/{id}\",http_response_status_code=\"200\","
        ),
        "{page}"
    );
}

#[test]
fn the_other_snippets_compile_and_their_tests_pass() {
    let mut main = String::from("#![allow(dead_code, unused_imports)]\nfn main() {}\n");
    for (at, snippet) in snippets().iter().enumerate().skip(1) {
        // Snippets without a function are the body of one.
        let body =
            if snippet.contains("fn ") { snippet.clone() } else { format!("fn snippet() {{\n{snippet}\n}}") };
        main += &format!("mod snippet_{at} {{\n{body}\n}}\n");
    }
    let cargo = project("snippets", &main);
    let tested = cargo("test").output().unwrap();
    let said = String::from_utf8_lossy(&tested.stdout);
    assert!(tested.status.success(), "{said}{}", String::from_utf8_lossy(&tested.stderr));
    assert!(said.contains("1 passed"), "{said}");
}
