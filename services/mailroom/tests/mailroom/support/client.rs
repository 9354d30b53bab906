//! A client that speaks HTTP over TLS, and may go away.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConnection, StreamOwned};

use super::Authority;

/// A connection.
pub(crate) struct Client(StreamOwned<ClientConnection, TcpStream>);

impl Client {
    /// Connects to this `host:port`.
    pub(crate) fn connect(address: &str, authority: &Authority) -> Client {
        let stream = TcpStream::connect(address).expect("somebody listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a socket");
        let name = ServerName::try_from("localhost").expect("a name");
        let tls = ClientConnection::new(Arc::clone(&authority.client()), name).expect("a client");
        Client(StreamOwned::new(tls, stream))
    }

    /// Sends a request.
    pub(crate) fn send(&mut self, method: &str, path: &str, headers: &str, body: &str) {
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n{headers}\r\n"
        );
        self.0.write_all(format!("{head}{body}").as_bytes()).expect("it is taken");
    }

    /// The status of the answer and its body; `None` if the connection ends instead.
    pub(crate) fn answer(&mut self) -> Option<(u16, String)> {
        let (mut head, mut byte) = (String::new(), [0]);
        while !head.ends_with("\r\n\r\n") {
            // An end without a goodbye is an end.
            if self.0.read(&mut byte).ok()? == 0 {
                return None;
            }
            head.push(char::from(byte[0]));
        }
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let lower = head.to_ascii_lowercase();
        let length = lower.lines().find_map(|line| line.strip_prefix("content-length:"));
        let mut body = vec![0; length.map_or(0, |length| length.trim().parse().expect("a length"))];
        self.0.read_exact(&mut body).expect("the body");
        Some((status, String::from_utf8(body).expect("UTF-8")))
    }

    /// The bytes that come next.
    pub(crate) fn read(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes).expect("bytes");
        bytes
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("they are taken");
    }
}
