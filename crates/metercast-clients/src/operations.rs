//! How long operations of a database take.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;

use metercast_core::metrics;

use crate::clock::Clock;

metrics! {
    /// Duration of database client operations.
    static DURATION: Histogram<f64> = "db.client.operation.duration" {
        unit: "s",
        buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
        labels: {
            "db.system.name": &str,
            "db.operation.name": &str,
            "db.collection.name": Option<&str>,
            "db.namespace": Option<&str>,
            "server.address": Option<&str>,
            "server.port": Option<u16>,
            "error.type": Option<&str>,
        }
    };
}

/// The `error.type` of operations that nobody waited for any more.
const CANCELLED: &str = "cancelled";
/// The `error.type` of those that a panic broke off.
const PANIC: &str = "panic";

/// Measures how long the operations of a client take: `db.client.operation.duration` of the semantic conventions, in seconds.
///
/// What tells operations apart, their names and the types of errors, are texts of the program: there are as many series as it has
/// of them, whatever queries, keys and peers say. An operation that is dropped where it waits is measured too, with the `error.type`
/// `cancelled`, and one that panics with `panic`. All is recorded into the store that is current where the operation begins.
///
/// ```
/// use metercast::{InMemoryReader, Store};
/// use metercast_clients::Operations;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # #[derive(Debug)] enum QueryError { TimedOut }
/// # async fn query(_: &str) -> Result<u32, QueryError> { Ok(7) }
/// let orders = Operations::new("postgresql").server("db.internal", 5432).namespace("shop").collection("orders");
/// let found = orders.time("SELECT", query("SELECT count(*) FROM orders"), |_| "timeout").await;
/// assert_eq!(found.unwrap(), 7);
///
/// let snapshot = InMemoryReader::new(Store::current()).collect();
/// let series = &snapshot.family("db.client.operation.duration").unwrap().series[0];
/// assert_eq!(
///     series.labels.to_string(),
///     "{db.collection.name=\"orders\",db.namespace=\"shop\",db.operation.name=\"SELECT\",\
///      db.system.name=\"postgresql\",server.address=\"db.internal\",server.port=5432}"
/// );
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Operations {
    of: Arc<Of>,
}

/// What all operations have in common.
#[derive(Clone, Debug)]
struct Of {
    system: Box<str>,
    collection: Option<Box<str>>,
    namespace: Option<Box<str>>,
    server: Option<Box<str>>,
    port: Option<u16>,
}

impl Operations {
    /// Of a system, as [the conventions](https://opentelemetry.io/docs/specs/semconv/registry/attributes/db/) call it in
    /// `db.system.name`: `postgresql`, `mysql`, `sqlite`, `redis`, `mongodb` and so on.
    pub fn new(system: &str) -> Operations {
        let of = Of { system: system.into(), collection: None, namespace: None, server: None, port: None };
        Operations { of: Arc::new(of) }
    }

    /// On a table or the like, which is `db.collection.name`. Clones share nothing of it, so that there can be one for each of a few
    /// tables; a name that comes from outside does not belong here.
    pub fn collection(self, name: &str) -> Operations {
        self.with(|of| of.collection = Some(name.into()))
    }

    /// In a database of this name, or with this index of Redis, which is `db.namespace`.
    pub fn namespace(self, name: &str) -> Operations {
        self.with(|of| of.namespace = Some(name.into()))
    }

    /// On a server, which is `server.address` and `server.port`.
    pub fn server(self, address: &str, port: u16) -> Operations {
        self.with(|of| (of.server, of.port) = (Some(address.into()), Some(port)))
    }

    fn with(mut self, change: impl FnOnce(&mut Of)) -> Operations {
        change(Arc::make_mut(&mut self.of));
        self
    }

    /// Waits for an operation of this name, such as `SELECT`, and records what it took. `error_type` gives the `error.type` of an
    /// error, a short one of few: [`ErrorType::error_type`](crate::ErrorType::error_type) knows those of the libraries that there
    /// is a feature for.
    ///
    /// # Errors
    ///
    /// Those of the operation.
    pub async fn time<T, E>(
        &self,
        operation: &'static str,
        future: impl Future<Output = Result<T, E>>,
        error_type: impl FnOnce(&E) -> &'static str,
    ) -> Result<T, E> {
        let timer = self.start(operation);
        let result = future.await;
        timer.end(&result, error_type);
        result
    }

    /// Does an operation that blocks the thread, as [`time`](Operations::time) waits for one that does not.
    ///
    /// # Errors
    ///
    /// Those of the operation.
    pub fn run<T, E>(
        &self,
        operation: &'static str,
        work: impl FnOnce() -> Result<T, E>,
        error_type: impl FnOnce(&E) -> &'static str,
    ) -> Result<T, E> {
        let timer = self.start(operation);
        let result = work();
        timer.end(&result, error_type);
        result
    }

    /// Begins an operation whose end is said by hand: for work that is neither a future nor a closure. It may end on another thread.
    pub fn start(&self, operation: &'static str) -> OperationTimer {
        self.begin(Cow::Borrowed(operation))
    }

    /// Begins an operation; whoever calls bounds the names.
    pub(crate) fn begin(&self, operation: Cow<'static, str>) -> OperationTimer {
        OperationTimer { of: Arc::clone(&self.of), operation, clock: Clock::start(), end: End::None }
    }
}

/// An operation that has begun, made by [`Operations::start`]. Dropped without an end it was cancelled.
///
/// ```
/// use metercast_clients::Operations;
///
/// let operations = Operations::new("sqlite");
/// operations.start("INSERT").succeed();
/// operations.start("INSERT").fail("constraint");
/// ```
#[must_use = "dropping it says that the operation was cancelled; call `succeed`, `fail` or `end`"]
#[derive(Debug)]
pub struct OperationTimer {
    of: Arc<Of>,
    operation: Cow<'static, str>,
    clock: Clock,
    end: End,
}

#[derive(Debug)]
enum End {
    None,
    Success,
    Failure(&'static str),
}

impl OperationTimer {
    /// It was done.
    pub fn succeed(mut self) {
        self.end = End::Success;
    }

    /// It was not, with this `error.type`.
    pub fn fail(mut self, error_type: &'static str) {
        self.end = End::Failure(error_type);
    }

    /// It ended with a result.
    pub fn end<T, E>(self, result: &Result<T, E>, error_type: impl FnOnce(&E) -> &'static str) {
        self.end_by(result.as_ref().err().map(error_type));
    }

    /// It was done, or not with this `error.type`.
    pub(crate) fn end_by(self, error_type: Option<&'static str>) {
        match error_type {
            None => self.succeed(),
            Some(error_type) => self.fail(error_type),
        }
    }
}

impl Drop for OperationTimer {
    fn drop(&mut self) {
        let error_type = match self.end {
            End::Success => None,
            End::Failure(error_type) => Some(error_type),
            End::None if std::thread::panicking() => Some(PANIC),
            End::None => Some(CANCELLED),
        };
        let of = &*self.of;
        let labels = (
            &*of.system,
            &*self.operation,
            of.collection.as_deref(),
            of.namespace.as_deref(),
            of.server.as_deref(),
            of.port,
            error_type,
        );
        self.clock.record(|seconds| DURATION.record(seconds, labels));
    }
}
