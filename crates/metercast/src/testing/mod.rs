//! Isolation and assertions for tests of what is measured. Production code paths are what is tested.
//!
//! ```
//! use metercast::testing::FutureMetricsExt;
//! use metercast::{assert_counter, u64_counter};
//!
//! async fn place(amount: u64) {
//!     u64_counter!("orders.placed", "Orders accepted", 1, "large" => amount > 100);
//! }
//!
//! # tokio::runtime::Builder::new_multi_thread().build().unwrap().block_on(
//! async {
//!     place(5).await;
//!     tokio::spawn(place(500).with_current_meter_provider()).await.unwrap();
//!     assert_counter!("orders.placed", 1, "large" => false);
//!     assert_counter!("orders.placed", 1, "large" => true);
//! }
//! .with_metrics()
//! # )
//! // .await
//! ```

mod assert;
mod lets_out;
mod scope;

pub use scope::{FutureMetricsExt, isolated};

#[doc(hidden)]
pub use assert::{Expected, check_counter, label_of, labels_of};
#[doc(hidden)]
pub use lets_out::check_lets_out;
