//! A proxy that has a service under a path of its own, as gateways have.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

/// What is before the paths of the service.
pub(crate) const UNDER: &str = "/ops/shop";

/// Serves what is at `service` under a path, and nothing beside it. It ends with the process.
pub(crate) fn start(service: SocketAddr) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}{UNDER}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            // A client that goes away is none of its business.
            thread::spawn(move || drop(pass(client, service)));
        }
    });
    url
}

/// One request: the connection ends with its answer.
fn pass(mut client: TcpStream, service: SocketAddr) -> std::io::Result<()> {
    let mut lines = BufReader::new(client.try_clone()?).lines();
    let first = lines.next().ok_or(std::io::ErrorKind::UnexpectedEof)??;
    let Some(first) = first.strip_prefix(&format!("GET {UNDER}")) else {
        return client.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    };
    let mut head = format!("GET {first}\r\nhost: localhost\r\nconnection: close\r\n");
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        let name = line.split(':').next().unwrap_or_default().to_lowercase();
        if !["host", "connection"].contains(&&*name) {
            head.push_str(&format!("{line}\r\n"));
        }
    }
    let mut server = TcpStream::connect(service)?;
    server.write_all(format!("{head}\r\n").as_bytes())?;
    let mut bytes = [0; 8192];
    loop {
        match server.read(&mut bytes)? {
            0 => return Ok(()),
            count => client.write_all(&bytes[..count])?,
        }
    }
}
