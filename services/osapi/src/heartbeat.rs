//! The heartbeat of an agent, which it leaves in a bucket.

use std::time::Duration;

use metercast_jobs::Heartbeat;
use serde_json::json;
use tokio::time::{MissedTickBehavior, interval};

use crate::component::Error;
use crate::queue::{self, Connection};
use crate::settings::Settings;

/// Beats until it is dropped.
pub(crate) async fn beat(connection: &Connection, settings: &Settings, heartbeat: &Heartbeat) {
    let name = &settings.agent.name;
    let mut ticks = interval(settings.job.heartbeat());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let Some(queue) = connection.queue() else { continue };
        // Only what arrived is a sign of life.
        if queue::put(&queue.heartbeats, name, &json!({ "hostname": name })).await.is_ok() {
            heartbeat.beat();
        }
    }
}

/// Says that the agent goes.
pub(crate) async fn leave(connection: &Connection, settings: &Settings) {
    if let Some(queue) = connection.queue() {
        let _ = queue.heartbeats.delete(&settings.agent.name).await;
    }
}

/// Whether there was a beat of late.
pub(crate) fn check(heartbeat: &Heartbeat, late: Duration) -> Result<(), Error> {
    let age = heartbeat.age();
    if age < late {
        Ok(())
    } else {
        Err(format!("the last heartbeat was {:.1} s ago", age.as_secs_f64()).into())
    }
}
