//! The room where requests wait for their order to be settled.

use std::collections::HashMap;

use tokio::sync::watch;

/// Who waits for which order. Cheap to clone; clones are the same room.
#[derive(Clone, Debug, Default)]
pub(crate) struct WaitingRoom {
    seats: watch::Sender<HashMap<i64, Seat>>,
}

#[derive(Debug, Default)]
struct Seat {
    waiting: usize,
    settled: bool,
}

/// One who waits; leaving is dropping it, so that a cancelled request leaves too.
#[derive(Debug)]
pub(super) struct Waiting {
    order: i64,
    room: WaitingRoom,
}

impl WaitingRoom {
    /// Takes a seat.
    pub(super) fn enter(&self, order: i64) -> Waiting {
        self.seats.send_modify(|seats| seats.entry(order).or_default().waiting += 1);
        Waiting { order, room: self.clone() }
    }

    /// Tells whoever waits for one of these orders that it is settled.
    pub(super) fn settled(&self, orders: impl Iterator<Item = i64>) {
        self.seats.send_if_modified(|seats| {
            orders.fold(false, |any, order| match seats.get_mut(&order) {
                Some(seat) => {
                    seat.settled = true;
                    true
                }
                None => any,
            })
        });
    }

    /// Returns as soon as somebody waits for this order.
    pub(crate) async fn is_taken(&self, order: i64) {
        self.until(|seats| seats.contains_key(&order)).await;
    }

    /// Returns as soon as nobody waits for this order.
    pub(crate) async fn is_free(&self, order: i64) {
        self.until(|seats| !seats.contains_key(&order)).await;
    }

    async fn until(&self, condition: impl FnMut(&HashMap<i64, Seat>) -> bool) {
        // The only error is that the sender is gone, and `self` is one.
        let _ = self.seats.subscribe().wait_for(condition).await;
    }
}

impl Waiting {
    /// Returns as soon as the order is settled, if it is settled after [`WaitingRoom::enter`].
    pub(super) async fn settled(&self) {
        self.room.until(|seats| seats.get(&self.order).is_none_or(|seat| seat.settled)).await;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.room.seats.send_modify(|seats| {
            if let Some(seat) = seats.get_mut(&self.order) {
                seat.waiting -= 1;
                if seat.waiting == 0 {
                    seats.remove(&self.order);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_seat_is_taken_until_all_have_left() {
        let room = WaitingRoom::default();
        let (first, second) = (room.enter(1), room.enter(1));
        room.is_taken(1).await;
        room.is_free(2).await;
        drop(first);
        room.is_taken(1).await;
        drop(second);
        room.is_free(1).await;
    }

    #[tokio::test]
    async fn who_waits_hears_of_its_own_order() {
        let room = WaitingRoom::default();
        let (one, two) = (room.enter(1), room.enter(2));
        room.settled([3, 1].into_iter());
        one.settled().await;
        assert!(!room.seats.borrow()[&two.order].settled);
    }
}
