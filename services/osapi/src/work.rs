//! An attempt at a job, from its delivery to its acknowledgement.

use std::time::{Duration, SystemTime};

use async_nats::jetstream::{AckKind, Message};
use metercast_jobs::{Attempt, Delivery, Worker};
use metercast_tower::labels;
use tokio::time::{MissedTickBehavior, interval_at};
use tracing::{Instrument, Span};

use crate::component::Error;
use crate::job::{Job, Op, Response, Status};
use crate::queue::{self, Connection, Queue};
use crate::settings::Settings;
use crate::traces;

/// How soon a job that failed is to be delivered again.
const SOON: Duration = Duration::from_millis(50);

labels! {
    /// Why an attempt failed.
    enum Fault {
        /// The job is one that fails.
        Work,
        /// What it is about is not in the queue, or cannot be read.
        Unknown,
        /// The queue did not take what came of it, so that it will be delivered again.
        Unacknowledged,
    }
}

/// What jobs are done with.
pub(crate) struct Work {
    pub(crate) connection: Connection,
    pub(crate) settings: Settings,
    pub(crate) worker: Worker,
}

impl Work {
    /// Does what a message is about.
    pub(crate) async fn attempt(&self, message: &Message) {
        let span = traces::processing(message.headers.as_ref(), self.worker.name());
        self.attempt_in_span(message).instrument(span).await;
    }

    async fn attempt_in_span(&self, message: &Message) {
        let Ok(info) = message.info() else { return };
        let (published, delivered) = (info.published, u64::try_from(info.delivered).unwrap_or(1));
        let delivery = Delivery::nth(delivered)
            .of(self.settings.job.max_deliver().into())
            .created_at(SystemTime::from(published));
        let queue = self.connection.opened().await;
        let id = String::from_utf8_lossy(&message.payload).into_owned();
        Span::current().record("job_id", &*id);
        // A queue that crashes forgets what was acknowledged last. What is done already is neither done nor counted again.
        if let Ok(Some(Response { .. })) = queue::get(&queue.responses, &id).await {
            let _ = message.double_ack().await;
            return;
        }
        let attempt = self.worker.begin(delivery);
        match queue::get::<Job>(&queue.jobs, &id).await {
            Ok(Some(job)) => self.perform(queue, message, attempt, &job).await,
            // Another delivery finds no more.
            Ok(None) => self.give_up(queue, message, attempt.because(Fault::Unknown), &id).await,
            Err(_) => self.fail(queue, message, attempt.because(Fault::Unacknowledged), &id).await,
        }
    }

    async fn perform(&self, queue: &Queue, message: &Message, attempt: Attempt, job: &Job) {
        match job.op {
            Op::Ok => {}
            Op::Sleep => self.sleep(message).await,
            Op::Skip => {
                return match self.finish(queue, message, &attempt, &job.id, Status::Skipped).await {
                    Ok(()) => attempt.skip(),
                    Err(_) => _ = attempt.because(Fault::Unacknowledged).fail(),
                };
            }
            Op::Fail => return self.fail(queue, message, attempt.because(Fault::Work), &job.id).await,
        }
        match self.finish(queue, message, &attempt, &job.id, Status::Completed).await {
            Ok(()) => attempt.complete(),
            Err(_) => _ = attempt.because(Fault::Unacknowledged).fail(),
        }
    }

    /// Takes its time, and says that it is at it.
    async fn sleep(&self, message: &Message) {
        let every = self.settings.job.ack_wait() / 3;
        let mut ticks = interval_at(tokio::time::Instant::now() + every, every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let end = tokio::time::sleep(self.settings.job.sleep());
        tokio::pin!(end);
        loop {
            tokio::select! {
                () = &mut end => return,
                _ = ticks.tick() => {
                    // If it is lost, somebody else begins the same job.
                    let _ = message.ack_with(AckKind::Progress).await;
                }
            }
        }
    }

    /// What came of it is known from now on, and the queue need not deliver it again; if it does all the same, that is the end of it.
    async fn finish(
        &self,
        queue: &Queue,
        message: &Message,
        attempt: &Attempt,
        id: &str,
        status: Status,
    ) -> Result<(), Error> {
        let attempts = attempt.delivery().number();
        let response = Response { status, agent: self.settings.agent.name.clone(), attempts };
        queue::put(&queue.responses, id, &response).await?;
        let _ = message.double_ack().await;
        Ok(())
    }

    /// It is delivered again, unless that was the last time.
    async fn fail(&self, queue: &Queue, message: &Message, attempt: Attempt, id: &str) {
        if attempt.delivery().is_last() {
            return self.give_up(queue, message, attempt, id).await;
        }
        // If that is lost, it is delivered again all the same, later.
        let _ = message.ack_with(AckKind::Nak(Some(SOON))).await;
        attempt.fail();
    }

    /// It has failed for good.
    async fn give_up(&self, queue: &Queue, message: &Message, attempt: Attempt, id: &str) {
        let attempts = attempt.delivery().number();
        let response = Response { status: Status::Failed, agent: self.settings.agent.name.clone(), attempts };
        let _ = queue::put(&queue.responses, id, &response).await;
        let _ = message.ack_with(AckKind::Term).await;
        attempt.give_up();
    }
}
