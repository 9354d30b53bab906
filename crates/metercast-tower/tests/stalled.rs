//! Clients that stop reading, behind a server that would wait for them without end.
#![cfg(feature = "serve")]

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use metercast_tower::{Log, PrometheusPage, Scrape, ScrapeService, Store, u64_counter};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// The places that there are.
const PLACES: usize = 3;

/// Small, so that the page does not fit into what the kernel and the server keep.
const SOCKET_BUFFER: u32 = 32 * 1024;

fn large_store() -> Store {
    let store = Store::new();
    store.scope(|| {
        for at in 0..1_500 {
            u64_counter!("jobs", "Jobs", 1, "kind" => format!("{at}{}", "x".repeat(1_000)));
        }
    });
    store
}

async fn serve(scrape: Scrape) -> SocketAddr {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(SOCKET_BUFFER).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(64).unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().route_service("/metrics", ScrapeService::new(scrape));
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// Asks, and reads no more than the status of the answer.
async fn ask(address: SocketAddr) -> (TcpStream, String) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(SOCKET_BUFFER).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.unwrap();
    (stream, String::from_utf8(status[9..].to_vec()).unwrap())
}

/// How much more comes until the connection ends.
async fn rest(mut stream: TcpStream) -> usize {
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    rest.len()
}

#[tokio::test]
async fn clients_that_never_read_keep_nobody_else_out() {
    let page = PrometheusPage::new("test", Log::to(|_, _| {}));
    let address = serve(Scrape::new(large_store(), page).max_in_flight(PLACES)).await;
    let (stream, status) = ask(address).await;
    assert_eq!(status, "200");
    let whole = rest(stream).await;
    assert!(whole > 1_500_000, "{whole}");

    let mut silent = Vec::new();
    for _ in 0..PLACES {
        let (stream, status) = ask(address).await;
        assert_eq!(status, "200");
        silent.push(stream);
    }
    assert_eq!(ask(address).await.1, "503", "they have all places");

    // Whatever the kernel still took meanwhile: it takes nothing more before long.
    let mut answered = None;
    for _ in 0..20 {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(31)).await;
        tokio::time::resume();
        let (stream, status) = ask(address).await;
        if status == "200" {
            answered = Some(stream);
            break;
        }
    }
    let read = rest(answered.expect("a place for who reads")).await;
    assert_eq!(read, whole);

    // One page was given up for it, whose connection ends; the others are sent to their ends.
    let mut sizes = Vec::new();
    for stream in silent {
        sizes.push(rest(stream).await);
    }
    assert_eq!(sizes.iter().filter(|size| **size < whole).count(), 1, "{sizes:?} of {whole}");
}
