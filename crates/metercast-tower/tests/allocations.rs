//! What measuring a request costs in memory: nothing beyond what the request asks for itself.

#[path = "../../metercast/tests/heap/mod.rs"]
mod heap;

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use metercast_tower::{Endpoints, HttpRoute, Store, Totals, UrlTemplate, client, server};
use tower::{Layer, Service};

/// A service that asks for no memory.
#[derive(Clone)]
struct Answer;

impl Service<Request<Full<Bytes>>> for Answer {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Full<Bytes>>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        ready(Ok(Response::new(Full::new(Bytes::from_static(b"an answer")))))
    }
}

/// How often memory is asked for by a request and its answer, once its series are there.
fn of<S, B>(mut service: S) -> usize
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = Infallible>,
    B: Body + Unpin,
{
    let request = || {
        let mut request = Request::get("http://api.example.com/items/7").body(Full::default()).unwrap();
        request.extensions_mut().insert(HttpRoute("/items/{id}/of/a/route/that/is/longer/than/most"));
        request.extensions_mut().insert(UrlTemplate("/items/{id}"));
        request
    };
    let mut send = |request| {
        let mut context = Context::from_waker(Waker::noop());
        let Poll::Ready(Ok(response)) = pin!(service.call(request)).poll(&mut context) else {
            panic!("it is ready")
        };
        let mut body = response.into_body();
        while let Poll::Ready(Some(_)) = Pin::new(&mut body).poll_frame(&mut context) {}
    };
    send(request());
    let requests: Vec<_> = (0..100).map(|_| request()).collect();
    let before = heap::allocations();
    requests.into_iter().for_each(&mut send);
    heap::allocations() - before
}

#[test]
fn a_request_that_is_measured_asks_for_no_memory() {
    assert_eq!(of(Answer), 0);
    Store::new().scope(|| {
        assert_eq!(of(server().layer(Answer)), 0);
        assert_eq!(
            of(server().body_sizes().hosts(["api.example.com"]).skip_path("/health").layer(Answer)),
            0
        );
        assert_eq!(of(server().and(Totals).and(Endpoints::new(|_| "/items/{id}")).layer(Answer)), 0);
        assert_eq!(of(client().body_sizes().layer(Answer)), 0);
    });
}
