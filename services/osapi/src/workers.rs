//! Which agents are there, by the heartbeats that they leave in a bucket.

use std::convert::Infallible;
use std::time::Duration;

use async_nats::jetstream::kv::Operation;
use backon::Retryable;
use futures_util::TryStreamExt;
use metercast_jobs::{WorkerSet, Workers};
use tokio::task::JoinHandle;

use crate::component::Error;
use crate::queue::{AGAIN, Connection, Queue};
use crate::settings::Settings;
use crate::telemetry::Measured;

/// Follows the heartbeats until what is returned is aborted.
pub(crate) fn watch(
    connection: Connection,
    settings: &Settings,
    measured: &Measured,
) -> Result<JoinHandle<Result<Infallible, Error>>, Error> {
    let ttl = settings.job.ttl();
    let workers = Workers::within(ttl).observe(&measured.name("workers.connected"))?;
    Ok(tokio::spawn(async move {
        let queue = connection.opened().await;
        // A watch that has ended, or hears nothing of anybody, may have lost its connection: the next one finds it again.
        (|| follow(queue, &workers, ttl * 2)).retry(AGAIN).await
    }))
}

async fn follow(queue: &Queue, workers: &WorkerSet, silence: Duration) -> Result<Infallible, Error> {
    let mut entries = queue.heartbeats.watch_all().await?;
    loop {
        let entry = tokio::time::timeout(silence, entries.try_next()).await??.ok_or("it has ended")?;
        match entry.operation {
            Operation::Put => _ = workers.heard(&entry.key),
            Operation::Delete | Operation::Purge => workers.left(&entry.key),
        }
    }
}
