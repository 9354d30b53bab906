//! Clients of the router: ask for what is there, for what is broken and for what is nowhere, and go away in between.

use super::{Pace, Worker, ask, begin, expect};

/// One request in so many is broken off.
const BROKEN_OFF: usize = 40;

pub(super) fn run(worker: &Worker, pace: &mut Pace) -> Result<(), String> {
    let url = &worker.addresses.router;
    let (mut turns, mut waits) = (0, 0);
    while pace.turn() {
        turns += 1;
        if turns % BROKEN_OFF == 0 {
            waits += 1;
            let path = format!("wait/router-{}", worker.number);
            let connection = begin("GET", &format!("{url}/accounts/{path}"), "", "")?;
            worker.upstream.wait_for_call(&path.replace('/', "."), waits)?;
            worker.tally.add("router", "broken off");
            drop(connection);
            continue;
        }
        let (method, path, expected) = match turns % 5 {
            0 => ("GET", "/accounts/status/500".to_owned(), 500),
            1 => ("GET", "/nowhere".to_owned(), 404),
            2 => ("POST", "/accounts/items/1".to_owned(), 200),
            _ => ("GET", format!("/products/items/{}", turns % 50), 200),
        };
        let (status, _) = ask(method, &format!("{url}{path}"), "", b"")?;
        worker.tally.add("router", format!("answer {status}"));
        expect(&path, &status, &expected)?;
    }
    Ok(())
}
