//! A proxy that hands bytes through.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::Receiver;

use super::*;

/// A proxy that hands bytes through to wherever it is asked to, or answers something else.
pub(in crate::export) struct Proxy {
    pub(in crate::export) address: SocketAddr,
    heads: Receiver<Vec<String>>,
}

impl Proxy {
    pub(in crate::export) fn start(answer: &'static str) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, heads) = mpsc::channel();
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let lines = reader.by_ref().lines().map_while(Result::ok);
                let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                let target = head[0].split(' ').nth(1).unwrap().to_owned();
                seen.send(head).unwrap();
                let mut back = stream;
                back.write_all(answer.as_bytes()).unwrap();
                if let Ok(mut to) = TcpStream::connect(&target) {
                    let mut from = to.try_clone().unwrap();
                    thread::spawn(move || std::io::copy(&mut from, &mut back));
                    thread::spawn(move || std::io::copy(&mut reader, &mut to));
                }
            }
        });
        Proxy { address, heads }
    }

    /// The head of the next request.
    pub(in crate::export) fn head(&self) -> Vec<String> {
        self.heads.recv_timeout(PATIENCE).expect("a request comes")
    }
}
