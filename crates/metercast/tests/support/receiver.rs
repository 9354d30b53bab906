//! A receiver of pushes that answers as it is told, and hands on what it takes.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use prost::Message;

/// What the receiver does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Takes it.
    Taken,
    /// Takes it, and answers after this time.
    Slow(Duration),
    /// Says 503 and does not take it.
    Busy,
    /// Closes the connection in place of an answer, and has taken it or not.
    Lost { taken: bool },
    /// Never answers and does not take it.
    Hang,
    /// Answers without end and does not take it.
    Endless,
    /// Answers byte by byte and does not take it.
    Trickle,
}

/// Takes pushes.
pub(crate) struct Receiver {
    pub(crate) endpoint: String,
    /// What was taken, also if it was taken before.
    pub(crate) messages: mpsc::Receiver<ExportMetricsServiceRequest>,
    /// The reply to each message that came, before it is made.
    pub(crate) replies: mpsc::Receiver<Reply>,
}

struct State {
    reply: Box<dyn FnMut() -> Reply + Send>,
    messages: mpsc::Sender<ExportMetricsServiceRequest>,
    replies: mpsc::Sender<Reply>,
}

impl Receiver {
    /// Takes everything.
    pub(crate) fn start() -> Receiver {
        Receiver::replying(|| Reply::Taken)
    }

    /// Asks what to do with each message.
    pub(crate) fn replying(reply: impl FnMut() -> Reply + Send + 'static) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (sender, messages) = mpsc::channel();
        let (replied, replies) = mpsc::channel();
        let reply = Box::new(reply);
        let state = State { reply, messages: sender, replies: replied };
        let state = Arc::new(Mutex::new(state));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let state = Arc::clone(&state);
                thread::spawn(move || receive(stream.unwrap(), &state));
            }
        });
        Receiver { endpoint, messages, replies }
    }
}

impl State {
    fn take(&mut self, body: &[u8]) -> Reply {
        let reply = (self.reply)();
        if matches!(reply, Reply::Taken | Reply::Slow(_) | Reply::Lost { taken: true }) {
            let message = ExportMetricsServiceRequest::decode(body).unwrap();
            // A test that has ended does not listen any more.
            let _ = self.messages.send(message);
        }
        let _ = self.replies.send(reply);
        reply
    }
}

fn receive(mut stream: TcpStream, state: &Mutex<State>) {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..read]);
        while let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:")).unwrap();
            let whole = end + 4 + length.trim().parse::<usize>().unwrap();
            if bytes.len() < whole {
                break;
            }
            let reply = state.lock().unwrap().take(&bytes[end + 4..whole]);
            bytes.drain(..whole);
            if answer(&mut stream, reply).is_none() {
                return;
            }
        }
    }
}

/// `None` if the connection is to be closed.
fn answer(stream: &mut TcpStream, reply: Reply) -> Option<()> {
    let taken: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    match reply {
        Reply::Taken => stream.write_all(taken).ok(),
        Reply::Slow(time) => {
            thread::sleep(time);
            stream.write_all(taken).ok()
        }
        Reply::Busy => {
            stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n").ok()
        }
        Reply::Lost { .. } => None,
        Reply::Hang => {
            // Until the client goes.
            while let Ok(1..) = stream.read(&mut [0; 1024]) {}
            None
        }
        Reply::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").ok()?;
            while stream.write_all(b"10\r\n0123456789abcdef\r\n").is_ok() {}
            None
        }
        Reply::Trickle => {
            for byte in
                b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n".iter().chain(std::iter::repeat(&b'x'))
            {
                stream.write_all(&[*byte]).ok()?;
                thread::sleep(Duration::from_millis(10));
            }
            None
        }
    }
}
