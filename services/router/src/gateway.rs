//! The gateway: every request goes to the upstream that its path names.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use metercast_tower::HttpRoute;
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer, service_fn};

use crate::connections::{Connection, Open};
use crate::metrics::OPERATIONS;
use crate::pipeline::Pipeline;
use crate::service::Service;
use crate::stages::{Asked, Measured, Seen};
use crate::upstream::{self, Connections};

/// The most that a request may bring.
const MOST: usize = 8 << 20;

/// Accepts connections. Each stays with the pipeline that it began with.
pub(crate) async fn serve(mut listener: TcpListener, service: Arc<Service>, open: Open) {
    let connections = upstream::connections(&service.measured);
    loop {
        // That of axum, which waits where there are no more files.
        let (stream, _) = Listener::accept(&mut listener).await;
        tokio::spawn(connection(stream, Arc::clone(&service), connections.clone(), open.add()));
    }
}

async fn connection(
    stream: TcpStream,
    service: Arc<Service>,
    connections: Connections,
    mut connection: Connection,
) {
    let pipeline = service.pipeline();
    let mut retirement = pipeline.retirement();
    let measuring = service.measured.requests();
    let proxy = service_fn(move |request: Request<Incoming>| {
        let (pipeline, service, connections) =
            (Arc::clone(&pipeline), Arc::clone(&service), connections.clone());
        async move { Ok::<_, Infallible>(proxy(&pipeline, &service.measured, &connections, request).await) }
    });
    let proxy = TowerToHyperService::new(measuring.layer(proxy));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new());
    let mut serving = Box::pin(builder.serve_connection(TokioIo::new(stream), proxy));
    tokio::select! {
        _ = &mut serving => return,
        _ = retirement.wait_for(|retired| *retired) => connection.terminate(),
    }
    // An idle client is not cut off: it may have sent its next request already.
    let _ = serving.await;
}

/// Answers a request, and counts its answer.
async fn proxy(
    pipeline: &Pipeline,
    measured: &Measured,
    connections: &Connections,
    request: Request<Incoming>,
) -> Response<Body> {
    let mut response = forward(pipeline, measured, connections, request).await;
    OPERATIONS.add(1, (response.status().as_u16(),));
    if *pipeline.retirement().borrow() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Hands a request on as it is, path and query undecoded.
async fn forward(
    pipeline: &Pipeline,
    measured: &Measured,
    connections: &Connections,
    request: Request<Incoming>,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let path = head.uri.path_and_query().map_or("", |path| path.as_str()).to_owned();
    let found = path.strip_prefix('/').and_then(|path| path.split_once('/'));
    let Some((upstream, path)) = found.and_then(|(name, path)| Some((pipeline.upstream(name)?, path))) else {
        return answer(StatusCode::NOT_FOUND, HttpRoute("other"));
    };
    let route = HttpRoute("/{upstream}/{*path}");
    let Ok(body) = to_bytes(Body::new(body), MOST).await else {
        return answer(StatusCode::PAYLOAD_TOO_LARGE, route);
    };
    let operation = measured.operation.begin(&Asked { headers: &head.headers, body: &body });
    let mut response = upstream.call(connections, measured, path, head, body).await;
    if let Some(mut operation) = operation {
        operation.response(&Seen(response.status().as_u16()));
        operation.end(&());
    }
    response.extensions_mut().insert(route);
    response
}

/// An answer without content.
fn answer(status: StatusCode, route: HttpRoute) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.extensions_mut().insert(route);
    response
}
