//! What clients find where.

use std::num::NonZeroU32;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
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
pub(crate) fn router(relay: Arc<Relay>) -> Router {
    Router::new()
        .route("/", get(connect))
        .route("/api/items/{id}", get(item))
        .route("/api/media", post(upload))
        .route("/api/members/{pubkey}", put(add_member))
        .route("/api/channels/{channel}/{pubkey}", put(add_reader))
        .route("/api/workflows/{trigger}", post(run_workflow))
        .with_state(relay.clone())
        .merge(health::router(relay))
        .layer(metercast_tower::server().profile(metercast_tower::Callers))
        .layer(server_spans())
}

async fn connect(State(relay): State<Arc<Relay>>, upgrade: WebSocketUpgrade) -> Response {
    if relay.draining.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n").into_response();
    }
    // It is open before it is upgraded, so that the end waits for it whenever that happens.
    let open = relay.connections.token();
    upgrade.max_message_size(LARGEST).on_upgrade(async move |socket| {
        connection::serve(socket, relay).await;
        drop(open);
    })
}

async fn item(State(relay): State<Arc<Relay>>, Path(id): Path<u64>) -> Response {
    match relay.bus.look(&id.to_string()).await {
        Ok(looks) => Json(json!({ "id": id, "looks": looks })).into_response(),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

async fn upload(State(relay): State<Arc<Relay>>, headers: HeaderMap, file: Bytes) -> Response {
    let _place = match relay.uploads.begin() {
        Ok(place) => place,
        Err(reason) => {
            counter!("buzz_media_upload_rejections_total", "reason" => reason).increment(1);
            return (StatusCode::TOO_MANY_REQUESTS, reason).into_response();
        }
    };
    let mime = mime(&headers);
    match relay.database.add_media(mime, &file).await {
        Ok(id) => {
            counter!("buzz_media_uploads_total", "mime" => mime).increment(1);
            relay.audit.log(format!("media {id}"));
            (StatusCode::CREATED, Json(json!({ "id": id }))).into_response()
        }
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

async fn add_member(State(relay): State<Arc<Relay>>, Path(pubkey): Path<String>) -> StatusCode {
    if pubkey.contains('\0') {
        return StatusCode::BAD_REQUEST;
    }
    let added = relay.database.add_member(&pubkey).await;
    changed(&relay, &pubkey, added, format!("member {pubkey}")).await
}

async fn add_reader(
    State(relay): State<Arc<Relay>>,
    Path((channel, pubkey)): Path<(String, String)>,
) -> StatusCode {
    if channel.contains('\0') || pubkey.contains('\0') {
        return StatusCode::BAD_REQUEST;
    }
    let added = relay.database.add_reader(&channel, &pubkey).await;
    changed(&relay, &pubkey, added, format!("reader {pubkey} of {channel}")).await
}

/// Writes down and tells everybody that somebody is not what he was, if that is so.
async fn changed(relay: &Relay, pubkey: &str, done: Result<(), sqlx::Error>, what: String) -> StatusCode {
    if done.is_err() {
        return StatusCode::BAD_GATEWAY;
    }
    relay.audit.log(what);
    match relay.bus.invalidate(pubkey).await {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::BAD_GATEWAY,
    }
}

async fn run_workflow(State(relay): State<Arc<Relay>>, Path(trigger): Path<String>) -> StatusCode {
    let trigger = match trigger.as_str() {
        "manual" => "manual",
        "schedule" => "schedule",
        "webhook" => "webhook",
        _ => return StatusCode::NOT_FOUND,
    };
    counter!("buzz_workflow_runs_total", "trigger" => trigger).increment(1);
    let event = Event { id: random(), kind: WORKFLOW, content: trigger.to_owned(), channel: None };
    match event::take(&relay, &event, Some("")).await {
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

/// How many files may come at once, and how often.
#[derive(Debug)]
pub(crate) struct Uploads {
    places: Semaphore,
    /// None come if it is not there.
    rate: Option<DefaultDirectRateLimiter>,
}

impl Uploads {
    pub(crate) fn new(per_minute: u32) -> Uploads {
        let rate = NonZeroU32::new(per_minute).map(Quota::per_minute).map(RateLimiter::direct);
        Uploads { places: Semaphore::new(UPLOADS), rate }
    }

    /// A place for one more; the error says why there is none.
    fn begin(&self) -> Result<SemaphorePermit<'_>, &'static str> {
        let place = self.places.try_acquire().map_err(|_| "concurrency")?;
        match &self.rate {
            Some(rate) if rate.check().is_ok() => Ok(place),
            _ => Err("rate_limit"),
        }
    }
}
