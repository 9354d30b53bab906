//! The server of an encrypted collector that speaks gRPC, with a certificate that nobody knows but who has its authority.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use conformance::authority::Authority;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderValue};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Hands each call to `take`: its path and headers, its message, and whether that is packed. Returns the URL.
pub(super) fn serve(take: impl Fn(String, &[u8], bool) + Send + Sync + 'static) -> (String, Authority) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a socket");
    let url = format!("https://localhost:{}", listener.local_addr().expect("bound").port());
    let authority = Authority::new();
    let (acceptor, take) = (TlsAcceptor::from(authority.server(&["h2"])), Arc::new(take));
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener).expect("a listener");
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, take) = (acceptor.clone(), Arc::clone(&take));
                tokio::spawn(async move {
                    // Who does not trust us goes away.
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let service = service_fn(move |request| answer(request, Arc::clone(&take)));
                    let connection = http2::Builder::new(TokioExecutor::new());
                    let _ = connection.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
    });
    (url, authority)
}

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

async fn answer(
    request: Request<Incoming>,
    take: Arc<impl Fn(String, &[u8], bool)>,
) -> Result<Answer, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    take(format!("{} {:?}", head.uri.path(), head.headers), &body[5..], body[0] == 1);
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    // An empty message.
    let body = Full::from(&[0; 5][..]).with_trailers(async { Some(Ok(trailers)) });
    let mut answer = Response::new(body.boxed_unsync());
    answer.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    Ok(answer)
}
