//! How large bodies are, and when a request ends: with what hyper does to bodies, and with connections that become another protocol's.

use std::convert::Infallible;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::WebSocketUpgrade;
use axum::routing::{any, get, post};
use futures_util::stream;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use metercast_tower::{Store, server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{lines, serve, sums, until, with_store};

const REQUEST: &str = "http.server.request.body.size";
const RESPONSE: &str = "http.server.response.body.size";
const DURATION: &str = "http.server.request.duration";
const ACTIVE: &str = "http.server.active_requests";

async fn echo(body: Bytes) -> Bytes {
    body
}

/// A body of two parts that does not say how long it is.
fn unsaid() -> Body {
    let parts =
        ["some ", "parts"].map(|part| Ok::<_, Infallible>(Frame::data(Bytes::from_static(part.as_bytes()))));
    Body::new(StreamBody::new(stream::iter(parts)))
}

fn app() -> Router {
    Router::new()
        .route("/echo", post(echo))
        .route("/none", any(|| async {}))
        .route("/unsaid", get(|| async { unsaid() }))
}

/// The value or sum at the end of the only line.
fn only(lines: &[String]) -> f64 {
    let [line] = lines else { panic!("{lines:?}") };
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

async fn send(app: Router, request: Request<Body>) {
    app.oneshot(request).await.unwrap().into_body().collect().await.unwrap();
}

#[test]
fn bodies_are_measured_only_where_it_is_said() {
    with_store(|store| async move {
        send(app().layer(server()), Request::post("/echo").body(Body::from("12345")).unwrap()).await;
        assert_eq!((lines(&store, REQUEST), lines(&store, RESPONSE)), (vec![], vec![]));
        assert_eq!(only(&lines(&store, DURATION)), 1.0);
    });
}

#[test]
fn bodies_have_the_labels_of_their_request() {
    with_store(|store| async move {
        let app = app().layer(server().body_sizes());
        send(app, Request::post("/echo").body(Body::from("12345")).unwrap()).await;
        assert_eq!((only(&sums(&store, REQUEST)), only(&sums(&store, RESPONSE))), (5.0, 5.0));
        assert_eq!(lines(&store, REQUEST), lines(&store, DURATION));
        assert_eq!(lines(&store, RESPONSE), lines(&store, DURATION));
    });
}

#[test]
fn the_size_of_a_response_is_what_was_sent_of_it() {
    with_store(|store| async move {
        let app = app().layer(server().body_sizes());
        let mut body =
            app.oneshot(Request::get("/unsaid").body(Body::empty()).unwrap()).await.unwrap().into_body();
        body.frame().await.unwrap().unwrap();
        drop(body);
        assert_eq!(only(&sums(&store, RESPONSE)), 5.0);
        assert!(lines(&store, RESPONSE)[0].starts_with("error.type=cancelled "));
    });
}

#[test]
fn a_request_body_that_does_not_say_its_size_has_one_only_if_it_is_counted() {
    with_store(|store| async move {
        let layer = server().body_sizes();
        send(app().layer(layer), Request::post("/echo").body(unsaid()).unwrap()).await;
        assert_eq!(lines(&store, REQUEST), [""; 0]);
    });
    with_store(|store| async move {
        let layer = server().body_sizes().count_request_bodies();
        send(app().layer(layer.clone()), Request::post("/echo").body(unsaid()).unwrap()).await;
        assert_eq!(only(&sums(&store, REQUEST)), 10.0);
        // Nobody reads it.
        send(app().layer(layer), Request::post("/none").body(Body::from("12345")).unwrap()).await;
        assert_eq!(sums(&store, REQUEST).len(), 2);
        assert!(sums(&store, REQUEST).iter().any(|line| line.contains("/none") && line.ends_with(" 0")));
    });
}

async fn ask(store: &Store, address: std::net::SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    until("the request to end", || !lines(store, DURATION).is_empty()).await;
    answer
}

#[test]
fn a_body_that_hyper_stops_reading_at_its_length_is_complete() {
    async fn said(_: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        Ok(Response::builder().header("content-length", "10").body(unsaid()).unwrap())
    }
    with_store(|store| async move {
        let address = serve(&store, server().layer(service_fn(said))).await;
        let answer = ask(&store, address, "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
        assert!(answer.ends_with("\r\n\r\nsome parts"), "{answer}");
        assert!(!lines(&store, DURATION)[0].contains("error.type"), "{:?}", lines(&store, DURATION));
    });
}

#[test]
fn an_answer_to_head_is_complete_without_its_body() {
    async fn said(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        Ok(Response::new(Full::from("not sent")))
    }
    with_store(|store| async move {
        let address = serve(&store, server().body_sizes().layer(service_fn(said))).await;
        ask(&store, address, "HEAD / HTTP/1.0\r\n\r\n").await;
        assert_eq!(
            lines(&store, DURATION),
            [
                "http.request.method=HEAD http.response.status_code=200 network.protocol.version=1.0 url.scheme=http 1"
            ]
        );
        assert_eq!(only(&sums(&store, RESPONSE)), 0.0);
    });
}

#[test]
fn a_request_that_becomes_a_websocket_ends_with_its_answer() {
    async fn upgrade(upgrade: WebSocketUpgrade) -> Response<Body> {
        upgrade.on_upgrade(|mut socket| async move {
            while let Some(Ok(message)) = socket.recv().await {
                let _ = socket.send(message).await;
            }
        })
    }
    with_store(|store| async move {
        let app = Router::new().route("/ws", get(upgrade)).layer(server());
        let address = serve(&store, app).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = "GET /ws HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                       sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 101");
        // The socket is open.
        assert_eq!(
            lines(&store, DURATION),
            [
                "http.request.method=GET http.response.status_code=101 http.route=/ws network.protocol.version=1.1 \
              url.scheme=http 1"
            ]
        );
        assert_eq!(lines(&store, ACTIVE), ["http.request.method=GET url.scheme=http 0"]);
    });
}

#[test]
fn a_tunnel_ends_its_request_with_its_answer() {
    async fn tunnel(request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        let refused = request.uri().port_u16() == Some(1);
        let mut response = Response::new(Body::new(Empty::new()));
        *response.status_mut() = if refused { StatusCode::FORBIDDEN } else { StatusCode::OK };
        tokio::spawn(async move {
            if let Ok(upgraded) = hyper::upgrade::on(request).await {
                let (mut from, mut to) = tokio::io::split(TokioIo::new(upgraded));
                let _ = tokio::io::copy(&mut from, &mut to).await;
            }
        });
        Ok(response)
    }
    with_store(|store| async move {
        let address = serve(&store, server().layer(service_fn(tunnel))).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"CONNECT there:443 HTTP/1.1\r\nhost: there\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(b"through").await.unwrap();
        let mut through = [0; 7];
        stream.read_exact(&mut through).await.unwrap();
        assert_eq!(&through, b"through");
        assert_eq!(only(&lines(&store, DURATION)), 1.0);
        assert_eq!(only(&lines(&store, ACTIVE)), 0.0);
    });
}

#[test]
fn a_client_that_goes_away_cancels_its_request() {
    with_store(|store| async move {
        let app = Router::new().route("/", get(std::future::pending::<()>)).layer(server());
        let address = serve(&store, app).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        until("the request to begin", || !lines(&store, ACTIVE).is_empty()).await;
        assert_eq!(only(&lines(&store, ACTIVE)), 1.0);
        drop(stream);
        until("the request to end", || !lines(&store, DURATION).is_empty()).await;
        assert!(lines(&store, DURATION)[0].starts_with("error.type=cancelled "));
        assert_eq!(only(&lines(&store, ACTIVE)), 0.0);
    });
}
