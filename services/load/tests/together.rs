//! `cargo xtask services`, from its start to its end: what it says, and that nothing of it stays.

#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use conformance::program::Folder;
use conformance::use_programs;

fn start(folder: &Folder, arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_load"));
    command.args(arguments).env("TMPDIR", folder.path()).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
}

fn has_programs(test: &str) -> bool {
    ["postgres", "redis-server", "nats-server", "prometheus"]
        .into_iter()
        .all(|program| use_programs(test, program))
}

/// Every `host:port` in the text.
fn addresses(text: &str) -> BTreeSet<String> {
    let urls = text.split("http://").skip(1);
    urls.filter_map(|rest| rest.split(['/', ' ', '\n']).next()).map(str::to_owned).collect()
}

#[test]
fn it_ends_by_itself_and_clients_and_services_agree() {
    if !has_programs("it_ends_by_itself_and_clients_and_services_agree") {
        return;
    }
    let folder = Folder::new();
    let output = start(&folder, &["--seconds", "2"]).wait_with_output().unwrap();
    let (said, errors) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{said}{errors}");
    for part in
        ["of 7 pages in Prometheus", "mailroom has ended, exit status: 0", "router has ended, exit status: 0"]
    {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    let last = said.lines().last().unwrap();
    let words: Vec<&str> = last.split(' ').collect();
    let at = words.iter().position(|word| *word == "of").expect("so many of so many");
    assert_eq!(words[at - 1], words[at + 1], "{said}");
    assert!(!said.contains(['\r', '\u{1b}']), "plain lines where there is no terminal: {said}");
    assert_nothing_stays(&folder);
}

#[test]
fn it_ends_on_sigterm_and_leaves_nothing_behind() {
    if !has_programs("it_ends_on_sigterm_and_leaves_nothing_behind") {
        return;
    }
    let folder = Folder::new();
    let mut child = start(&folder, &[]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut said = String::new();
    for line in lines.by_ref() {
        said.push_str(&line);
        said.push('\n');
        if line.contains("requests done") {
            break;
        }
    }
    let running = at_work(&folder);
    for program in ["postgres", "redis-server", "nats-server", "prometheus", "relay", "osapi"] {
        assert!(running.iter().any(|name| name == program), "{program} is not among {running:?}");
    }
    let sent = Command::new("sh").args(["-c", &format!("kill -TERM {}", child.id())]).status();
    assert!(sent.unwrap().success());
    said.extend(lines.map(|line| line + "\n"));
    assert!(child.wait().unwrap().success(), "{said}");
    assert!(addresses(&said).len() >= 12, "{said}");
    assert_nothing_stays(&folder);
}

/// The names of programs that work in this folder, or write there what they say. Their ports tell nothing: those may be somebody else's by now.
fn at_work(folder: &Folder) -> Vec<String> {
    let name = |process: std::path::PathBuf| {
        let is_there = |link| {
            let to = std::fs::read_link(process.join(link));
            to.is_ok_and(|to| to.starts_with(folder.path()))
        };
        let name = std::fs::read_to_string(process.join("comm")).ok()?;
        ["cwd", "fd/1"].into_iter().any(is_there).then(|| name.trim().to_owned())
    };
    std::fs::read_dir("/proc").unwrap().filter_map(|process| name(process.ok()?.path())).collect()
}

fn assert_nothing_stays(folder: &Folder) {
    assert_eq!(at_work(folder), [""; 0]);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_port_that_is_taken_is_named_before_anything_is_started() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let folder = Folder::new();
    let output = start(&folder, &["--port", &port.to_string()]).wait_with_output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && output.stdout.is_empty());
    assert!(errors.contains(&format!("port {port}, for Prometheus, cannot be had")), "{errors}");
}
