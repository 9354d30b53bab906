//! HTTP/1 over plain sockets: enough to ask the servers of others, and to be one for them.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// How long anybody may take to answer.
const LIMIT: Duration = Duration::from_secs(20);

/// A request as a server sees it.
#[derive(Debug)]
pub struct Request {
    /// The first line and the headers, in small letters.
    pub head: String,
    /// The path, as it was sent.
    pub path: String,
    /// The body.
    pub body: Vec<u8>,
}

/// What a server says.
#[derive(Debug)]
pub struct Answer {
    status: u16,
    headers: String,
    body: Vec<u8>,
}

impl Answer {
    /// 200 with a body.
    pub fn ok(content_type: &str, body: impl Into<Vec<u8>>) -> Answer {
        Answer { status: 200, headers: format!("Content-Type: {content_type}\r\n"), body: body.into() }
    }

    /// A status with headers, each with its line end.
    pub fn status(status: u16, headers: &str) -> Answer {
        Answer { status, headers: headers.to_owned(), body: Vec::new() }
    }

    /// The same with another header.
    pub fn header(mut self, name: &str, value: &str) -> Answer {
        self.headers.push_str(&format!("{name}: {value}\r\n"));
        self
    }
}

/// Sends a request without keeping the connection: the status, the head and the body of the answer.
///
/// # Errors
///
/// If nobody answers, or not with HTTP.
pub fn ask(url: &str, method: &str, headers: &str, body: &[u8]) -> io::Result<(u16, String, Vec<u8>)> {
    let rest = url.strip_prefix("http://").ok_or(io::ErrorKind::InvalidInput)?;
    let at = rest.find('/').unwrap_or(rest.len());
    let (host, path) = (&rest[..at], if at < rest.len() { &rest[at..] } else { "/" });
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(LIMIT))?;
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.0\r\nHost: {host}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n"
    );
    stream.write_all(&[head.as_bytes(), body].concat())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let body = answer.split_off(end + 4);
    let head = String::from_utf8_lossy(&answer).to_ascii_lowercase();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.ok_or(io::ErrorKind::InvalidData)?, head, body))
}

/// Asks with GET for what must be there: the body of the answer.
///
/// # Panics
///
/// If there is no answer, or another one than 200.
pub fn get(url: &str) -> Vec<u8> {
    let (status, head, body) = ask(url, "GET", "", b"").unwrap_or_else(|error| panic!("GET {url}: {error}"));
    assert_eq!(status, 200, "GET {url}: {head}{}", String::from_utf8_lossy(&body));
    body
}

/// Percent-encodes a part of a URL.
pub fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// Answers on a free port of the loopback interface until the program ends, and returns the URL without a path.
///
/// # Panics
///
/// If there is no free port.
pub fn serve(answer: impl Fn(Request) -> Answer + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let answer = Arc::clone(&answer);
            // A client that goes away, or that sends no HTTP, is none of ours.
            thread::spawn(move || drop(converse(stream, &*answer)));
        }
    });
    url
}

/// Answers one request, and closes: a thousand clients that keep their connections would be a thousand threads.
fn converse(stream: TcpStream, answer: &dyn Fn(Request) -> Answer) -> io::Result<()> {
    stream.set_read_timeout(Some(LIMIT))?;
    let mut to = stream.try_clone()?;
    let Some(request) = read(&mut BufReader::new(stream))? else { return Ok(()) };
    let Answer { status, headers, body } = answer(request);
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} -\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n");
    to.write_all(&[head.as_bytes(), &body].concat())
}

/// The request; `None` if there is none.
fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head)? == 0 {
            return Ok(None);
        }
    }
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    head.make_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length = length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Some(Request { head, path, body }))
}
