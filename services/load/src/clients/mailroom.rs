//! Clients of the mailroom: leave something, get it, wait for what is not there yet, and go through a tunnel.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::{Pace, Worker, ask, begin, expect, status};

const LETTERS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// So many mailboxes are written to by each client, again and again.
const BOXES: usize = 24;

pub(super) fn run(worker: &Worker, pace: &mut Pace) -> Result<(), String> {
    let url = &worker.addresses.mailroom;
    let count = |what: String| worker.tally.add("mailroom", what);
    let mut turns = 0;
    while pace.turn() {
        turns += 1;
        let of_mailbox = format!("{url}/{}", id(worker.number, turns % BOXES));
        match turns % 8 {
            0 => count(format!("GET /health {}", ask("GET", &format!("{url}/health"), "", b"")?.0)),
            1 => count(format!("GET other {}", ask("GET", &format!("{url}/nowhere"), "", b"")?.0)),
            2 => {
                let of_mailbox = format!("{url}/{}", id(worker.number, BOXES + turns));
                let mut waits = begin("GET", &of_mailbox, "", "")?;
                leave(worker, &of_mailbox, 1, "at last")?;
                let status = status(&mut waits)?;
                count(format!("GET /{{mailbox}} {status}"));
                expect("who waits gets what comes", &read::<7>(&mut waits)?, b"at last")?;
            }
            3 => tunnel(worker)?,
            _ => {
                let (version, body) = (1 + turns % 2, format!("the {turns}th of {}", worker.number));
                leave(worker, &of_mailbox, version, &body)?;
                let (status, found) = ask("GET", &of_mailbox, "", b"")?;
                count(format!("GET /{{mailbox}} {status}"));
                expect("what was left is there", &String::from_utf8_lossy(&found).into_owned(), &body)?;
            }
        }
    }
    Ok(())
}

/// Leaves something in a mailbox, which takes it.
fn leave(worker: &Worker, of_mailbox: &str, version: usize, body: &str) -> Result<(), String> {
    let (status, _) = ask("POST", &format!("{of_mailbox}?v={version}"), "", body.as_bytes())?;
    worker.tally.add("mailroom", format!("POST /{{mailbox}} {status}"));
    expect("a mailbox takes what is left", &status, &200)?;
    worker.tally.add("mailroom", format!("(entry {version})"));
    Ok(())
}

/// One at once is open, and if another client is in his there is none. It ends without a word.
fn tunnel(worker: &Worker) -> Result<(), String> {
    let url = format!("{}/http://{}", worker.addresses.mailroom, worker.upstream.gateway);
    let mut stream = begin("GET", &url, "Connection: upgrade\r\nUpgrade: tunnel\r\n", "")?;
    let status = status(&mut stream)?;
    worker.tally.add("mailroom", format!("GET /{{gateway}} {status}"));
    if status != 101 {
        return expect("a tunnel that may not be", &status, &503);
    }
    stream.write_all(b"hello").map_err(|error| format!("a tunnel: {error}"))?;
    expect("what goes through a tunnel", &read::<5>(&mut stream)?, b"hello")
}

fn read<const N: usize>(stream: &mut TcpStream) -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).map_err(|error| format!("{N} bytes do not come: {error}"))?;
    Ok(bytes)
}

/// The name of a mailbox of a client.
fn id(client: usize, number: usize) -> String {
    let digits = [client, number / 1024, number / 32, number];
    let letters: String =
        digits.into_iter().map(|digit| char::from(LETTERS[digit % LETTERS.len()])).collect();
    format!("qqqqqqqqq{letters}")
}
