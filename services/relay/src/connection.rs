//! One client's connection, from the challenge to its end.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use metercast_metrics::GaugeGuard;
use metrics::{counter, gauge, histogram};
use tokio::sync::mpsc;
use tracing::{Instrument, info_span};

use crate::event;
use crate::filter::Filter;
use crate::message::{self, Credentials, Event, Said};
use crate::relay::{Relay, random};
use crate::subscriptions::Client;

/// The most messages that are sent at once.
const BATCH: usize = 64;

/// How long a client may take to read what waits for him when the connection ends.
const FAREWELL: Duration = Duration::from_secs(2);

/// The longest public key, in bytes.
const LONGEST: usize = 128;

/// Serves a client until he goes, or has to.
pub(crate) async fn serve(mut socket: WebSocket, relay: Arc<Relay>) {
    counter!("buzz_ws_connections_total").increment(1);
    if socket.send(Message::text(message::auth(&random()))).await.is_err() {
        return;
    }
    // Not before: who leaves during the challenge was never active.
    let _active = GaugeGuard::new(gauge!("buzz_ws_connections_active"));
    let (sink, mut stream) = socket.split();
    let (queue, waiting) = mpsc::channel(relay.settings.send_queue);
    let mut writing = tokio::spawn(write(sink, waiting));
    let client = relay.subscriptions.enter(queue);
    let mut session = Session { relay: &relay, client: &client, conn_id: random(), pubkey: None };
    let is_late = tokio::time::sleep(relay.settings.auth_timeout);
    tokio::pin!(is_late);
    loop {
        tokio::select! {
            said = stream.next() => match said {
                Some(Ok(Message::Text(text))) => {
                    if session.hear(&text).await.is_break() {
                        break;
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
            () = &mut is_late, if session.pubkey.is_none() => {
                counter!("buzz_ws_auth_timeouts_total").increment(1);
                break;
            }
            () = client.dropped() => break,
            () = relay.closing.cancelled() => break,
        }
    }
    relay.subscriptions.leave(&client);
    // The last sender: the writing ends with what waits.
    drop(client);
    if tokio::time::timeout(FAREWELL, &mut writing).await.is_err() {
        writing.abort();
    }
}

/// What a client says, and what he is told.
struct Session<'a> {
    relay: &'a Arc<Relay>,
    client: &'a Client,
    /// By which all spans of the connection are found.
    conn_id: String,
    /// Who he is, once he said it.
    pubkey: Option<String>,
}

impl Session<'_> {
    async fn hear(&mut self, text: &str) -> ControlFlow<()> {
        match Said::read(text) {
            Ok(Said::Auth(credentials)) => {
                let span = info_span!("ws.auth", conn_id = self.conn_id);
                return self.auth(credentials).instrument(span).await;
            }
            Ok(Said::Event(event)) => self.event(event).await,
            Ok(Said::Req(name, _) | Said::Count(name, _)) if self.pubkey.is_none() => {
                self.client.send(message::closed(&name, "unauthenticated"));
            }
            Ok(Said::Req(name, filter)) => {
                let span = info_span!("ws.req", conn_id = self.conn_id, sub_id = name);
                self.subscribe(name, filter).instrument(span).await;
            }
            Ok(Said::Count(name, filter)) => {
                let span = info_span!("ws.count", conn_id = self.conn_id, sub_id = name);
                self.count(&name, filter).instrument(span).await;
            }
            Ok(Said::Close(name)) => self.relay.subscriptions.remove(self.client, &name),
            Err(why) => self.client.send(message::notice(&why)),
        }
        ControlFlow::Continue(())
    }

    /// Takes an event in a task of its own: whoever goes away meanwhile does not leave it half done. The span goes along.
    async fn event(&self, event: Event) {
        let span = info_span!("ws.event", conn_id = self.conn_id, event_id = event.id, kind = event.kind);
        let (relay, client, sender) = (Arc::clone(self.relay), self.client.clone(), self.pubkey.clone());
        let taking = async move {
            let taken = event::take(&relay, &event, sender.as_deref()).await;
            let why = taken.err().map_or("", event::Rejected::as_str);
            client.send(message::ok(&event.id, taken.is_ok(), why));
        };
        // It fails only if it panics, which is said already.
        let _ = tokio::spawn(taking.instrument(span)).await;
    }

    async fn auth(&mut self, credentials: Credentials) -> ControlFlow<()> {
        counter!("buzz_auth_attempts_total", "method" => "nip42").increment(1);
        match self.refusal(&credentials).await {
            None => {
                self.pubkey = Some(credentials.pubkey);
                self.client.send(message::ok("auth", true, ""));
                ControlFlow::Continue(())
            }
            Some(reason) => {
                counter!("buzz_auth_failures_total", "reason" => reason).increment(1);
                self.client.send(message::ok("auth", false, reason));
                ControlFlow::Break(())
            }
        }
    }

    /// Why he may not come, if he may not.
    async fn refusal(&self, Credentials { sig, pubkey }: &Credentials) -> Option<&'static str> {
        let settings = &self.relay.settings;
        if sig != "ok" || pubkey.contains('\0') || pubkey.len() > LONGEST {
            return Some("nip42_invalid");
        }
        if settings.allowlist.as_ref().is_some_and(|names| !names.contains(pubkey)) {
            return Some("allowlist_denied");
        }
        let is_member = async { self.relay.people.is_member(pubkey).await.unwrap_or(false) };
        (settings.members_only && !is_member.await).then_some("not_relay_member")
    }

    /// The filter, for what he may read.
    async fn readable(&self, filter: Filter) -> Result<Filter, sqlx::Error> {
        let channels = self.relay.people.channels(self.pubkey.as_deref().unwrap_or_default()).await?;
        Ok(Filter { channels, ..filter })
    }

    async fn subscribe(&self, name: String, filter: Filter) {
        let Ok(filter) = self.readable(filter).await else {
            return self.client.send(message::closed(&name, "database"));
        };
        // First, so that nothing falls between what was kept and what is new.
        if !self.relay.subscriptions.add(self.client, name.clone(), filter.clone()) {
            return self.client.send(message::closed(&name, "too many subscriptions"));
        }
        match self.relay.database.events(&filter).await {
            Ok(events) => {
                for event in events {
                    self.client.send(message::event(&name, &event));
                }
                self.client.send(message::end_of_stored(&name));
            }
            Err(_) => {
                self.relay.subscriptions.remove(self.client, &name);
                self.client.send(message::closed(&name, "database"));
            }
        }
    }

    async fn count(&self, name: &str, filter: Filter) {
        if filter.is_broad() {
            counter!("buzz_count_fallback_rejections_total").increment(1);
            return self.client.send(message::closed(name, "too broad; say ids or kinds"));
        }
        let counted = async { self.relay.database.count(&self.readable(filter).await?).await };
        self.client.send(match counted.await {
            Ok(count) => message::count(name, count),
            Err(_) => message::closed(name, "database"),
        });
    }
}

/// Sends what waits, as much at once as there is, until there is nobody left who could say more.
async fn write(mut sink: SplitSink<WebSocket, Message>, mut waiting: mpsc::Receiver<String>) {
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        histogram!("buzz_ws_send_batch_size").record(batch.len() as f64);
        for message in batch.drain(..) {
            if sink.feed(Message::text(message)).await.is_err() {
                return;
            }
        }
        if sink.flush().await.is_err() {
            return;
        }
    }
    let _ = sink.close().await;
}
