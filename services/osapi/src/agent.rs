//! The agent: takes jobs out of the queue, as many at once as it may, and does them.

use std::cell::RefCell;
use std::convert::Infallible;
use std::sync::Arc;

use backon::Retryable;
use futures_util::TryStreamExt;
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
    let worker = measured.jobs()?.zeroes().worker(&settings.agent.name);
    let work = Arc::new(Work { connection: connection.clone(), settings: settings.clone(), worker });
    announce(None, measured);
    let permits = Arc::new(Semaphore::new(settings.agent.concurrency.max(1)));
    let running = RefCell::new(JoinSet::new());
    tokio::select! {
        () = asked.asked() => {}
        () = heartbeat::beat(&connection, settings, &heartbeat) => {}
        // Whatever becomes of the connection.
        _ = (|| take(&work, &permits, &running)).retry(AGAIN) => {}
    }
    heartbeat::leave(&connection, settings).await;
    // What is not acknowledged by then is delivered again, to somebody else.
    running.into_inner().shutdown().await;
    drop(checks);
    Ok(())
}

/// Takes jobs until the connection fails, each as soon as there is room for one.
async fn take(
    work: &Arc<Work>,
    permits: &Arc<Semaphore>,
    running: &RefCell<JoinSet<()>>,
) -> Result<Infallible, Error> {
    let consumer = work.connection.opened().await.consumer(&work.settings).await?;
    let mut messages = consumer.messages().await?;
    loop {
        let message = messages.try_next().await?.ok_or("the queue has ended")?;
        let (work, permit) = (Arc::clone(work), Arc::clone(permits).acquire_owned().await?);
        let mut running = running.borrow_mut();
        while running.try_join_next().is_some() {}
        running.spawn(async move {
            work.attempt(&message).await;
            drop(permit);
        });
    }
}
