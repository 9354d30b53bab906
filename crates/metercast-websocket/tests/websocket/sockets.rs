//! Real sockets, measured at both ends.

use std::net::SocketAddr;

use axum_0_8::Router;
use axum_0_8::extract::ws::{Message, WebSocketUpgrade};
use axum_0_8::routing::get;
use futures_util::{SinkExt, StreamExt};
use metercast::{Store, StoreFutureExt};
use metercast_websocket::{SocketError, SocketMetrics, Sockets};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::{self, Utf8Bytes};

use super::lines_of;

fn sockets(store: &Store) -> Sockets {
    store.scope(|| SocketMetrics::prefixed("ends").build().unwrap())
}

/// A server that echoes texts, until it is told `bye` or `panic`. It says when a connection has ended.
async fn server(store: &Store) -> (SocketAddr, mpsc::Receiver<()>) {
    let (ended, ends) = mpsc::channel(1);
    let (sockets, store) = (sockets(store), store.clone());
    let upgrade = async move |upgrade: WebSocketUpgrade| {
        let connection = store.scope(|| sockets.open());
        upgrade.on_upgrade(async move |socket| {
            let (mut sink, mut stream) = connection.measure(socket).split();
            drop(connection);
            while let Some(Ok(message)) = stream.next().await {
                match message {
                    Message::Text(text) if text == "bye" => break,
                    Message::Text(text) => sink.send(Message::Text(text)).await.unwrap(),
                    _ => {}
                }
            }
            let _ = sink.close().await;
            drop((sink, stream));
            ended.send(()).await.unwrap();
        })
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().route("/", get(move |ws: WebSocketUpgrade| upgrade.clone()(ws)));
    tokio::spawn(async move { axum_0_8::serve(listener, app).await });
    (address, ends)
}

fn text(text: &'static str) -> tungstenite::Message {
    tungstenite::Message::Text(Utf8Bytes::from_static(text))
}

#[tokio::test]
async fn both_ends_count_the_same_messages_and_agree_on_who_closed() {
    for client_closes in [true, false] {
        let (here, there) = (Store::new(), Store::new());
        let (address, mut ends) = server(&there).await;
        let client = async {
            let (socket, _) = tokio_tungstenite::connect_async(format!("ws://{address}/")).await.unwrap();
            let mut socket = sockets(&here).open().measure(socket);
            for said in ["a", "bcd"] {
                socket.send(text(said)).await.unwrap();
                assert_eq!(socket.next().await.unwrap().unwrap(), text(said));
            }
            if client_closes {
                socket.close().await.unwrap();
            } else {
                socket.send(text("bye")).await.unwrap();
            }
            while socket.next().await.is_some_and(|message| message.is_ok()) {}
        };
        client.in_store(here.clone()).await;
        assert!(ends.recv().await.is_some());
        let one = |line: &str| vec![format!("{line} 1")];
        let closed = |reason: &str| one(&format!("ends_ws_connections_closed_total{{reason=\"{reason}\"}}"));
        let (ours, theirs) = if client_closes { ("local", "peer") } else { ("peer", "local") };
        assert_eq!(lines_of(&here, "ends_ws_connections_closed_total"), closed(ours));
        assert_eq!(lines_of(&there, "ends_ws_connections_closed_total"), closed(theirs));
        for store in [&here, &there] {
            assert_eq!(lines_of(store, "ends_ws_connections_active"), ["ends_ws_connections_active 0"]);
            assert_eq!(lines_of(store, "ends_ws_connection_duration_seconds_count").len(), 1);
        }
        let (texts, bytes) = if client_closes { (2, 4) } else { (3, 7) };
        for (store, to_server, to_client) in [(&here, "sent", "received"), (&there, "received", "sent")] {
            for (direction, texts, bytes) in [(to_server, texts, bytes), (to_client, 2, 4)] {
                let line = format!("ends_ws_messages_{direction}_total{{kind=\"text\"}} {texts}");
                assert_eq!(lines_of(store, &line), [&*line]);
                let line = format!("ends_ws_{direction}_bytes_total {bytes}");
                assert_eq!(lines_of(store, &line), [&*line]);
            }
        }
    }
}

/// What the server says of a connection that its client ended so.
async fn ended_by(client: impl AsyncFnOnce(SocketAddr)) -> Vec<String> {
    let there = Store::new();
    let (address, mut ends) = server(&there).await;
    client(address).await;
    assert!(ends.recv().await.is_some());
    lines_of(&there, "ends_ws_connections_closed_total")
}

fn closed(reason: &str) -> [String; 1] {
    [format!("ends_ws_connections_closed_total{{reason=\"{reason}\"}} 1")]
}

#[tokio::test]
async fn a_peer_who_is_gone_without_a_close_frame_is_abnormal() {
    let here = Store::new();
    let gone = ended_by(async |address| {
        let (socket, _) = tokio_tungstenite::connect_async(format!("ws://{address}/")).await.unwrap();
        drop(here.scope(|| sockets(&here).open()).measure(socket));
    });
    assert_eq!(gone.await, closed("abnormal"));
    assert_eq!(lines_of(&here, "ends_ws_connections_closed_total"), closed("aborted"));
}

#[tokio::test]
async fn a_peer_who_breaks_the_protocol_is_an_error() {
    let breaks = ended_by(async |address| {
        let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://{address}/")).await.unwrap();
        // A frame of a kind that there is not.
        socket.get_mut().write_all(&[0x8f, 0x80, 0, 0, 0, 0]).await.unwrap();
        while socket.next().await.is_some_and(|message| message.is_ok()) {}
    });
    assert_eq!(breaks.await, closed("error"));
}

#[test]
fn errors_of_libraries_say_whether_the_other_end_is_gone() {
    use std::io::{Error, ErrorKind};
    use tungstenite::error::{CapacityError, ProtocolError};
    for (error, is_abnormal) in [
        (tungstenite::Error::Io(ErrorKind::ConnectionReset.into()), true),
        (tungstenite::Error::Io(ErrorKind::UnexpectedEof.into()), true),
        (tungstenite::Error::Io(Error::other("a disk")), false),
        (ProtocolError::ResetWithoutClosingHandshake.into(), true),
        (ProtocolError::UnmaskedFrameFromClient.into(), false),
        (CapacityError::MessageTooLong { size: 2, max_size: 1 }.into(), false),
    ] {
        assert_eq!(error.is_abnormal(), is_abnormal, "{error}");
        let says = error.to_string();
        assert_eq!(axum_0_8::Error::new(error).is_abnormal(), is_abnormal, "{says}");
    }
}
