//! Where exporters connect to unless they are told: whether anybody does who was not asked to.

use std::fs::File;
use std::io::ErrorKind;
use std::net::TcpListener;

/// What the specification names: OTLP over gRPC, and over HTTP.
const ADDRESSES: [&str; 2] = ["127.0.0.1:4317", "127.0.0.1:4318"];

/// Listens at both for as long as it is there.
#[derive(Debug)]
pub struct Unasked {
    listeners: Vec<TcpListener>,
    // After the listeners: who comes next finds the ports free.
    _turn: File,
}

impl Unasked {
    /// Waits until no other test does the same. A collector of this machine may have the ports; then there is nothing to be seen.
    ///
    /// # Panics
    ///
    /// If there is no place for a lock.
    pub fn listen() -> Unasked {
        let path = std::env::temp_dir().join("metercast-conformance-unasked.lock");
        let turn = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .expect("a file for all tests");
        // The system gives it back however this process ends.
        turn.lock().expect("a lock on a file");
        let listener = |address: &str| {
            let listener = TcpListener::bind(address).ok()?;
            listener.set_nonblocking(true).expect("a socket");
            Some(listener)
        };
        Unasked { listeners: ADDRESSES.into_iter().filter_map(listener).collect(), _turn: turn }
    }

    /// Nobody has come.
    ///
    /// # Panics
    ///
    /// If somebody has.
    pub fn nobody_came(self) {
        for listener in &self.listeners {
            let none = listener.accept().expect_err("nobody was asked to come");
            assert_eq!(none.kind(), ErrorKind::WouldBlock);
        }
    }
}
