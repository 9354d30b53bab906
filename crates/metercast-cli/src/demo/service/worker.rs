//! Settles orders, in the background, in the order in which that was asked for.

use std::time::Duration;

use metercast_tower::{Guard, Timer};
use tokio::sync::mpsc;

use super::metrics::{OPEN_AMOUNT, ORDERS_SETTLED, QUEUE_DEPTH, SETTLE_DURATION};
use super::order::Order;
use super::store::{Store, StoreError};
use super::waiting::WaitingRoom;

/// Where orders wait to be settled. Cheap to clone; clones are the same queue.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    jobs: mpsc::Sender<Job>,
}

/// A place in the queue that nobody else can take.
#[derive(Debug)]
pub(super) struct Place(mpsc::OwnedPermit<Job>);

/// An order in the queue. What measures it ends with it, the time before the depth: once the queue is empty,
/// everything is recorded.
#[derive(Debug)]
struct Job {
    order: Order,
    _time: Timer,
    _depth: Guard,
}

/// Orders that may wait; more are turned away.
const DEPTH: usize = 4096;

/// How many milliseconds the clearing house takes, one round after the other: what is queued meanwhile is settled in
/// the next.
const ROUNDS: [u64; 6] = [2, 4, 3, 15, 6, 30];

/// How long a book that cannot be written is left alone.
const PAUSE: Duration = Duration::from_millis(100);

impl Queue {
    /// A queue, and the worker that empties it until all queues are dropped.
    pub(super) fn new(store: Store, waiting: WaitingRoom) -> (Queue, impl Future<Output = ()>) {
        let (jobs, queued) = mpsc::channel(DEPTH);
        (Queue { jobs }, work(queued, store, waiting))
    }

    /// A place, unless all are taken.
    pub(super) fn reserve(&self) -> Option<Place> {
        self.jobs.clone().try_reserve_owned().ok().map(Place)
    }
}

impl Place {
    /// Puts an order there.
    pub(super) fn take(self, order: Order) {
        let _time = SETTLE_DURATION.start((order.what.region,));
        self.0.send(Job { order, _time, _depth: QUEUE_DEPTH.guard() });
    }
}

async fn work(mut queued: mpsc::Receiver<Job>, store: Store, waiting: WaitingRoom) {
    let mut jobs = Vec::new();
    let mut rounds = ROUNDS.into_iter().cycle();
    while queued.recv_many(&mut jobs, DEPTH).await > 0 {
        let round = Duration::from_millis(rounds.next().unwrap_or_default());
        tokio::time::sleep(round).await;
        loop {
            let orders: Vec<Order> = jobs.iter().map(|job| job.order).collect();
            let record = |settled: &Vec<Order>| settled.iter().for_each(record);
            match store.run(move |book| book.settle(&orders).map(|()| orders), record).await {
                Ok(settled) => break waiting.settled(settled.iter().map(|order| order.id)),
                Err(StoreError::Closed) => return,
                Err(StoreError::Database(_)) => tokio::time::sleep(PAUSE).await,
            }
        }
        jobs.clear();
    }
}

fn record(settled: &Order) {
    let what = settled.what;
    ORDERS_SETTLED.add(1, (what.side, what.region));
    OPEN_AMOUNT.add(-what.amount, (what.region,));
}
