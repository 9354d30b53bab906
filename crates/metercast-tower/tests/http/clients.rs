//! What is measured of requests that clients send: hyper-util's and reqwest's, to real servers.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::routing::{any, get};
use bytes::Bytes;
use conformance::program::free_address;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;
use metercast_tower::{CountedBody, Store, UrlTemplate, client};
use tower::{BoxError, Layer, ServiceBuilder, ServiceExt, service_fn};

use crate::support::{lines, serve, sums, with_store};

const DURATION: &str = "http.client.request.duration";
const ACTIVE: &str = "http.client.active_requests";

fn hyper_client<B>() -> legacy::Client<legacy::connect::HttpConnector, B>
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
{
    legacy::Client::builder(TokioExecutor::new()).build_http()
}

async fn app(store: &Store) -> SocketAddr {
    let app = Router::new()
        .route("/items/{id}", get(|| async { "an item" }))
        .route("/missing", get(|| async { StatusCode::NOT_FOUND }))
        .route("/echo", any(|body: Bytes| async { body }))
        .route("/slow", get(std::future::pending::<()>));
    serve(store, app).await
}

fn get_request(address: SocketAddr, path: &str) -> Request<Full<Bytes>> {
    Request::get(format!("http://{address}{path}")).body(Full::default()).unwrap()
}

/// Lines without the server, which is the same in all.
fn measured(store: &Store, address: SocketAddr, name: &str) -> Vec<String> {
    let server = format!("server.address=127.0.0.1 server.port={} ", address.port());
    lines(store, name)
        .into_iter()
        .map(|line| {
            assert!(line.contains(&server), "{line}");
            line.replace(&server, "")
        })
        .collect()
}

#[test]
fn a_request_lasts_until_its_response_was_read() {
    with_store(|store| async move {
        let address = app(&store).await;
        let client = client().layer(hyper_client());
        let response = client.clone().oneshot(get_request(address, "/items/7")).await.unwrap();
        assert_eq!(measured(&store, address, ACTIVE), ["http.request.method=GET 1"]);
        assert_eq!(lines(&store, DURATION), [""; 0]);
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "an item");
        assert_eq!(measured(&store, address, ACTIVE), ["http.request.method=GET 0"]);
        let ok = "http.request.method=GET http.response.status_code=200 network.protocol.version=1.1 ";
        assert_eq!(measured(&store, address, DURATION), [format!("{ok}1")]);
        // Nobody reads what it says.
        drop(client.oneshot(get_request(address, "/items/8")).await.unwrap());
        assert_eq!(measured(&store, address, DURATION), [format!("{ok}2")]);
    });
}

#[test]
fn a_template_tells_kinds_of_requests_apart() {
    with_store(|store| async move {
        let address = app(&store).await;
        let client = client().layer(hyper_client());
        for id in 0..3 {
            let mut request = get_request(address, &format!("/items/{id}"));
            request.extensions_mut().insert(UrlTemplate("/items/{id}"));
            drop(client.clone().oneshot(request).await.unwrap());
        }
        assert_eq!(
            measured(&store, address, DURATION),
            [
                "http.request.method=GET http.response.status_code=200 network.protocol.version=1.1 url.template=/items/{id} 3"
            ]
        );
    });
}

#[test]
fn an_error_of_the_server_or_of_the_request_is_one_to_the_client() {
    with_store(|store| async move {
        let address = app(&store).await;
        drop(client().layer(hyper_client()).oneshot(get_request(address, "/missing")).await.unwrap());
        assert_eq!(
            measured(&store, address, DURATION),
            [
                "error.type=404 http.request.method=GET http.response.status_code=404 network.protocol.version=1.1 1"
            ]
        );
    });
}

#[test]
fn a_server_that_is_not_there_and_one_that_is_late_have_names() {
    with_store(|store| async move {
        let gone = free_address().parse().unwrap();
        let named = client().error_type(|error: &legacy::Error| error.is_connect().then_some("connect"));
        assert!(named.layer(hyper_client()).oneshot(get_request(gone, "/")).await.is_err());
        assert_eq!(measured(&store, gone, DURATION), ["error.type=connect http.request.method=GET 1"]);
        assert_eq!(measured(&store, gone, ACTIVE), ["http.request.method=GET 0"]);
    });
    with_store(|store| async move {
        let address = app(&store).await;
        let late = client()
            .error_type(|error: &BoxError| error.is::<tower::timeout::error::Elapsed>().then_some("timeout"));
        let client = ServiceBuilder::new()
            .layer(late)
            .timeout(std::time::Duration::from_millis(20))
            .service(hyper_client::<Full<Bytes>>());
        assert!(client.oneshot(get_request(address, "/slow")).await.is_err());
        assert_eq!(measured(&store, address, DURATION), ["error.type=timeout http.request.method=GET 1"]);
    });
}

