//! Servers that answer what a test says, and `metercast top`.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// A server on loopback that answers each request by a function of its number and head.
pub(crate) struct Server {
    pub(crate) address: String,
    /// The heads of all requests.
    pub(crate) heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn start(answer: impl Fn(usize, &str, &mut TcpStream) + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer, number) = (Arc::clone(&heads), Arc::new(answer), Arc::new(AtomicUsize::new(0)));
        // It ends with the process of the tests.
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (seen, answer, number) = (Arc::clone(&seen), Arc::clone(&answer), Arc::clone(&number));
                thread::spawn(move || serve(stream, &seen, &number, &*answer));
            }
        });
        Server { address, heads }
    }

    /// Answers the pages one after the other, and the last one from then on; what is asked for beside them is not there.
    pub(crate) fn pages(pages: Vec<String>) -> Server {
        let at = AtomicUsize::new(0);
        Server::start(move |_, head, stream| {
            if head.starts_with("GET /metrics ") {
                let page = &pages[at.fetch_add(1, Ordering::Relaxed).min(pages.len() - 1)];
                send(stream, "200 OK", "text/plain; version=0.0.4", page);
            } else {
                send(stream, "404 Not Found", "text/plain", "");
            }
        })
    }
}

fn serve(
    mut stream: TcpStream,
    seen: &Mutex<Vec<String>>,
    number: &AtomicUsize,
    answer: &(dyn Fn(usize, &str, &mut TcpStream) + Send + Sync),
) {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            match stream.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                _ => return,
            }
        }
        let head = String::from_utf8(head).unwrap();
        seen.lock().unwrap().push(head.clone());
        answer(number.fetch_add(1, Ordering::Relaxed), &head, &mut stream);
    }
}

/// Sends a whole answer; that nobody reads it is no trouble.
pub(crate) fn send(stream: &mut TcpStream, status: &str, kind: &str, body: &str) {
    let length = body.len();
    let _ =
        write!(stream, "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}");
}

/// Runs `metercast top` without a terminal.
pub(crate) fn top(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_metercast"));
    command.arg("top").args(arguments).env("NO_PROXY", "*").output().expect("the program starts")
}

/// What it prints if all goes well.
pub(crate) fn printed(arguments: &[&str]) -> String {
    let output = top(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

/// What it says on standard error if it does not.
pub(crate) fn trouble(arguments: &[&str]) -> String {
    let output = top(arguments);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    String::from_utf8(output.stderr).unwrap()
}

/// A page that a real program served.
pub(crate) fn page(name: &str) -> String {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/pages");
    std::fs::read_to_string(folder.join(name)).unwrap()
}
