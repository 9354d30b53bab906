//! PostgreSQL and Redis, private instances of a test.

use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use conformance::program::{Folder, Program, free_address};
use conformance::use_programs;

use super::until;

/// Whoever PostgreSQL runs as if the tests are root's, which it refuses: the user and the group that own nothing.
const NOBODY: u32 = 65534;

/// A PostgreSQL and a Redis, until they are dropped.
pub(crate) struct Services {
    postgres: Postgres,
    redis: Option<Redis>,
    redis_address: String,
}

struct Postgres {
    // Killed if it was not asked to end.
    _program: Program,
    data: PathBuf,
    address: String,
}

struct Redis {
    _program: Program,
}

impl Services {
    /// Both, or none if the tests do without real programs: then `test` is noted as skipped.
    pub(crate) fn start(test: &str) -> Option<Services> {
        if !use_programs(test, "postgres") || !use_programs(test, "redis-server") {
            return None;
        }
        let redis_address = free_address();
        let redis = Some(Redis::start(&redis_address));
        Some(Services { postgres: Postgres::start(), redis, redis_address })
    }

    /// The variables by which a relay finds them.
    pub(crate) fn variables(&self) -> [(&'static str, String); 2] {
        [
            ("DATABASE_URL", format!("postgres://relay@{}/postgres", self.postgres.address)),
            ("REDIS_URL", format!("redis://{}", self.redis_address)),
        ]
    }

    /// Ends Redis.
    pub(crate) fn stop_redis(&mut self) {
        self.redis = None;
    }

    /// Starts it again where it was.
    pub(crate) fn start_redis(&mut self) {
        self.redis = Some(Redis::start(&self.redis_address));
    }
}

impl Postgres {
    fn start() -> Postgres {
        let folder = Folder::new();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).expect("a folder in a new one");
        let is_root = folder.path().metadata().expect("a new folder").uid() == 0;
        if is_root {
            chown(&data, Some(NOBODY), Some(NOBODY)).expect("root may give folders away");
        }
        let path = data.display().to_string();
        let mut make = unprivileged("initdb", is_root);
        make.args(["-D", &path, "-U", "relay", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
        let made = make.current_dir(&data).stdin(Stdio::null()).output();
        let made = made.unwrap_or_else(|error| {
            panic!("initdb cannot be started: {error}; `cargo xtask test --only services` installs it")
        });
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let address = free_address();
        let port = address.rsplit_once(':').expect("a port").1;
        let mut command = unprivileged("postgres", is_root);
        // What a test keeps need not outlive it.
        command.args(["-D", &path, "-h", "127.0.0.1", "-p", port, "-k", "", "-c", "fsync=off"]);
        command.current_dir(&data);
        let mut program = Program::start(command, folder);
        let ready = data.join("postmaster.pid");
        program.wait_for("connections", || {
            std::fs::read_to_string(&ready).is_ok_and(|text| text.contains("ready")).then_some(())
        });
        Postgres { _program: program, data, address }
    }
}

impl Drop for Postgres {
    /// It is asked to end: one that is killed leaves shared memory behind.
    fn drop(&mut self) {
        let file = self.data.join("postmaster.pid");
        if let Some(pid) = first_line(&file) {
            let _ = Command::new("sh").args(["-c", &format!("kill -INT {pid}")]).status();
            if !std::thread::panicking() {
                until("the end of PostgreSQL", || (!file.exists()).then_some(()));
            }
        }
    }
}

impl Redis {
    fn start(address: &str) -> Redis {
        let folder = Folder::new();
        let port = address.rsplit_once(':').expect("a port").1;
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no"]);
        command.current_dir(folder.path());
        let mut program = Program::start(command, folder);
        program.wait_for("connections", || TcpStream::connect(address).ok().map(drop));
        Redis { _program: program }
    }
}

/// A program that is not run as root.
fn unprivileged(program: &str, is_root: bool) -> Command {
    if !is_root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args([&format!("--reuid={NOBODY}"), &format!("--regid={NOBODY}"), "--clear-groups", program]);
    command
}

fn first_line(file: &Path) -> Option<String> {
    Some(std::fs::read_to_string(file).ok()?.lines().next()?.to_owned())
}
