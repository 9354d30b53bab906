//! Answers that are there to do harm: endless, slow, or full of what a terminal obeys.

use crate::server::{Answer, Server, http};
use crate::support::{file, run};

fn otlp(server: &Server, more: &str) -> String {
    let name = format!("hostile-{}.toml", server.address.replace(':', "-"));
    file(
        &name,
        format!(
            "[telemetry.exporters.central]\ntype = \"otlp\"\nendpoint = \"http://{}\"\n{more}",
            server.address
        ),
    )
}

#[test]
fn an_answer_of_a_hundred_megabytes_is_not_read_to_its_end() {
    let server = Server::start(Answer::Http(http("200 OK", &[], &vec![b'x'; 100 << 20])));
    let ran = run(&["doctor", "--send", "-c", &otlp(&server, "")]);
    assert_eq!((ran.status, ran.stderr.as_str()), (1, ""));
    assert!(
        ran.stdout.contains("the answer has more than 4194304 bytes; is this an OTLP receiver?"),
        "{}",
        ran.stdout
    );
}

/// Servers of gRPC greet whoever comes, and may do so before anything was asked.
#[test]
fn a_server_that_speaks_first_is_one_of_another_protocol() {
    let settings = vec![0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 5, 0, 0, 64, 0];
    let server = Server::start(Answer::Greeting(settings));
    let ran = run(&["doctor", "--send", "-c", &otlp(&server, "")]);
    assert!(ran.stdout.contains("is this the port for OTLP over HTTP, usually 4318?"), "{}", ran.stdout);
}

#[test]
fn nothing_that_is_printed_is_more_than_text() {
    let evil = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}\u{85}";
    let server = Server::start(Answer::Http(http(
        "400 Bad Request",
        &[("content-type", "text/plain")],
        evil.as_bytes(),
    )));
    let path = otlp(&server, "[telemetry.resource]\n\"service.name\" = \"a\\u001b[2Jb\"\n");
    let broken =
        file("hostile-broken.toml", "[telemetry.exporters.\"a\\u001b[2J\"]\ntype = \"x\\u001b[2J\"\n");
    for arguments in [
        vec!["doctor", "--send", "-c", &path],
        vec!["doctor", "--send", "--json", "-c", &path],
        vec!["doctor", "-c", &broken],
    ] {
        let ran = run(&arguments);
        assert_eq!(ran.status, 1, "{arguments:?}");
        let printed = ran.stdout + &ran.stderr;
        // What is for programs is not shown to people.
        let is_json = arguments.contains(&"--json");
        let harmful = |c: char| match is_json {
            true => c < ' ' && c != '\n',
            false => (c.is_control() && c != '\n') || c == '\u{202e}',
        };
        assert!(!printed.contains(harmful), "{arguments:?}: {printed:?}");
    }
}
