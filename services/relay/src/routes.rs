//! What clients find where.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{MatchedPath, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use metercast_tracing::http::server_spans;
use metrics::counter;
use serde_json::json;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::connection;
use crate::event;
use crate::health;
use crate::message::Event;
use crate::relay::{Relay, random};

/// The largest message of a client, in bytes.
const LARGEST: usize = 256 << 10;

/// So many files may come at once.
const UPLOADS: usize = 4;

/// The kind of the event that a workflow begins with.
const WORKFLOW: u32 = 9000;

/// Clients over WebSocket, and what else there is to ask for.
pub(crate) fn router(relay: Relay) -> Router {
    Router::new()
        .route("/", get(connect))
        .route("/api/items/{id}", get(item))
        .route("/api/media", post(upload))
        .route("/api/members/{pubkey}", put(add_member))
        .route("/api/workflows/{trigger}", post(run_workflow))
        .with_state(relay.clone())
        .merge(health::router(relay))
        .layer(metercast_tower::server().profile(metercast_tower::Callers))
        .layer(
            server_spans().route(|request| request.extensions.get::<MatchedPath>().map(MatchedPath::as_str)),
        )
}

async fn connect(State(relay): State<Relay>, upgrade: WebSocketUpgrade) -> Response {
    if relay.is_draining() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n").into_response();
    }
    upgrade.max_message_size(LARGEST).on_upgrade(move |socket| connection::serve(socket, relay))
}

async fn item(State(relay): State<Relay>, Path(id): Path<u64>) -> Response {
    match relay.bus().look(&id.to_string()).await {
        Ok(looks) => Json(json!({ "id": id, "looks": looks })).into_response(),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

async fn upload(State(relay): State<Relay>, headers: HeaderMap, file: Bytes) -> Response {
    let _place = match relay.uploads().begin() {
        Ok(place) => place,
        Err(reason) => {
            counter!("buzz_media_upload_rejections_total", "reason" => reason).increment(1);
            return (StatusCode::TOO_MANY_REQUESTS, reason).into_response();
        }
    };
    let mime = mime(&headers);
    match relay.database().add_media(mime, &file).await {
        Ok(id) => {
            counter!("buzz_media_uploads_total", "mime" => mime).increment(1);
            relay.audit().log(format!("media {id}"));
            (StatusCode::CREATED, Json(json!({ "id": id }))).into_response()
        }
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

async fn add_member(State(relay): State<Relay>, Path(pubkey): Path<String>) -> StatusCode {
    if pubkey.contains('\0') {
        return StatusCode::BAD_REQUEST;
    }
    if relay.database().add_member(&pubkey).await.is_err() {
        return StatusCode::BAD_GATEWAY;
    }
    relay.audit().log(format!("member {pubkey}"));
    match relay.bus().invalidate(&pubkey).await {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::BAD_GATEWAY,
    }
}

async fn run_workflow(State(relay): State<Relay>, Path(trigger): Path<String>) -> StatusCode {
    let trigger = match trigger.as_str() {
        "manual" => "manual",
        "schedule" => "schedule",
        "webhook" => "webhook",
        _ => return StatusCode::NOT_FOUND,
    };
    counter!("buzz_workflow_runs_total", "trigger" => trigger).increment(1);
    let event = Event { id: random(), kind: WORKFLOW, content: trigger.to_owned() };
    match event::take(&relay, &event, true).await {
        Ok(()) => StatusCode::ACCEPTED,
        Err(_) => StatusCode::BAD_GATEWAY,
    }
}

/// The types that are told apart; clients may say anything.
fn mime(headers: &HeaderMap) -> &'static str {
    const KNOWN: [&str; 6] =
        ["image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4", "application/pdf"];
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    KNOWN.into_iter().find(|known| said.eq_ignore_ascii_case(known)).unwrap_or("other")
}

/// How many files may come.
#[derive(Debug)]
pub(crate) struct Uploads {
    places: Semaphore,
    per_minute: u32,
    /// When the minute began, and how many came in it.
    minute: Mutex<(Instant, u32)>,
}

impl Uploads {
    pub(crate) fn new(per_minute: u32) -> Uploads {
        Uploads { places: Semaphore::new(UPLOADS), per_minute, minute: Mutex::new((Instant::now(), 0)) }
    }

    /// A place for one more; the error says why there is none.
    fn begin(&self) -> Result<SemaphorePermit<'_>, &'static str> {
        let place = self.places.try_acquire().map_err(|_| "concurrency")?;
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        if minute.0.elapsed() >= Duration::from_secs(60) {
            *minute = (Instant::now(), 0);
        }
        if minute.1 >= self.per_minute {
            return Err("rate_limit");
        }
        minute.1 += 1;
        Ok(place)
    }
}
