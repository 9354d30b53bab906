//! A way to a server that can be held up: what is sent then is neither delivered nor refused.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Forwards connections, unless it is held.
pub(crate) struct Gate {
    url: String,
    is_held: Arc<AtomicBool>,
}

impl Gate {
    /// A way to this server of NATS.
    pub(crate) fn to(server: &str) -> Gate {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("nats://{}", listener.local_addr().expect("an address"));
        let server = server.trim_start_matches("nats://").to_owned();
        let is_held = Arc::new(AtomicBool::new(false));
        let held = Arc::clone(&is_held);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (server, held) = (server.clone(), Arc::clone(&held));
                thread::spawn(move || {
                    wait_while(&held);
                    if let Ok(server) = TcpStream::connect(server) {
                        let (from_client, from_server) = (client.try_clone(), server.try_clone());
                        let (to_server, held_too) = (server, Arc::clone(&held));
                        thread::spawn(move || pass(from_client.expect("a handle"), to_server, &held_too));
                        pass(from_server.expect("a handle"), client, &held);
                    }
                });
            }
        });
        Gate { url, is_held }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Holds everything up from now on.
    pub(crate) fn hold(&self) {
        self.is_held.store(true, Ordering::SeqCst);
    }

    /// Lets everything through again, also what was held up.
    pub(crate) fn let_go(&self) {
        self.is_held.store(false, Ordering::SeqCst);
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, held: &AtomicBool) {
    let mut bytes = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut bytes) {
        wait_while(held);
        if to.write_all(&bytes[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}

fn wait_while(held: &AtomicBool) {
    while held.load(Ordering::SeqCst) {
        thread::sleep(Duration::from_millis(5));
    }
}
