//! Which spans there are, and whose: alone in a process, since tracing may take a place for one that interests nobody if another
//! thread comes by it just before the subscriber does.
#![cfg(feature = "tracing")]

use std::sync::{Arc, Mutex};

use metercast_websocket::{SocketMetrics, connection_span};
use tracing::Instrument;
use tracing::field::{Field, Visit};
use tracing::span;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

metercast::labels! {
    /// What a client says.
    enum Said { Event }
}

/// Notes each span with its parent and its fields.
#[derive(Clone, Default)]
struct Noted(Arc<Mutex<Vec<String>>>);

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.push_str(&format!(" {}={value:?}", field.name()));
    }
}

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Noted {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        let mut fields = Fields(String::new());
        attributes.record(&mut fields);
        let span = context.span(id).expect("it is new");
        let parent = span.parent().map_or("", |parent| parent.name());
        self.0.lock().unwrap().push(format!("{parent}/{}{}", span.name(), fields.0));
    }
}

#[tokio::test]
async fn a_message_that_is_handled_in_another_task_is_in_a_span_of_its_connection() {
    let noted = Noted::default();
    let store = metercast::Store::new();
    // One thread runs all tasks of this test.
    let _default = tracing::subscriber::set_default(tracing_subscriber::registry().with(noted.clone()));
    let connection = store.scope(|| SocketMetrics::new().build().unwrap().accept_as("c7"));
    let handled = connection.handle(Said::Event, async {
        tokio::task::yield_now().await;
        tracing::info_span!("db").in_scope(|| ());
    });
    let unrelated = tracing::info_span!("unrelated");
    let task = unrelated.in_scope(|| tokio::spawn(handled));
    task.await.unwrap();
    let own = connection_span!(connection, "ws.req", sub_id = "s1", limit = 10);
    tokio::spawn(async { tracing::info_span!("fan-out").in_scope(|| ()) }.instrument(own)).await.unwrap();
    assert_eq!(
        *noted.0.lock().unwrap(),
        [
            "/ws.connection conn_id=\"c7\"",
            "ws.connection/ws.message conn_id=\"c7\" kind=event",
            "/unrelated",
            "ws.message/db",
            "ws.connection/ws.req conn_id=\"c7\" sub_id=\"s1\" limit=10",
            "ws.req/fan-out",
        ]
    );
}
