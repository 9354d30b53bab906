//! HTTP/1 over plain sockets: enough to ask a server, and to be one.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use super::DEADLINE;

/// Asks for a URL; the status and the body, or why there is none.
pub(crate) fn get(url: &str) -> io::Result<(u16, String)> {
    let rest = url.strip_prefix("http://").expect("an http URL");
    let at = rest.find('/').unwrap_or(rest.len());
    let (host, path) = (&rest[..at], if at < rest.len() { &rest[at..] } else { "/" });
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    write!(stream, "GET {path} HTTP/1.0\r\nhost: {host}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let status =
        head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
    Ok((status, body.to_owned()))
}

/// Reads a request with a body of a stated length: its head in small letters, and its body. `None` at the end of the
/// connection.
pub(crate) fn read_request(stream: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let head = head.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().expect("a length"))];
    stream.read_exact(&mut body).ok()?;
    Some((head, body))
}
