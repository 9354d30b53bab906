//! What other nodes told, for who takes it one after the other.

use metrics::counter;
use tokio::sync::broadcast::{Receiver, error::RecvError};

/// What was told from some time on, and the name under which it is counted what came too fast.
#[derive(Debug)]
pub(crate) struct Hearing<T> {
    told: Receiver<T>,
    lag: &'static str,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next<T> {
    Told(T),
    /// Something came too fast, and is gone.
    Missed,
}

impl<T: Clone> Hearing<T> {
    pub(crate) fn new(told: Receiver<T>, lag: &'static str) -> Hearing<T> {
        Hearing { told, lag }
    }

    /// Waits for it; there is none when nobody is left who could tell.
    pub(crate) async fn next(&mut self) -> Option<Next<T>> {
        match self.told.recv().await {
            Ok(told) => Some(Next::Told(told)),
            Err(RecvError::Lagged(missed)) => {
                counter!(self.lag).increment(missed);
                Some(Next::Missed)
            }
            Err(RecvError::Closed) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use metercast_tower::{InMemoryReader, Store, snapshot::Point};
    use metrics::with_local_recorder;
    use tokio::sync::broadcast;

    use super::*;

    #[test]
    fn what_came_too_fast_is_counted_and_what_is_left_still_comes() {
        let store = Store::new();
        let recorder = crate::recorder().store(&store).build().unwrap();
        let (tell, told) = broadcast::channel(2);
        let mut hearing = Hearing::new(told, "lag_total");
        (1..=5).for_each(|number| drop(tell.send(number)));
        drop(tell);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        with_local_recorder(&recorder, || {
            let next = || runtime.block_on(hearing.next());
            let all: Vec<_> = std::iter::from_fn(next).collect();
            assert_eq!(all, [Next::Missed, Next::Told(4), Next::Told(5)]);
        });
        let snapshot = InMemoryReader::new(store).collect();
        assert_eq!(snapshot.family("lag_total").unwrap().series[0].point, Point::U64(3));
    }
}
