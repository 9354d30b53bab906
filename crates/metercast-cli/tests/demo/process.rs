//! `metercast top --pid`: a process is looked at by its number alone.

use std::process::{Command, Output};

use serde_json::Value;

use crate::support::Demo;

fn top(pid: u32) -> Output {
    let pid = pid.to_string();
    let arguments = ["top", "--once", "--json", "--interval", "0.1", "--pid", &pid];
    Command::new(env!("CARGO_BIN_EXE_metercast")).args(arguments).output().expect("the program starts")
}

#[test]
fn the_page_of_a_process_is_found_among_the_addresses_where_it_listens() {
    let mut demo = Demo::start(&["--seconds", "2", "--json", "--hold"]);
    let page = demo.place("metrics  ");
    let printed = top(demo.id());
    let json: Value = serde_json::from_slice(&printed.stdout).unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(&printed.stderr));
    });
    assert_eq!(json["url"], page.as_str());
    demo.end();
}

#[test]
fn a_process_that_has_no_page_is_said() {
    let trouble = |pid| {
        let output = top(pid);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).expect("text")
    };
    assert_eq!(trouble(u32::MAX), format!("error: there is no process {}\n", u32::MAX));
    let mut idle = Command::new("sleep").arg("600").spawn().expect("sleep is there");
    let said = trouble(idle.id());
    idle.kill().and_then(|()| idle.wait()).expect("it ends");
    let pid = idle.id();
    assert_eq!(
        said,
        format!("error: process {pid} listens nowhere for TCP: is its metrics address switched on?\n")
    );
}
