//! A store for everything that a test's servers and clients do, and what is in it as lines.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use metercast_tower::snapshot::Point;
use metercast_tower::{InMemoryReader, Store};
use tower::{Layer, Service};

/// Runs a test in a store of its own.
pub(crate) fn with_store<F: Future>(test: impl FnOnce(Store) -> F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metercast_tower::testing::isolated(|store| runtime.block_on(test(store.clone())))
}

/// What there is of a metric, a line for each series: its labels, sorted, and its value or count.
pub(crate) fn lines(store: &Store, name: &str) -> Vec<String> {
    points(store, name)
        .into_iter()
        .map(|(labels, point)| match point {
            Point::Histogram(buckets) => format!("{labels}{}", buckets.count()),
            Point::I64(value) => format!("{labels}{value}"),
            Point::U64(value) => format!("{labels}{value}"),
            other => panic!("{other:?}"),
        })
        .collect()
}

/// What there is of a histogram, a line for each series: its labels, and its sum.
pub(crate) fn sums(store: &Store, name: &str) -> Vec<String> {
    points(store, name)
        .into_iter()
        .map(|(labels, point)| match point {
            Point::Histogram(buckets) => format!("{labels}{}", buckets.sum),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn points(store: &Store, name: &str) -> Vec<(String, Point)> {
    let snapshot = InMemoryReader::new(store.clone()).collect();
    let Some(family) = snapshot.family(name) else { return Vec::new() };
    let mut points: Vec<_> = family
        .series
        .iter()
        .map(|series| {
            let mut labels: Vec<_> =
                series.labels.iter().map(|(key, value)| format!("{key}={value} ")).collect();
            labels.sort();
            (labels.concat(), series.point.clone())
        })
        .collect();
    points.sort_by(|(first, _), (second, _)| first.cmp(second));
    points
}

/// Waits until something is so, which another task or thread brings about.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !is_so() {
        assert!(std::time::Instant::now() < deadline, "waited in vain for: {what}");
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

/// A service that is called in a store, on whatever task its server calls it.
#[derive(Clone)]
pub(crate) struct Scoped<S> {
    inner: S,
    store: Store,
}

#[derive(Clone)]
pub(crate) struct ScopedLayer(pub(crate) Store);

impl<S> Layer<S> for ScopedLayer {
    type Service = Scoped<S>;
    fn layer(&self, inner: S) -> Scoped<S> {
        Scoped { inner, store: self.0.clone() }
    }
}

impl<S: Service<R>, R> Service<R> for Scoped<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }
    fn call(&mut self, request: R) -> S::Future {
        let Scoped { inner, store } = self;
        store.scope(|| inner.call(request))
    }
}

/// Serves HTTP/1 and HTTP/2 with upgrades, by hyper alone, until the runtime ends.
pub(crate) async fn serve<S, B>(store: &Store, service: S) -> SocketAddr
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: std::error::Error + Send + Sync,
{
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = ScopedLayer(store.clone()).layer(service);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                let _ = server.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}
