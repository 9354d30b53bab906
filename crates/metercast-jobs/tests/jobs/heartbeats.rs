//! How old the last sign of life is.

use std::time::Duration;

use metercast::{MockClock, Store, snapshot::Point};
use metercast_jobs::Heartbeat;

use super::point;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn the_age_grows_from_the_start_and_from_each_beat() {
    let clock = MockClock::new();
    Store::with_clock(&clock).scope(|| {
        let heartbeat = Heartbeat::observe("beats.heartbeat.age").unwrap();
        let age = || point("beats.heartbeat.age");
        assert_eq!(age(), Some(Point::F64(0.0)));
        clock.advance(SECOND * 9);
        assert_eq!(age(), Some(Point::F64(9.0)));
        heartbeat.clone().beat();
        clock.advance(SECOND / 2);
        assert_eq!((age(), heartbeat.age()), (Some(Point::F64(0.5)), SECOND / 2));
        // In a scope of its own it goes by its own clock.
        Store::new().scope(|| heartbeat.beat());
        assert_eq!(age(), Some(Point::F64(0.0)));
        assert_eq!(heartbeat.last().age_at(clock.now() - SECOND), Duration::ZERO, "clocks may jump");
        drop(heartbeat);
        assert_eq!(age(), None);
    });
}
