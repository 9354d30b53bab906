//! Encrypted pushes to a gateway: whom they trust, whom they present, and through which proxy.

use std::sync::Arc;

use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;
use crate::export::otlp::push::tests::certificates::{Authority, file};
use crate::export::otlp::push::tests::proxy::Proxy;

/// The port of a gateway that is encrypted so, and what it is asked.
fn encrypted(config: Arc<ServerConfig>) -> (u16, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, requests) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (config, sender) = (Arc::clone(&config), sender.clone());
            thread::spawn(move || {
                let connection = ServerConnection::new(config).unwrap();
                // A handshake that fails ends the thread.
                let _ = sender.send(serve(StreamOwned::new(connection, stream.unwrap()), OK));
            });
        }
    });
    (port, requests)
}

#[test]
fn a_ca_and_a_client_certificate_of_ones_own_are_used() {
    let (authority, other) = (Authority::new(), Authority::new());
    let server = authority.sign("localhost", 2100).server(Some(&authority), "http/1.1");
    let (port, requests) = encrypted(server);
    let to = || Pushgateway::to(&format!("https://localhost:{port}"), "a").ca(authority.file());
    let (certificate, key) = authority.sign("me", 2100).files();
    to().client_identity(&certificate, &key).put(&store()).unwrap();
    assert!(requests.recv().unwrap().starts_with("PUT /metrics/job/a "));

    let says = to().delete().unwrap_err().to_string();
    assert!(says.ends_with("set tls.client_certificate and tls.client_key"), "{says}");
    let says = to().client_identity(certificate, key).ca(other.file()).delete().unwrap_err().to_string();
    assert!(says.ends_with("is this the CA of that receiver?"), "{says}");
    let missing = file("missing", "");
    std::fs::remove_file(&missing).unwrap();
    let says = to().ca(missing).delete().unwrap_err().to_string();
    assert!(says.contains("cannot read") && says.contains("check the path"), "{says}");
}

#[test]
fn a_proxy_hands_an_encrypted_push_through() {
    let authority = Authority::new();
    let (port, requests) = encrypted(authority.sign("localhost", 2100).server(None, "http/1.1"));
    let proxy = Proxy::start("HTTP/1.1 200 OK\r\n\r\n");
    let through = format!("http://me:s3cret@{}", proxy.address);
    let gateway = Pushgateway::to(&format!("https://localhost:{port}"), "a").ca(authority.file());
    gateway.bearer("t0ken").proxy(&through).put(&store()).unwrap();
    let head = proxy.head();
    assert_eq!(head[0], format!("CONNECT localhost:{port} HTTP/1.1"));
    assert!(head.iter().any(|line| line == "proxy-authorization: Basic bWU6czNjcmV0"), "{head:?}");
    assert!(!head.iter().any(|line| line.contains("t0ken")), "{head:?}");
    let request = requests.recv().unwrap();
    assert!(request.contains("authorization: Bearer t0ken\r\n") && !request.contains("proxy-"), "{request}");
}
