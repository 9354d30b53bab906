//! The process under a service: CPU, memory and files, Tokio's runtime, jemalloc, the build, and panics. One line for all of it.
//!
//! ```
//! use metercast::{InMemoryReader, Store};
//!
//! # let store = Store::new();
//! # store.scope(|| {
//! let observed = metercast_process::observe();
//!
//! let snapshot = InMemoryReader::new(Store::current()).collect();
//! # #[cfg(target_os = "linux")]
//! assert!(snapshot.family("process.memory.usage").is_some());
//! # drop(observed);
//! # });
//! ```
//!
//! [`Observe`] says which of it, and under which names; each part can be had alone too.
//!
//! | part | metrics | where |
//! | --- | --- | --- |
//! | [`process`](process()) | `process.cpu.time`, `process.memory.usage` and the others of the semantic conventions, or Prometheus' `process_cpu_seconds_total` and its like | Linux; elsewhere there are none |
//! | [`RuntimeObservation`] | `tokio.runtime.workers` and its like, by the name of the runtime | with the feature `tokio` |
//! | `jemalloc` | `jemalloc.allocated` and its like | with the feature `jemalloc` |
//! | [`build_info!`] | `build.info` with version, revision and compiler | everywhere |
//! | [`panics`](fn@panics) | `panics` by the place | everywhere |
//!
//! All is read when the store is, once for each reading, and costs nothing otherwise.
//!
//! # Features
//!
//! | feature | default | what for |
//! | --- | --- | --- |
//! | `tokio` | yes | the runtimes of Tokio. What Tokio calls unstable is there too in a build with `--cfg tokio_unstable` |
//! | `jemalloc` | no | what jemalloc says of memory |

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod observe;
mod shared;

mod build_info;
#[cfg(feature = "jemalloc")]
mod jemalloc;
mod panics;
mod process;
#[cfg(feature = "tokio")]
mod runtime;

pub use build_info::BuildInfo;
#[cfg(feature = "jemalloc")]
pub use jemalloc::{JemallocError, JemallocObservation, jemalloc};
pub use observe::{Observe, Observed, observe};
pub use panics::{PanicCounting, panics};
pub use process::{ProcessNames, ProcessObservation, process};
#[cfg(feature = "tokio")]
pub use runtime::RuntimeObservation;
