//! Bytes to a server over TCP, on a connection that is kept while it is good.

use std::io::{self, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// A connection that is made when there is something to send.
pub(crate) struct Connection {
    address: String,
    open: Option<TcpStream>,
}

impl Connection {
    pub(crate) fn to(address: &str) -> Connection {
        Connection { address: address.to_owned(), open: None }
    }

    /// Sends all of it, or nothing that counts: values are cumulative, so that the next delivery mends what this one left.
    pub(crate) fn send(&mut self, bytes: &[u8], limit: Duration) -> io::Result<()> {
        // A limit of zero is none, to the system.
        let limit = limit.max(Duration::from_millis(1));
        let mut stream = match self.open.take() {
            Some(stream) => stream,
            None => connect(&self.address, limit)?,
        };
        stream.set_write_timeout(Some(limit))?;
        stream.write_all(bytes)?;
        self.open = Some(stream);
        Ok(())
    }
}

fn connect(address: &str, limit: Duration) -> io::Result<TcpStream> {
    let mut last = None;
    for place in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&place, limit) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| io::Error::other(format!("{address:?} is no address"))))
}
