//! What stands behind services: the tools of the executor, the upstream of the router, the gateway of the mailroom.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use conformance::http::{self, Answer, Request};

/// How long a call may be on its way.
const LIMIT: Duration = Duration::from_secs(30);

/// What stands behind services. Calls whose path or tool is of the form `wait.NAME` are never answered while this lives, and whoever made them
/// can be told when they have arrived.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    pub(crate) url: String,
    /// `host:port`; it says again what it hears.
    pub(crate) gateway: String,
    seen: Arc<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// How many calls came, by what was called.
    calls: HashMap<String, u64>,
    is_over: bool,
}

impl Upstream {
    /// Listens on loopback until the program ends.
    pub(crate) fn start() -> Upstream {
        let seen = Arc::<Seen>::default();
        let of_server = Arc::clone(&seen);
        let url = http::serve(move |request| of_server.answer(&request));
        let gateway = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = gateway.local_addr().expect("bound").to_string();
        thread::spawn(move || {
            for mut stream in gateway.incoming().map_while(Result::ok) {
                thread::spawn(move || {
                    let mut bytes = [0; 1024];
                    while let Ok(length @ 1..) = stream.read(&mut bytes) {
                        if stream.write_all(&bytes[..length]).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Upstream { url, gateway: address, seen }
    }

    /// How often anything was called whose name begins like one of these.
    pub(crate) fn calls_of(&self, starts: &[&str]) -> u64 {
        let state = self.seen.state();
        let calls = state.calls.iter().filter(|(what, _)| starts.iter().any(|start| what.starts_with(start)));
        calls.map(|(_, number)| number).sum()
    }

    /// Waits until this was called so often.
    ///
    /// # Errors
    ///
    /// If it was not.
    pub(crate) fn wait_for_call(&self, what: &str, number: u64) -> Result<(), String> {
        let end = Instant::now() + LIMIT;
        let mut state = self.seen.state();
        while state.calls.get(what).is_none_or(|calls| *calls < number) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(format!("the call of {what} never arrived"));
            }
            state = self.seen.wait(state, left);
        }
        Ok(())
    }

    /// Answers what was never to be answered.
    pub(crate) fn end(&self) {
        self.seen.state().is_over = true;
        self.seen.changed.notify_all();
    }
}

impl Seen {
    fn answer(&self, request: &Request) -> Answer {
        let what = match request.path.as_str() {
            "/" => {
                let call: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
                call["tool"].as_str().unwrap_or_default().to_owned()
            }
            path => path.trim_start_matches('/').replacen('/', ".", 1),
        };
        let mut state = self.state();
        *state.calls.entry(what.clone()).or_default() += 1;
        self.changed.notify_all();
        match what.split_once('.') {
            Some(("wait", _)) => {
                while !state.is_over {
                    state = self.wait(state, LIMIT);
                }
                Answer::status(503, "")
            }
            Some(("broken", _)) => Answer::status(502, ""),
            Some(("status", status)) => Answer::status(status.parse().unwrap_or(400), ""),
            _ => Answer::ok("application/json", "[1, 2, 34]"),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State>, longest: Duration) -> MutexGuard<'s, State> {
        self.changed.wait_timeout(state, longest).unwrap_or_else(PoisonError::into_inner).0
    }
}
