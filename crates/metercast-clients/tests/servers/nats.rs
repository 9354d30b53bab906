//! async-nats and a NATS server with JetStream.

#![cfg(feature = "async_nats_0_51")]

use async_nats_0_51::jetstream::{self, stream};
use conformance::servers::Nats;
use conformance::use_programs;
use metercast::Store;
use metercast_clients::observe_nats;

use crate::page::{page, until, until_is, value};

const STATUS: &str = "nats_client_connection_status";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_a_client_of_nats_are_counted_and_a_lost_connection_and_its_return_show() {
    let test = "messages_of_a_client_of_nats_are_counted_and_a_lost_connection_and_its_return_show";
    if !use_programs(test, "nats-server") {
        return;
    }
    let (mut server, store) = (Nats::start(), Store::new());
    let client = async_nats_0_51::connect(server.url()).await.expect("a connection");
    let observation = store.scope(|| observe_nats("orders", client.clone()));
    let number = |name, labels: &[&str]| value(&store, name, labels).unwrap_or_else(|| panic!("no {name}"));
    until_is(&store, STATUS, &["state=\"connected\""], 1.0).await;
    assert_eq!(number(STATUS, &["state=\"disconnected\""]), 0.0);
    assert_eq!(number(STATUS, &["state=\"pending\""]), 0.0);
    assert_eq!(number("nats_client_connects", &["name=\"orders\""]), 1.0);

    let (sent, came) = (["direction=\"transmit\""], ["direction=\"receive\""]);
    let jetstream = jetstream::new(client.clone());
    let config = stream::Config {
        name: "ORDERS".to_owned(),
        subjects: vec!["orders.>".to_owned()],
        ..stream::Config::default()
    };
    jetstream.create_stream(config).await.expect("a stream");
    let before = [number("nats_client_messages", &sent), number("nats_client_messages", &came)];
    let bytes = number("nats_client_io", &sent);
    for _ in 0..5 {
        let stored = jetstream.publish("orders.new", "x".repeat(1000).into()).await.expect("it is sent");
        stored.await.expect("it is stored");
    }
    assert_eq!(number("nats_client_messages", &sent) - before[0], 5.0);
    assert_eq!(number("nats_client_messages", &came) - before[1], 5.0, "an acknowledgement each");
    assert!(number("nats_client_io", &sent) - bytes >= 5000.0);

    server.stop();
    until_is(&store, STATUS, &["state=\"disconnected\""], 1.0).await;
    assert_eq!(number(STATUS, &["state=\"connected\""]), 0.0);
    assert_eq!(number("nats_client_connects", &[]), 1.0);

    server.start_again();
    until_is(&store, STATUS, &["state=\"connected\""], 1.0).await;
    assert_eq!(number("nats_client_connects", &[]), 2.0);
    until("the messages that were stored", &store, async || {
        let stream = jetstream.get_stream("ORDERS").await;
        stream.is_ok_and(|stream| stream.cached_info().state.messages == 5)
    })
    .await;

    drop(observation);
    assert_eq!(page(&store), "", "nothing is measured any more");
}
