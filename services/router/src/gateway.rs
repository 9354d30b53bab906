//! The gateway: every request goes to the upstream that its path names.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Path, Request};
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::routing::any;
use http_body_util::{BodyExt, Limited};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use metercast_tower::dynamic::StageHandle;
use tokio::net::{TcpListener, TcpStream};

use crate::connections::{Connection, Open};
use crate::metrics::OPERATIONS;
use crate::pipeline::Pipeline;
use crate::reload::Service;
use crate::stages::{Answered, Asked, Measured};
use crate::upstream::{self, Connections};

/// The most that a request may bring.
const MOST: usize = 8 << 20;

/// Accepts connections. Each stays with the pipeline that it began with.
pub(crate) async fn serve(listener: TcpListener, service: Arc<Service>, open: Open) {
    let connections = upstream::connections(&service.measured);
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // No more files: others have to be closed first.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        let pipeline = service.pipeline();
        let app = router(Arc::clone(&pipeline), connections.clone(), &service.measured);
        tokio::spawn(connection(stream, pipeline, app, open.add()));
    }
}

async fn connection(stream: TcpStream, pipeline: Arc<Pipeline>, app: Router, mut connection: Connection) {
    let mut retirement = pipeline.retirement();
    drop(pipeline);
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new());
    let mut serving = Box::pin(builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app)));
    tokio::select! {
        _ = &mut serving => return,
        _ = retirement.wait_for(|retired| *retired) => connection.terminate(),
    }
    // An idle client is not cut off: it may have sent its next request already.
    let _ = serving.await;
}

fn router(pipeline: Arc<Pipeline>, connections: Connections, measured: &Measured) -> Router {
    Router::new()
        .route("/{upstream}/{*path}", any(proxy))
        .fallback(|| async { answer(StatusCode::NOT_FOUND) })
        .layer(Extension(connections))
        .layer(Extension(pipeline))
        .layer(Extension(measured.operation.clone()))
        .layer(measured.requests())
}

async fn proxy(
    Path((name, path)): Path<(String, String)>,
    Extension(pipeline): Extension<Arc<Pipeline>>,
    Extension(connections): Extension<Connections>,
    Extension(operation): Extension<StageHandle>,
    request: Request,
) -> Response<Body> {
    let is_retired = pipeline.retirement();
    let mut response = match pipeline.upstream(&name) {
        Some(upstream) => {
            let (head, body) = request.into_parts();
            match Limited::new(body, MOST).collect().await {
                Ok(body) => {
                    let body = body.to_bytes();
                    let operation = operation.begin(&Asked { headers: &head.headers, body: &body });
                    let response = upstream.call(&connections, head.method, &path, body).await;
                    OPERATIONS.add(1, (response.status().as_u16(),));
                    if let Some(mut operation) = operation {
                        operation.response(&Answered(response.status()));
                        operation.end(&());
                    }
                    response
                }
                Err(_) => answer(StatusCode::PAYLOAD_TOO_LARGE),
            }
        }
        None => answer(StatusCode::NOT_FOUND),
    };
    if *is_retired.borrow() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// An answer without content, counted.
fn answer(status: StatusCode) -> Response<Body> {
    OPERATIONS.add(1, (status.as_u16(),));
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
