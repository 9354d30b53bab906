//! Which time a queue delivers a job.

use std::time::SystemTime;

/// Which time a queue delivers a job, how often it will, and since when the job has been there.
///
/// Queues count from 1: `info.delivered` of JetStream, `ApproximateReceiveCount` of SQS. A 0 is taken as 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    number: u64,
    most: Option<u64>,
    created: Option<SystemTime>,
}

impl Delivery {
    /// The first, of a queue that does not count or delivers once.
    pub fn first() -> Delivery {
        Delivery::nth(1)
    }

    /// The delivery with this number.
    pub fn nth(number: u64) -> Delivery {
        Delivery { number: number.max(1), most: None, created: None }
    }

    /// Of so many at most: with the last, a job that fails has failed for good. Without, it is delivered for ever.
    pub fn of(mut self, most: u64) -> Delivery {
        self.most = Some(most);
        self
    }

    /// When the job was made, as the queue or the job says: the first delivery then records how long it waited. A time to come is
    /// no wait.
    pub fn created_at(mut self, time: SystemTime) -> Delivery {
        self.created = Some(time);
        self
    }

    /// Its number, from 1.
    pub fn number(self) -> u64 {
        self.number
    }

    /// Whether there was one before.
    pub fn is_again(self) -> bool {
        self.number > 1
    }

    /// Whether there is none after it.
    pub fn is_last(self) -> bool {
        self.most.is_some_and(|most| self.number >= most)
    }

    pub(crate) fn created(self) -> Option<SystemTime> {
        self.created
    }
}
