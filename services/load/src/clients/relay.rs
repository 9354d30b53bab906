//! Clients of the relay: over WebSocket they send events, and get those of all; over HTTP they ask for the rest.

use std::net::TcpStream;

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

use super::{LIMIT, Pace, Worker, expect};

/// Kinds of events, each with its label.
const KINDS: [(u32, &str); 3] = [(1, "1"), (7, "7"), (99_999, "other")];

/// So many events are sent over one connection.
const EVENTS: usize = 25;

/// One client in so many cannot say who he is.
const STRANGERS: usize = 4;

pub(super) fn talk(worker: &Worker, pace: &mut Pace) -> Result<(), String> {
    let mut turns = 0;
    let mut connections = 0;
    while pace.turn() {
        connections += 1;
        if connections % STRANGERS == 0 {
            let mut stranger = Connection::open(worker)?;
            worker.tally.add("relay", "(auth nip42_invalid)");
            let said = stranger.ask(&json!(["AUTH", { "sig": "bad" }]))?;
            expect("a stranger is told so", &said, &json!(["OK", "auth", false, "nip42_invalid"]))?;
            stranger.close()?;
        }
        let mut connection = Connection::open(worker)?;
        let said = connection.ask(&json!(["AUTH", { "sig": "ok" }]))?;
        expect("who says who he is", &said, &json!(["OK", "auth", true]))?;
        // What was kept before is of no interest. If the database is not there, nobody gets anything.
        let said = connection.ask(&json!(["REQ", "all", { "limit": 0 }]))?;
        if said != json!(["EOSE", "all"]) {
            expect("a subscription that cannot be", &said, &json!(["CLOSED", "all", "database"]))?;
        }
        for _ in 0..EVENTS {
            turns += 1;
            connection.send_event(turns)?;
            if !pace.turn() {
                break;
            }
        }
        connection.leave()?;
    }
    Ok(())
}

pub(super) fn ask(worker: &Worker, pace: &mut Pace) -> Result<(), String> {
    let url = &worker.addresses.relay;
    let mut turns = 0;
    while pace.turn() {
        turns += 1;
        let (what, method, path, headers) = match turns % 4 {
            0 => ("upload", "POST", "/api/media", "Content-Type: image/png\r\n"),
            1 => ("workflow", "POST", "/api/workflows/manual", ""),
            _ => ("item", "GET", "/api/items/7", ""),
        };
        let (status, body) = super::ask(method, &format!("{url}{path}"), headers, b"")?;
        worker.tally.add("relay", format!("{what} {status}"));
        if ![200, 201, 202, 502].contains(&status) {
            return Err(format!("{method} {path}: {status} {}", String::from_utf8_lossy(&body)));
        }
    }
    Ok(())
}

struct Connection<'w> {
    socket: WebSocket<TcpStream>,
    worker: &'w Worker,
}

impl<'w> Connection<'w> {
    /// Connects, and is asked who it is.
    fn open(worker: &'w Worker) -> Result<Connection<'w>, String> {
        let address = worker.addresses.relay.trim_start_matches("http://");
        let stream = TcpStream::connect(address).map_err(|error| format!("{address}: {error}"))?;
        stream.set_read_timeout(Some(LIMIT)).map_err(|error| error.to_string())?;
        let (socket, _) = tungstenite::client(format!("ws://{address}/"), stream)
            .map_err(|error| format!("no WebSocket at {address}: {error}"))?;
        worker.tally.add("relay", "connection");
        let mut connection = Connection { socket, worker };
        let challenge = connection.next()?;
        expect("a challenge", &challenge[0], &json!("AUTH"))?;
        Ok(connection)
    }

    /// The next message that is no event of a subscription; those are counted.
    fn next(&mut self) -> Result<Value, String> {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => {
                    let message: Value =
                        serde_json::from_str(&text).map_err(|error| format!("{text}: {error}"))?;
                    if message[0] != "EVENT" {
                        return Ok(message);
                    }
                    self.worker.tally.add("relay", "(delivered)");
                }
                Ok(Message::Close(_)) => return Err("the relay closes the connection".to_owned()),
                Ok(_) => {}
                Err(error) => return Err(format!("no message: {error}")),
            }
        }
    }

    fn say(&mut self, message: &Value) -> Result<(), String> {
        self.socket
            .send(Message::text(message.to_string()))
            .map_err(|error| format!("nobody listens: {error}"))
    }

    fn ask(&mut self, message: &Value) -> Result<Value, String> {
        self.say(message)?;
        self.next()
    }

    /// Sends an event, and counts what becomes of it.
    fn send_event(&mut self, turn: usize) -> Result<(), String> {
        let (kind, label) = KINDS[turn % KINDS.len()];
        let id = format!("{}-{turn}", self.worker.number);
        let said = self.ask(&json!(["EVENT", { "id": id, "kind": kind, "content": "text" }]))?;
        if said == json!(["OK", id, true]) {
            self.worker.tally.add("relay", format!("event {label} stored"));
        } else {
            self.worker.tally.add("relay", format!("event {label} database"));
            expect("an event that cannot be kept", &said, &json!(["OK", id, false, "database"]))?;
        }
        Ok(())
    }

    /// Unsubscribes, reads all that came before, and goes.
    fn leave(mut self) -> Result<(), String> {
        self.say(&json!(["CLOSE", "all"]))?;
        let said = self.ask(&json!("goodbye"))?;
        expect("the answer to nonsense", &said[0], &json!("NOTICE"))?;
        self.close()
    }

    /// Closes the connection, and waits until the relay did so too.
    fn close(mut self) -> Result<(), String> {
        // Who was not let in may find it closed already.
        let _ = self.socket.close(None);
        loop {
            match self.socket.read() {
                Ok(_) => {}
                Err(tungstenite::Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    return Err("the relay does not close the connection".to_owned());
                }
                Err(_) => return Ok(()),
            }
        }
    }
}
