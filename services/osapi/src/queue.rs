//! The queue between the controller and the agents: a stream and three buckets of NATS JetStream.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::{self, consumer, kv, stream};
use async_nats::{Client, ConnectOptions};
use backon::{ConstantBuilder, Retryable};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::SetOnce;

use crate::component::Error;
use crate::settings::Settings;

/// Where jobs are published that any agent can do.
pub(crate) const SUBJECT: &str = "jobs.query._any";

/// When what failed is tried again, for as long as it fails.
pub(crate) const AGAIN: ConstantBuilder =
    ConstantBuilder::new().with_delay(Duration::from_millis(200)).without_max_times();

/// How long NATS may take to answer.
const TIMEOUT: Duration = Duration::from_secs(2);

/// A connection to NATS, which may not be there yet, and the queue behind it.
#[derive(Clone)]
pub(crate) struct Connection {
    client: Client,
    queue: Arc<SetOnce<Queue>>,
}

/// The queue, which is there.
pub(crate) struct Queue {
    pub(crate) context: jetstream::Context,
    pub(crate) stream: stream::Stream,
    pub(crate) jobs: kv::Store,
    pub(crate) responses: kv::Store,
    pub(crate) heartbeats: kv::Store,
}

impl Connection {
    /// Begins to connect, and opens the queue once it has.
    pub(crate) async fn begin(settings: &Settings) -> Result<Connection, Error> {
        let client = ConnectOptions::new()
            .retry_on_initial_connect()
            .connection_timeout(TIMEOUT)
            .request_timeout(Some(TIMEOUT))
            .ping_interval(Duration::from_secs(1))
            .connect(settings.nats.server.url())
            .await?;
        let connection = Connection { client: client.clone(), queue: Arc::default() };
        let (queue, settings) = (Arc::clone(&connection.queue), settings.clone());
        tokio::spawn(async move {
            let mut said = String::new();
            let opened = (|| Queue::open(&client, &settings)).retry(AGAIN).notify(|error, _| {
                let error = error.to_string();
                if error != said {
                    eprintln!("osapi: the queue cannot be opened yet: {error}");
                    said = error;
                }
            });
            if let Ok(opened) = opened.await {
                // Nobody else sets it.
                let _ = queue.set(opened);
            }
        });
        Ok(connection)
    }

    /// The queue, if it is there.
    pub(crate) fn queue(&self) -> Option<&Queue> {
        self.queue.get()
    }

    /// Waits until it is.
    pub(crate) async fn opened(&self) -> &Queue {
        self.queue.wait().await
    }

    /// Whether NATS answers, and the queue is open.
    pub(crate) async fn check(&self) -> Result<(), String> {
        if self.queue().is_none() {
            return Err(format!("the queue is not open; NATS is {}", self.client.connection_state()));
        }
        answers(&self.client).await
    }
}

impl Queue {
    async fn open(client: &Client, settings: &Settings) -> Result<Queue, Error> {
        let mut context = jetstream::new(client.clone());
        context.set_timeout(TIMEOUT);
        let stream = context
            .get_or_create_stream(stream::Config {
                name: "JOBS".into(),
                subjects: vec!["jobs.>".into()],
                ..stream::Config::default()
            })
            .await?;
        let jobs = bucket(&context, "job-queue", Duration::ZERO).await?;
        let responses = bucket(&context, "job-responses", Duration::ZERO).await?;
        let heartbeats = bucket(&context, "agent-heartbeats", settings.job.ttl()).await?;
        Ok(Queue { context, stream, jobs, responses, heartbeats })
    }

    /// The consumer that all agents share.
    pub(crate) async fn consumer(
        &self,
        settings: &Settings,
    ) -> Result<consumer::Consumer<consumer::pull::Config>, Error> {
        let config = consumer::pull::Config {
            durable_name: Some("query_any".into()),
            filter_subject: SUBJECT.into(),
            max_deliver: settings.job.max_deliver().into(),
            ack_wait: settings.job.ack_wait(),
            ..consumer::pull::Config::default()
        };
        Ok(self.stream.get_or_create_consumer("query_any", config).await?)
    }
}

/// A bucket, made if it is not there, whose entries go after `max_age` unless that is zero.
async fn bucket(context: &jetstream::Context, name: &str, max_age: Duration) -> Result<kv::Store, Error> {
    // A stream as NATS defines buckets (ADR-8). The client would make one only with servers from 2.10 on.
    context
        .get_or_create_stream(stream::Config {
            name: format!("KV_{name}"),
            subjects: vec![format!("$KV.{name}.>")],
            max_messages_per_subject: 1,
            max_age,
            discard: stream::DiscardPolicy::New,
            allow_rollup: true,
            deny_delete: true,
            allow_direct: true,
            ..stream::Config::default()
        })
        .await?;
    Ok(context.get_key_value(name).await?)
}

/// Whether JetStream answers.
pub(crate) async fn answers(client: &Client) -> Result<(), String> {
    // What it says is of no interest, and differs from version to version.
    let answer = client.request("$JS.API.INFO", Default::default()).await;
    answer.map(drop).map_err(|error| error.to_string())
}

/// Whether a bucket can have it as a key, and so the name of an agent or a job.
pub(crate) fn is_key(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Puts a value into a bucket.
pub(crate) async fn put(bucket: &kv::Store, key: &str, value: &impl Serialize) -> Result<(), Error> {
    bucket.put(key, serde_json::to_vec(value)?.into()).await?;
    Ok(())
}

/// The value of a key, if there is one.
pub(crate) async fn get<T: DeserializeOwned>(bucket: &kv::Store, key: &str) -> Result<Option<T>, Error> {
    let Some(value) = bucket.get(key).await? else { return Ok(None) };
    Ok(Some(serde_json::from_slice(&value)?))
}
