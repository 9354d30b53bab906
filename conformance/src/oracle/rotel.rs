//! What a collector takes, and hands on: rotel receives OTLP and sends it to us.

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use crate::http::{self, Answer};
use crate::program::{Folder, Program, free_address};

/// A private collector.
#[derive(Debug)]
pub struct Rotel {
    url: String,
    grpc: String,
    handed_on: Receiver<Vec<u8>>,
    _program: Program,
}

impl Rotel {
    /// Starts it.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn start(program: &Path) -> Rotel {
        let (sender, handed_on) = mpsc::channel();
        let sender = Mutex::new(sender);
        let to = http::serve(move |request| {
            // The test may be over.
            let _ = sender.lock().expect("no panic").send(request.body);
            Answer::ok("application/x-protobuf", "")
        });
        let folder = Folder::new();
        let (grpc, http) = (free_address(), free_address());
        let mut command = Command::new(program);
        command
            .args(["start", "--otlp-grpc-endpoint", &grpc, "--otlp-http-endpoint", &http])
            .args(["--exporter", "otlp", "--otlp-exporter-protocol", "http", "--otlp-exporter-endpoint", &to])
            .args(["--otlp-exporter-compression", "none", "--disable-batching"])
            .arg("--pid-file")
            .arg(folder.path().join("pid"))
            .arg("--log-file")
            .arg(folder.path().join("log"));
        let url = format!("http://{http}");
        let mut program = Program::start(command, folder);
        // It answers everything but a POST of metrics with 404, once it listens.
        program.wait_for("it listens", || http::ask(&url, "GET", "", b"").ok());
        Rotel { url, grpc: format!("http://{grpc}"), handed_on, _program: program }
    }

    /// Where it takes OTLP over gRPC.
    pub fn grpc(&self) -> &str {
        &self.grpc
    }

    /// Posts a message to it, and waits for what it hands on.
    ///
    /// # Errors
    ///
    /// Why it does not take the message.
    pub fn hand_on(&self, content_type: &str, body: &[u8]) -> Result<Vec<u8>, String> {
        let content_type = format!("Content-Type: {content_type}\r\n");
        let url = format!("{}/v1/metrics", self.url);
        let (status, _, answer) =
            http::ask(&url, "POST", &content_type, body).map_err(|error| error.to_string())?;
        if status != 200 {
            return Err(format!("{status} {}", String::from_utf8_lossy(&answer)));
        }
        self.handed_on()
    }

    /// What it hands on next.
    ///
    /// # Errors
    ///
    /// If nothing comes.
    pub fn handed_on(&self) -> Result<Vec<u8>, String> {
        self.handed_on.recv_timeout(Duration::from_secs(20)).map_err(|_| "it hands nothing on".to_owned())
    }
}
