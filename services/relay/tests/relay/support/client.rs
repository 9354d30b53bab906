//! A client of the relay.

use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

/// How long a message may take.
const LIMIT: Duration = Duration::from_secs(20);

/// A client that is connected.
pub(crate) struct Client(WebSocket<TcpStream>);

impl Client {
    /// Connects, and is asked who it is.
    pub(crate) fn connect(url: &str) -> Client {
        let address = url.strip_prefix("http://").expect("a URL");
        let stream = TcpStream::connect(address).expect("a relay");
        stream.set_read_timeout(Some(LIMIT)).expect("a limit");
        let (socket, _) = tungstenite::client(format!("ws://{address}/"), stream).expect("a WebSocket");
        let mut client = Client(socket);
        let challenge = client.next().expect("a challenge");
        assert!(challenge[0] == "AUTH" && !challenge[1].as_str().expect("a text").is_empty(), "{challenge}");
        client
    }

    /// Connects and says who it is.
    pub(crate) fn known(url: &str) -> Client {
        let mut client = Client::connect(url);
        assert_eq!(client.ask(&json!(["AUTH", { "sig": "ok" }])), json!(["OK", "auth", true]));
        client
    }

    pub(crate) fn say(&mut self, message: &Value) {
        self.0.send(Message::text(message.to_string())).expect("the relay listens");
    }

    /// The next message; `None` if the relay closed the connection.
    pub(crate) fn next(&mut self) -> Option<Value> {
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).expect("JSON")),
                Ok(Message::Close(_)) => return None,
                Ok(_) => {}
                Err(tungstenite::Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    panic!("no message within {LIMIT:?}")
                }
                Err(_) => return None,
            }
        }
    }

    /// Says something and returns the next message.
    pub(crate) fn ask(&mut self, message: &Value) -> Value {
        self.say(message);
        self.next().expect("an answer")
    }

    /// Subscribes to everything, and reads what was kept: how many events that were.
    pub(crate) fn subscribe(&mut self, name: &str) -> usize {
        let mut message = self.ask(&json!(["REQ", name, {}]));
        let mut kept = 0;
        while message[0] == "EVENT" {
            kept += 1;
            message = self.next().expect("more");
        }
        assert_eq!(message, json!(["EOSE", name]));
        kept
    }

    /// Sends an event, and reads until it is answered: whether it was taken, and the events that came before.
    pub(crate) fn send(&mut self, id: &str, kind: u32) -> (bool, usize) {
        let mut message = self.ask(&json!(["EVENT", { "id": id, "kind": kind, "content": "text" }]));
        let mut events = 0;
        while message[0] != "OK" {
            assert_eq!(message[0], "EVENT", "{message}");
            events += 1;
            message = self.next().expect("an answer");
        }
        assert_eq!(message[1], id);
        (message[2] == true, events)
    }

    /// Closes the connection, and waits until the relay did so too.
    pub(crate) fn close(mut self) {
        self.0.close(None).expect("a connection");
        while self.0.read().is_ok() {}
    }
}
