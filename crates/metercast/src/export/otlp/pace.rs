//! What the interval of a push goes by: time as it passes, or the clock of a test.

use std::future::pending;

use metercast_core::__private::OnAdvance;
use metercast_core::Store;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// The clock that says when a push is due. How long requests take and what follows a failure is between us and the receiver, and always
/// goes by the system's.
pub(super) enum Pace {
    System,
    Mocked {
        /// The time as we were told, not as it is: whoever is told before us has done by then what is due at that time.
        told: watch::Receiver<Instant>,
        _on_advance: OnAdvance,
    },
}

impl Pace {
    /// The clock of this store.
    pub(super) fn of(store: &Store) -> Pace {
        let Some(clock) = store.clock().cloned() else { return Pace::System };
        let (tell, told) = watch::channel(Instant::from_std(clock.now()));
        let of_wake = clock.clone();
        let _on_advance = clock.on_advance(move || _ = tell.send_replace(Instant::from_std(of_wake.now())));
        Pace::Mocked { told, _on_advance }
    }

    pub(super) fn now(&self) -> Instant {
        match self {
            Pace::System => Instant::now(),
            Pace::Mocked { told, .. } => *told.borrow(),
        }
    }

    /// Waits until it is this late. Nothing is lost if the wait is given up.
    pub(super) async fn reached(&mut self, moment: Instant) {
        match self {
            Pace::System => sleep_until(moment).await,
            Pace::Mocked { told, .. } => {
                if told.wait_for(|now| *now >= moment).await.is_err() {
                    // Nobody tells the time any more.
                    pending::<()>().await;
                }
            }
        }
    }

    pub(super) fn is_mocked(&self) -> bool {
        matches!(self, Pace::Mocked { .. })
    }
}
