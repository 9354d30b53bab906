//! Counts over periods: how many different ones came in an hour, a day, a week, a month, and figures of counters that leave only when
//! their period is over. For who shares figures without sharing the people behind them.
//!
//! ```
//! use std::time::{Duration, UNIX_EPOCH};
//! use metercast::view::{Filter, Projection};
//! use metercast::{MockClock, Store, assert_gauge, assert_lets_out};
//! use metercast_periods::{Interval, Periods, Window};
//!
//! metercast::metrics! {
//!     /// Requests
//!     static REQUESTS: Counter<u64> = "requests" { labels: { path: &str } };
//!     /// Different visitors of late
//!     static VISITORS: ObservableGauge<u64> = "visitors" { labels: { interval: Interval } };
//!     /// Requests in the last week that is over
//!     static REQUESTS_WEEKLY: ObservableGauge<u64> = "requests_weekly";
//!     /// Different visitors in the last week that is over
//!     static VISITORS_WEEKLY: ObservableGauge<u64> = "visitors_weekly";
//! }
//!
//! // A clock that a test moves; programs go by the system's.
//! let clock = MockClock::at(UNIX_EPOCH + Duration::from_secs(1_700_000_000));
//! let store = Store::with_clock(&clock);
//! # store.scope(|| {
//! let periods = Periods::builder().store(store.clone()).open()?; // with `.state("shop.periods")` it outlives the program
//! let visitors = periods.unique("visitors");
//! let _shown = (
//!     visitors.observe(&VISITORS),
//!     visitors.settled(Window::Week).at_least(3).observe(&VISITORS_WEEKLY),
//!     periods.settled("requests", Window::Week).at_least(3).round_to(5).observe(&REQUESTS_WEEKLY),
//! );
//!
//! for visitor in ["ada", "bob", "cyd", "ada"] {
//!     visitors.record(visitor);
//!     REQUESTS.add(1, ("/",));
//! }
//! assert_gauge!("visitors", 3, "interval" => "daily");
//!
//! clock.advance(Duration::from_secs(7 * 86_400));
//! let shared = Projection::new().filter(Filter::new().include("*_weekly"));
//! assert_lets_out!(shared, ["requests_weekly", "visitors_weekly"]);
//! assert_gauge!("visitors_weekly", 3);
//! assert_gauge!("requests_weekly", 5); // 4, rounded
//! # Ok::<(), metercast_periods::PeriodsError>(())
//! # }).unwrap();
//! ```
//!
//! # What leaves
//!
//! Counters stay as they are, exact and live, for whoever may see them. Those who may not get an exporter whose
//! [filter](metercast::view::Filter) takes the settled gauges alone, and whose
//! [resource](metercast::config::ResourceAttributes) has the attributes that are listed; `assert_lets_out!` holds both in a test.
//!
//! # What the state file tells, and to whom
//!
//! Ids are hashed by SipHash-2-4 with a random key of 128 bits as soon as they come, and nothing else of them is kept. Who has the state
//! file but not the key cannot tell ids from it, nor whether somebody was there, even where ids are few enough to try all: that is what a
//! key is for. So the key is in a file of its own, `.key`: leave it out of backups.
//! Who has both can try ids, and sees for each hour of the last 7 days and each day of the last 90 whether one was
//! there: surely while few were, and beyond [`exact_up_to`](UniqueOptions::exact_up_to) with many that only seem to have been. Who can look into the memory
//! of the program has both. Delete the key, and the different ones of the past are nobody's any more; counting begins anew.
//!
//! A figure of a period may still tell of somebody if it is small, or if all others are known: [`Settled::at_least`] and
//! [`Settled::round_to`] are for that. They add no noise, and are no differential privacy.
//!
//! # Clocks
//!
//! Periods are those of UTC. A clock that goes back by up to an hour changes nothing: what comes is counted in the hour that runs. If
//! it goes back by more it is believed, and what is known of times that are not yet is forgotten. If it goes forward, so is what is
//! too old then to be kept. Neither costs more than that.
//!
//! # What is kept, and how much
//!
//! Of a count of different ones there are at most 168 hours and 90 days, each of 8 bytes for each one up to the cap of exact counting
//! (8 KiB), and beyond that of 2^precision bytes (16 KiB): at most 4.2 MB in memory, and 3.2 MB in the file. Of a counter
//! there are two periods of at most 1,000 label sets.
//!
//! Why not the crate hyperloglogplus, as payjoin-mailroom had: it counts with a hasher that the program brings, so that its state is only as good as that
//! hasher is stable; it wants a lock for each recording; and it says nothing of damaged or foreign state. Counting itself is the least of it.

#![forbid(unsafe_code)]

mod error;
mod window;

mod key;
mod time;

mod estimate;
mod history;
mod live;
mod sketch;
mod unique;

mod settled;
mod totals;

mod state;

mod periods;
mod ticker;

pub use error::PeriodsError;
pub use periods::{Periods, PeriodsBuilder};
pub use settled::{FigureGauge, Settled};
pub use unique::{Interval, UniqueCount, UniqueOptions};
pub use window::Window;
