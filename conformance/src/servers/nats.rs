//! NATS with JetStream, which finds again what it stored.

use std::process::Command;

use super::{port_of, start_listener};
use crate::program::{Folder, Program, free_address};

/// A NATS server with JetStream, until it is dropped.
#[derive(Debug)]
pub struct Nats {
    program: Option<Program>,
    address: String,
    // After the program, which writes into it.
    stored: Folder,
}

impl Nats {
    /// Starts one, with nothing stored.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    #[must_use = "it ends when it is dropped"]
    pub fn start() -> Nats {
        let mut nats = Nats { program: None, address: free_address(), stored: Folder::new() };
        nats.start_again();
        nats
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// Kills it.
    pub fn stop(&mut self) {
        self.program = None;
    }

    /// Starts it where it was, with what was stored.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn start_again(&mut self) {
        let mut command = Command::new("nats-server");
        command.args(["--addr", "127.0.0.1", "--port", port_of(&self.address), "--jetstream", "--store_dir"]);
        command.arg(self.stored.path());
        self.program = Some(start_listener(command, &self.address));
    }
}
