//! Addresses that do not answer, answer something else, or too much: said, within bounds.

use std::io::Write;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use conformance::program::free_address;
use serde_json::Value;

use crate::support::{Server, page, printed, send, top, trouble};

const ONCE: [&str; 3] = ["--once", "--interval", "0.1"];

fn once(arguments: &[&str]) -> String {
    trouble(&[&ONCE, arguments].concat())
}

#[test]
fn an_address_where_nobody_listens_is_said() {
    let address = free_address();
    let said = once(&[&address]);
    let expected = format!(
        "error: cannot reach http://{address}/metrics: connection refused; is the program running, and is this its metrics address?\n"
    );
    assert_eq!(said, expected);
}

#[test]
fn an_address_that_never_answers_is_not_waited_for() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let begun = Instant::now();
    let said = once(&[&address, "--timeout", "0.3"]);
    assert_eq!(
        said,
        format!("error: no whole page from http://{address}/metrics within 0.3 s; --timeout waits longer\n")
    );
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_live_page_that_never_answers_does_not_hold_up_the_figures() {
    let demo = page("demo/1.txt");
    let server = Server::start(move |_, head, stream| {
        if head.starts_with("GET /metrics ") {
            send(stream, "200 OK", "text/plain", &demo);
        }
    });
    let begun = Instant::now();
    let said = printed(&[&ONCE[..], &[&server.address, "--timeout", "600"]].concat());
    assert!(said.contains("orders_placed_total"), "{said}");
    assert!(begun.elapsed() < Duration::from_secs(60));
    assert!(server.heads.lock().unwrap().iter().any(|head| head.starts_with("GET /live/api/health ")));
}

#[test]
fn a_page_that_does_not_end_is_not_waited_for() {
    let server = Server::start(|_, _, stream| {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 1000000000000\r\n\r\n";
        let mut written = stream.write_all(head.as_bytes());
        while written.is_ok() {
            written = stream.write_all(&b"endless{series=\"1\"} 1\n".repeat(1000));
        }
    });
    let said = once(&[&server.address, "--timeout", "0.5"]);
    assert!(said.contains("no whole page from ") && said.contains("within 0.5 s"), "{said}");
}

#[test]
fn of_a_page_of_a_hundred_megabytes_so_much_is_kept_as_may_be() {
    let server = Server::start(|_, _, stream| {
        let filling = "x".repeat(968);
        let lines =
            (0..100_000).map(|series| format!("flood{{series=\"{series:07}{filling}\"}} {series:07}\n"));
        let length = 100_000_000;
        let mut to = std::io::BufWriter::with_capacity(1 << 20, stream);
        let _ = write!(to, "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\n\r\n");
        for line in lines {
            if to.write_all(line.as_bytes()).is_err() {
                return;
            }
        }
    });
    let said = printed(&[
        &server.address,
        "--once",
        "--json",
        "--interval",
        "0.1",
        "--timeout",
        "300",
        "--max-series",
        "50",
    ]);
    let json: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&json["series"], json["metrics"][0]["series"].as_array().unwrap().len()), (&50.into(), 50));
    assert_eq!(json["troubles"][0], "99950 lines are left out beyond 50 series; --max-series takes more");
    assert_eq!(json["bytes"], 100_000_000);
}

#[test]
fn what_is_no_page_is_said() {
    for (status, kind, body, expected) in [
        (
            "200 OK",
            "text/html",
            "<!DOCTYPE html>\n<p>Hello</p>\n",
            "is no metrics page (text/html): line 1 has a value that is no number; name the path of the page",
        ),
        (
            "404 Not Found",
            "text/plain",
            "",
            "answers 404 Not Found; name the path of the page, which is /metrics as a rule",
        ),
        (
            "401 Unauthorized",
            "text/plain",
            "",
            "answers 401 Unauthorized; it wants a token: --token-file FILE",
        ),
        (
            "503 Service Unavailable",
            "text/plain",
            "",
            "answers 503 Service Unavailable; too many ask for it, or it is starting",
        ),
    ] {
        let server = Server::start(move |_, _, stream| send(stream, status, kind, body));
        let said = once(&[&server.address]);
        assert_eq!(said, format!("error: http://{}/metrics {expected}\n", server.address));
    }
}

#[test]
fn lines_that_are_wrong_are_said_and_the_rest_is_shown() {
    let server = Server::pages(vec!["a 1\nb{ 2\nc 3\n".to_owned()]);
    let said = printed(&[&ONCE[..], &[&server.address]].concat());
    assert!(
        said.starts_with("note: a line is not valid and left out; line 2 has labels that do not end\n"),
        "{said}"
    );
    assert!(said.contains("\na ") && said.contains("\nc "), "{said}");
}

#[test]
fn a_token_is_sent_and_never_shown() {
    let demo = page("demo/1.txt");
    let server = Server::start(move |_, head, stream| {
        match head.to_lowercase().contains("authorization: bearer hush-hush\r\n") {
            true => send(stream, "200 OK", "text/plain", &demo),
            false => send(stream, "403 Forbidden", "text/plain", ""),
        }
    });
    let file = std::env::temp_dir().join(format!("metercast-top-token-{}", std::process::id()));
    let token = |text: &str| std::fs::write(&file, text).unwrap();
    let arguments = [&ONCE[..], &[&server.address, "--token-file", file.to_str().unwrap()]].concat();
    token("hush-hush\n");
    assert!(!printed(&arguments).contains("hush"));
    token("other-secret");
    let said = trouble(&arguments);
    assert!(said.ends_with("answers 403 Forbidden; the token is not the one that it wants\n"), "{said}");
    assert!(!said.contains("secret"), "{said}");
    token("two words");
    assert!(trouble(&arguments).ends_with("is no token: it has to be one word\n"));
    std::fs::remove_file(&file).unwrap();
    assert!(trouble(&arguments).contains("cannot read the token in "));
    let said = once(&[&format!("http://user:hush@{}/nothing", server.address)]);
    assert!(!said.contains("hush"), "{said}");
}

#[test]
fn without_a_terminal_it_says_what_else_there_is() {
    let said = trouble(&["127.0.0.1:1"]);
    assert!(said.starts_with("error: there is no terminal to draw on; --once prints"), "{said}");
    for wrong in [["--interval", "0"], ["--max-series", "0"], ["--sort", "size"], ["--count", "0"]] {
        assert_eq!(top(&wrong).status.code(), Some(2), "{wrong:?}");
    }
    assert_eq!(top(&["--once", "--count", "2"]).status.code(), Some(2));
}