#[test]
fn an_io_error_in_a_box_has_the_name_of_its_kind() {
    with_store(|store| async move {
        let failing = service_fn(|_: Request<Full<Bytes>>| async {
            Err::<Response<Body>, BoxError>(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into())
        });
        let request = Request::get("https://api.example.com/").body(Full::default()).unwrap();
        assert!(client().layer(failing).oneshot(request).await.is_err());
        assert_eq!(
            lines(&store, DURATION),
            [
                "error.type=connection_reset http.request.method=GET server.address=api.example.com server.port=443 1"
            ]
        );
    });
}

#[test]
fn a_request_that_is_given_up_is_cancelled() {
    with_store(|store| async move {
        let address = app(&store).await;
        let asked = client().layer(hyper_client()).oneshot(get_request(address, "/slow"));
        let given_up = tokio::time::timeout(std::time::Duration::from_millis(20), asked);
        assert!(given_up.await.is_err());
        assert_eq!(measured(&store, address, DURATION), ["error.type=cancelled http.request.method=GET 1"]);
        assert_eq!(measured(&store, address, ACTIVE), ["http.request.method=GET 0"]);
    });
}

#[test]
fn bodies_are_counted_in_both_directions() {
    with_store(|store| async move {
        let address = app(&store).await;
        let layer = client().body_sizes();
        let request = || Request::post(format!("http://{address}/echo")).body(Full::from("12345")).unwrap();
        let as_given = layer.clone().layer(hyper_client());
        as_given.oneshot(request()).await.unwrap().into_body().collect().await.unwrap();
        let counted = layer.count_request_bodies().layer(hyper_client::<CountedBody<Full<Bytes>>>());
        counted.oneshot(request()).await.unwrap().into_body().collect().await.unwrap();
        for name in ["http.client.request.body.size", "http.client.response.body.size"] {
            assert!(sums(&store, name)[0].ends_with(" 10"), "{:?}", sums(&store, name));
            assert_eq!(lines(&store, name), lines(&store, DURATION));
        }
    });
}

/// The hosts after a request to each of `host-0` to `host-4` and one to no host.
fn hosts(layer: metercast_tower::HttpLayer<metercast_tower::ClientSemantic>) -> Vec<String> {
    with_store(|store| async move {
        let answers =
            service_fn(|_: Request<Full<Bytes>>| async { Ok::<_, Infallible>(Response::new(Body::empty())) });
        let client = layer.layer(answers);
        for uri in (0..5).map(|n| format!("http://host-{n}:8080/")).chain(["/".to_owned()]) {
            let request = Request::get(uri).body(Full::default()).unwrap();
            drop(client.clone().oneshot(request).await.unwrap());
        }
        lines(&store, ACTIVE)
            .into_iter()
            .map(|line| {
                line.split(' ').find_map(|label| label.strip_prefix("server.address=")).unwrap().to_owned()
            })
            .collect()
    })
}

#[test]
fn only_so_many_hosts_are_told_apart() {
    assert_eq!(hosts(client()), ["_OTHER", "host-0", "host-1", "host-2", "host-3", "host-4"]);
    assert_eq!(hosts(client().max_hosts(2)), ["_OTHER", "host-0", "host-1"]);
    assert_eq!(hosts(client().max_hosts(usize::MAX)).len(), 6, "a wish for all of them ends nothing");
    assert_eq!(hosts(client().hosts(["host-3", "host-4:9000"])), ["_OTHER", "host-3"]);
    assert_eq!(hosts(client().hosts([""; 0])), ["_OTHER"]);
}

#[test]
fn reqwest_is_a_tower_service_too() {
    with_store(|store| async move {
        let address = app(&store).await;
        let client = ServiceBuilder::new()
            .layer(client())
            .map_request(|request: Request<reqwest::Body>| reqwest::Request::try_from(request).unwrap())
            .map_response(Response::<reqwest::Body>::from)
            .service(reqwest::Client::new());
        let request =
            Request::get(format!("http://{address}/items/7")).body(reqwest::Body::default()).unwrap();
        let response = client.oneshot(request).await.unwrap();
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "an item");
        assert_eq!(
            measured(&store, address, DURATION),
            ["http.request.method=GET http.response.status_code=200 network.protocol.version=1.1 1"]
        );
    });
}
