//! A receiver of pushes that answers with the status that it is told to, encrypted or not.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The receiver. It ends with the process.
pub(crate) struct Collector {
    pub(crate) address: SocketAddr,
    /// What it answers.
    pub(crate) status: Arc<AtomicU16>,
}

impl Collector {
    pub(crate) fn start(status: u16) -> Collector {
        Collector::serving(status, None)
    }

    /// One at `localhost` whose certificate nobody has signed but itself, and that certificate.
    pub(crate) fn encrypted() -> (Collector, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let config = config.with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        (Collector::serving(200, Some(Arc::new(config))), made.cert.pem())
    }

    fn serving(status: u16, tls: Option<Arc<ServerConfig>>) -> Collector {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let status = Arc::new(AtomicU16::new(status));
        let answers = Arc::clone(&status);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (answers, tls) = (Arc::clone(&answers), tls.clone());
                // Who does not trust it goes away.
                thread::spawn(move || match tls {
                    Some(tls) => {
                        serve(StreamOwned::new(ServerConnection::new(tls).unwrap(), stream), &answers)
                    }
                    None => serve(stream, &answers),
                });
            }
        });
        Collector { address, status }
    }
}

fn serve(stream: impl Read + Write, status: &AtomicU16) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut length, mut line) = (0, String::new());
        loop {
            line.clear();
            if stream.read_line(&mut line)? == 0 {
                return Ok(());
            }
            match line.trim_end().to_lowercase().split_once(": ") {
                Some(("content-length", value)) => length = value.parse().unwrap(),
                Some(_) => {}
                None if line == "\r\n" => break,
                None => {}
            }
        }
        stream.read_exact(&mut vec![0; length])?;
        let status = status.load(Ordering::Relaxed);
        write!(stream.get_mut(), "HTTP/1.1 {status} Status\r\ncontent-length: 0\r\n\r\n")?;
        stream.get_mut().flush()?;
    }
}
