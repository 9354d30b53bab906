//! Servers of others that clients connect to: private instances of a test, each on a loopback address that it keeps, with data of
//! its own.

mod nats;
mod postgres;
mod redis;

pub use nats::Nats;
pub use postgres::Postgres;
pub use redis::Redis;

use std::net::TcpStream;
use std::process::Command;

use crate::program::{Folder, Program};

/// Starts a server that listens when it is ready.
fn start_listener(command: Command, address: &str) -> Program {
    let mut program = Program::start(command, Folder::new());
    program.wait_for("connections", || TcpStream::connect(address).ok().map(drop));
    program
}

/// The port of an address.
fn port_of(address: &str) -> &str {
    address.rsplit_once(':').expect("a port").1
}
