//! Redis, which keeps nothing.

use std::process::Command;

use super::{port_of, start_listener};
use crate::program::{Program, free_address};

/// A Redis, until it is dropped.
#[derive(Debug)]
pub struct Redis {
    program: Option<Program>,
    address: String,
}

impl Redis {
    /// Starts one.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    #[must_use = "it ends when it is dropped"]
    pub fn start() -> Redis {
        let mut redis = Redis { program: None, address: free_address() };
        redis.start_again();
        redis
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Kills it.
    pub fn stop(&mut self) {
        self.program = None;
    }

    /// Starts it where it was, and empty.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn start_again(&mut self) {
        let mut command = Command::new("redis-server");
        command.args([
            "--bind",
            "127.0.0.1",
            "--port",
            port_of(&self.address),
            "--save",
            "",
            "--appendonly",
            "no",
        ]);
        self.program = Some(start_listener(command, &self.address));
    }
}
