//! What is answered where.

use std::collections::HashMap;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper_util::rt::TokioIo;
use metercast_tower::{Endpoints, server};

use crate::endpoint::{endpoint, gateway};
use crate::id::Id;
use crate::mailboxes::Refusal;
use crate::mailroom::Mailroom;
use crate::metrics::{ENTRIES, Version};
use crate::tunnels::Refused;

/// The most that a mailbox holds, in bytes.
const LARGEST: usize = 64 << 10;

/// All routes, measured.
pub(crate) fn router(mailroom: Mailroom) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/panic", get(panics))
        .route("/{id}", get(read).post(write))
        .fallback(fallback)
        .method_not_allowed_fallback(|| async { StatusCode::NOT_FOUND })
        .layer(DefaultBodyLimit::max(LARGEST))
        .layer(server().profile(Endpoints::new(|request| endpoint(request.path()))))
        .with_state(mailroom)
}

/// The versions of the protocol that are spoken.
async fn health() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], r#"{"versions":[1,2]}"#)
}

/// Stores what somebody left.
async fn write(
    State(mailroom): State<Mailroom>,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    content: Bytes,
) -> StatusCode {
    let Some(id) = Id::of(&id) else { return StatusCode::NOT_FOUND };
    mailroom.see(&id);
    let version = if query.get("v").is_some_and(|v| v == "1") { Version::One } else { Version::Two };
    match mailroom.mailboxes.write(&id, &content).await {
        Ok(()) => {
            ENTRIES.add(1, (version,));
            StatusCode::OK
        }
        Err(Refusal::Full) => StatusCode::INSUFFICIENT_STORAGE,
        Err(Refusal::Io(error)) => failed(&error),
    }
}

/// Waits for what somebody leaves.
async fn read(State(mailroom): State<Mailroom>, Path(id): Path<String>) -> Response {
    let Some(id) = Id::of(&id) else { return StatusCode::NOT_FOUND.into_response() };
    mailroom.see(&id);
    let content = mailroom.ending.run_until_cancelled(mailroom.mailboxes.read(&id));
    match tokio::time::timeout(mailroom.timeout, content).await {
        Ok(Some(Ok(content))) => content.into_response(),
        Ok(Some(Err(error))) => failed(&error).into_response(),
        Ok(None) | Err(_) => StatusCode::ACCEPTED.into_response(),
    }
}

#[expect(clippy::print_stderr, reason = "whoever runs it must know")]
fn failed(error: &std::io::Error) -> StatusCode {
    // Paths, which have ids in them, are not in errors of the system.
    eprintln!("mailroom: a mailbox cannot be used: {}", error.kind());
    StatusCode::INTERNAL_SERVER_ERROR
}

async fn panics(State(mailroom): State<Mailroom>) -> StatusCode {
    assert!(!mailroom.panics, "a client asked for it");
    StatusCode::NOT_FOUND
}

/// What no route is for: a gateway's URL, or nothing.
async fn fallback(State(mailroom): State<Mailroom>, request: Request) -> Response {
    match gateway(request.uri().path()).filter(|_| request.method() == "GET").map(str::to_owned) {
        Some(gateway) => tunnel(&mailroom, &gateway, request).await,
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn tunnel(mailroom: &Mailroom, gateway: &str, mut request: Request) -> Response {
    if !request.headers().contains_key(header::UPGRADE) {
        return StatusCode::UPGRADE_REQUIRED.into_response();
    }
    match mailroom.tunnels.open(gateway).await {
        Ok(tunnel) => {
            let upgraded = hyper::upgrade::on(&mut request);
            let client = async { upgraded.await.ok().map(TokioIo::new) };
            mailroom.tunnels.carry(tunnel, client);
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            let headers = response.headers_mut();
            headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(header::UPGRADE, HeaderValue::from_static("tunnel"));
            response
        }
        Err(Refused::Unknown) => StatusCode::FORBIDDEN.into_response(),
        Err(Refused::Shed) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Err(Refused::Unreachable) => StatusCode::BAD_GATEWAY.into_response(),
    }
}
