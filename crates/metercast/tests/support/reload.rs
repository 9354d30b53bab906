//! What tests of reloads share.
#![allow(dead_code, unused_imports, reason = "not every test binary uses all of it")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use metercast::config::{ConfigBuilder, Prometheus};
use metercast::{Config, Store, Telemetry, u64_counter};

use super::{Lines, log};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

pub(crate) fn builder() -> ConfigBuilder {
    Config::builder().environment(false)
}

pub(crate) fn page() -> Prometheus {
    Prometheus::listen("127.0.0.1:0")
}

pub(crate) fn start(builder: ConfigBuilder) -> (Telemetry, Store, Lines) {
    let (store, (log, lines)) = (Store::new(), log());
    let telemetry =
        Telemetry::builder(builder.build().unwrap()).store(store.clone()).log(log).start().unwrap();
    (telemetry, store, lines)
}

pub(crate) fn order(store: &Store) {
    store.scope(|| u64_counter!("orders", "Orders", 1));
}

/// How many threads of the process have names that begin so.
#[cfg(target_os = "linux")]
pub(crate) fn threads(prefix: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok());
    names.filter(|name| name.starts_with(prefix)).count()
}

/// A connection that is kept.
pub(crate) struct Client(TcpStream);

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Client {
        Client(TcpStream::connect(address).unwrap())
    }

    /// Status and body of the answer; nothing if the connection was closed.
    pub(crate) fn get(&mut self, path: &str, token: &str) -> Option<(u16, String)> {
        write!(self.0, "GET {path} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\n\r\n").ok()?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).ok()?;
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        self.0.read_exact(&mut body).unwrap();
        Some((head[9..12].parse().unwrap(), String::from_utf8(body).unwrap()))
    }
}

/// What was printed.
#[derive(Clone, Default)]
pub(crate) struct Printed(Arc<Mutex<Vec<u8>>>);

impl Printed {
    /// The values of a metric, one for each line.
    pub(crate) fn values(&self, metric: &str) -> Vec<u64> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        lines.filter(|line| line["name"] == metric).map(|line| line["value"].as_u64().unwrap()).collect()
    }
}

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
