//! The agent: takes jobs out of the queue, as many at once as it may, and does them.

use std::sync::Arc;

use async_nats::jetstream::Message;
use futures_util::StreamExt;
use metercast_jobs::Heartbeat;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::component::{Ending, Error};
use crate::controller::{CHECKED, announce};
use crate::heartbeat;
use crate::queue::{AGAIN, Connection};
use crate::settings::Settings;
use crate::telemetry::Measured;
use crate::work::Work;

/// Runs until it is asked to end.
pub(crate) async fn run(settings: &Settings, measured: &Measured, asked: Ending) -> Result<(), Error> {
    let connection = Connection::begin(settings).await?;
    let heartbeat = Heartbeat::observe(&measured.name("heartbeat.age"))?;
    let checks = measured.is_enabled().then(|| {
        let runtime = tokio::runtime::Handle::current();
        let of_check = connection.clone();
        let nats = measured.health().check("nats").interval(CHECKED);
        let nats = nats.run(move || runtime.block_on(of_check.check()));
        let (of_check, late) = (heartbeat.clone(), settings.job.heartbeat() * 2);
        let beats = measured.health().check("agent.heartbeat").interval(CHECKED / 4);
        [nats, beats.run(move || heartbeat::check(&of_check, late))]
    });
    let worker = measured.jobs()?.worker(&settings.agent.name);
    let work = Arc::new(Work { connection: connection.clone(), settings: settings.clone(), worker });
    announce(None, measured);
    let mut running = JoinSet::new();
    tokio::select! {
        () = asked.asked() => {}
        () = heartbeat::beat(&connection, settings, &heartbeat) => {}
        () = take(&work, &mut running) => {}
    }
    heartbeat::leave(&connection, settings).await;
    // What is not acknowledged by then is delivered again, to somebody else.
    running.shutdown().await;
    drop(checks);
    Ok(())
}

/// Takes jobs for as long as it runs, whatever becomes of the connection.
async fn take(work: &Arc<Work>, running: &mut JoinSet<()>) {
    let permits = Arc::new(Semaphore::new(work.settings.agent.concurrency.max(1)));
    let queue = work.connection.opened().await;
    loop {
        let messages = async { Ok::<_, Error>(queue.consumer(&work.settings).await?.messages().await?) };
        if let Ok(mut messages) = messages.await {
            while let Some(Ok(message)) = messages.next().await {
                begin(work, message, &permits, running).await;
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Begins a job as soon as there is room for one.
async fn begin(work: &Arc<Work>, message: Message, permits: &Arc<Semaphore>, running: &mut JoinSet<()>) {
    while running.try_join_next().is_some() {}
    let Ok(permit) = Arc::clone(permits).acquire_owned().await else { return };
    let work = Arc::clone(work);
    running.spawn(async move {
        work.attempt(&message).await;
        drop(permit);
    });
}
