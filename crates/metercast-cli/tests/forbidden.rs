//! `metercast top --pid` names the page that wants a token. Alone in its process, which is the one that is looked at.

#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Command;
use std::thread;

/// Answers every request by a status, and says where.
fn answer(status: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let lines = BufReader::new(&stream).lines().map_while(Result::ok);
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let _ = write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    address
}

#[test]
fn the_page_that_wants_a_token_is_named_wherever_it_is() {
    answer("404 Not Found");
    let guarded = answer("401 Unauthorized");
    answer("404 Not Found");
    let pid = std::process::id().to_string();
    let mut top = Command::new(env!("CARGO_BIN_EXE_metercast"));
    let output = top.args(["top", "--once", "--pid", &pid]).env("NO_PROXY", "*").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let expected = format!(
        " that everybody may read: http://{guarded}/metrics answers 401 Unauthorized; it wants a token: --token-file FILE\n"
    );
    assert!(
        said.starts_with(&format!("error: process {pid} has no page at /metrics of 127.0.0.1:")),
        "{said}"
    );
    assert!(said.ends_with(&expected), "{said}");
}
