//! Which agents are there, by the heartbeats that they leave in a bucket.

use std::convert::Infallible;
use std::time::Duration;

use async_nats::jetstream::kv::Operation;
use futures_util::StreamExt;
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
) -> Result<JoinHandle<Infallible>, Error> {
    let ttl = settings.job.ttl();
    let workers = Workers::within(ttl).observe(&measured.name("workers.connected"))?;
    Ok(tokio::spawn(async move {
        let queue = connection.opened().await;
        loop {
            // A watch that has ended, or hears nothing of anybody, may have lost its connection: the next one finds it again.
            let _ = follow(queue, &workers, ttl * 2).await;
            tokio::time::sleep(AGAIN).await;
        }
    }))
}

async fn follow(queue: &Queue, workers: &WorkerSet, silence: Duration) -> Result<(), Error> {
    let mut entries = queue.heartbeats.watch_all().await?;
    while let Some(entry) = tokio::time::timeout(silence, entries.next()).await? {
        let entry = entry?;
        match entry.operation {
            Operation::Put => _ = workers.heard(&entry.key),
            Operation::Delete | Operation::Purge => workers.left(&entry.key),
        }
    }
    Ok(())
}
