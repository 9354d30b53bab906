//! Calls of gRPC by tonic's own client to tonic's own server, measured at both.

use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use conformance::program::free_address;
use futures_util::stream::{self, Stream, StreamExt};
use http::uri::PathAndQuery;
use metercast_tower::{ClientSemantic, HttpLayer, HttpService, ServerSemantic, Store, client, server};
use tokio::net::TcpListener;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::NamedService;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Response, Status};
use tower::{BoxError, Layer, Service, service_fn};

use crate::support::{ScopedLayer, lines, until, with_store};

/// Messages that are text.
#[derive(Clone, Copy)]
struct Text;

impl Codec for Text {
    type Encode = String;
    type Decode = String;
    type Encoder = Text;
    type Decoder = Text;
    fn encoder(&mut self) -> Text {
        Text
    }
    fn decoder(&mut self) -> Text {
        Text
    }
}

impl Encoder for Text {
    type Item = String;
    type Error = Status;
    fn encode(&mut self, text: String, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(text.as_bytes());
        Ok(())
    }
}

impl Decoder for Text {
    type Item = String;
    type Error = Status;
    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<String>, Status> {
        let text = buffer.copy_to_bytes(buffer.remaining());
        Ok(Some(String::from_utf8_lossy(&text).into_owned()))
    }
}

type Texts = Pin<Box<dyn Stream<Item = Result<String, Status>> + Send>>;

/// `shop.Orders`: `Place` answers, `Watch` streams, `Talk` streams both ways.
#[derive(Clone)]
struct Orders;

impl NamedService for Orders {
    const NAME: &'static str = "shop.Orders";
}

async fn place(request: Request<String>) -> Result<Response<String>, Status> {
    match &**request.get_ref() {
        "refused" => Err(Status::failed_precondition("no")),
        "broken" => Err(Status::internal("no")),
        "panic" => panic!("on purpose"),
        "never" => pending().await,
        order => Ok(Response::new(format!("placed {order}"))),
    }
}

async fn watch(request: Request<String>) -> Result<Response<Texts>, Status> {
    let first = stream::iter((0..3).map(|n| Ok(format!("event {n}"))));
    let rest: Texts = match &**request.get_ref() {
        "torn" => Box::pin(stream::iter([Err(Status::data_loss("no"))])),
        "endless" => Box::pin(stream::pending()),
        _ => Box::pin(stream::empty()),
    };
    Ok(Response::new(Box::pin(first.chain(rest))))
}

async fn talk(request: Request<tonic::Streaming<String>>) -> Result<Response<Texts>, Status> {
    Ok(Response::new(Box::pin(request.into_inner().map(|text| text.map(|text| text.to_uppercase())))))
}

impl<B> Service<http::Request<B>> for Orders
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError> + Send,
{
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = tonic::server::Grpc::new(Text);
            Ok(match request.uri().path() {
                "/shop.Orders/Place" => grpc.unary(service_fn(place), request).await,
                "/shop.Orders/Watch" => grpc.server_streaming(service_fn(watch), request).await,
                "/shop.Orders/Talk" => grpc.streaming(service_fn(talk), request).await,
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}

async fn serve(store: &Store, layer: HttpLayer<ServerSemantic>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder().layer(ScopedLayer(store.clone())).layer(layer).add_service(Orders);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    address
}

type Client = tonic::client::Grpc<HttpService<Channel, ClientSemantic>>;

fn connect(address: SocketAddr) -> Client {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let layer = client().hosts(["127.0.0.1"]).origin(endpoint.uri().clone());
    tonic::client::Grpc::new(layer.layer(endpoint.connect_lazy()))
}

async fn unary(
    client: &mut Client,
    path: &'static str,
    order: impl Into<Request<String>>,
) -> Result<String, Code> {
    client.ready().await.map_err(|_| Code::Unavailable).unwrap();
    let answer = client.unary(order.into(), PathAndQuery::from_static(path), Text).await;
    answer.map(Response::into_inner).map_err(|status| status.code())
}

fn order(order: &str) -> Request<String> {
    Request::new(order.to_owned())
}

/// Both sides' calls, once they have ended: lines without what is the same in all.
async fn calls(store: &Store, expected: usize) -> Vec<String> {
    let both =
        || [lines(store, "rpc.client.call.duration"), lines(store, "rpc.server.call.duration")].concat();
    let total = |lines: &[String]| -> usize {
        lines.iter().map(|line| line.rsplit(' ').next().unwrap().parse::<usize>().unwrap()).sum()
    };
    until("all calls to end", || total(&both()) >= expected).await;
    let short = |line: String| {
        line.replace("rpc.system.name=grpc ", "")
            .replace("server.address=127.0.0.1 ", "client ")
            .replace("rpc.response.status_code=", "")
    };
    both().into_iter().map(short).collect()
}

#[test]
fn a_call_has_its_method_and_its_status_on_both_sides() {
    with_store(|store| async move {
        let mut client = connect(serve(&store, server()).await);
        for _ in 0..2 {
            assert_eq!(unary(&mut client, "/shop.Orders/Place", order("tea")).await.unwrap(), "placed tea");
        }
        assert_eq!(
            unary(&mut client, "/shop.Orders/Place", order("refused")).await,
            Err(Code::FailedPrecondition)
        );
        assert_eq!(unary(&mut client, "/shop.Orders/Place", order("broken")).await, Err(Code::Internal));
        assert_eq!(
            calls(&store, 8).await,
            [
                "error.type=FAILED_PRECONDITION rpc.method=shop.Orders/Place FAILED_PRECONDITION client 1",
                "error.type=INTERNAL rpc.method=shop.Orders/Place INTERNAL client 1",
                "rpc.method=shop.Orders/Place OK client 2",
                "error.type=INTERNAL rpc.method=shop.Orders/Place INTERNAL 1",
                // Not the server's fault.
                "rpc.method=shop.Orders/Place FAILED_PRECONDITION 1",
                "rpc.method=shop.Orders/Place OK 2",
            ]
        );
        // A call is counted once, but is a request that is in progress as any other.
        assert_eq!(lines(&store, "http.server.request.duration"), [""; 0]);
        assert_eq!(lines(&store, "http.client.request.duration"), [""; 0]);
        assert_eq!(
            lines(&store, "http.server.active_requests"),
            ["http.request.method=POST url.scheme=http 0"]
        );
        assert_eq!(
            lines(&store, "http.client.active_requests"),
            ["http.request.method=POST server.address=127.0.0.1 0"]
        );
    });
}

#[test]
fn streams_last_to_their_trailers() {
    with_store(|store| async move {
        let mut client = connect(serve(&store, server()).await);
        client.ready().await.unwrap();
        let path = PathAndQuery::from_static("/shop.Orders/Watch");
        let mut events =
            client.server_streaming(order("all"), path.clone(), Text).await.unwrap().into_inner();
        assert_eq!(events.message().await.unwrap().unwrap(), "event 0");
        assert_eq!(lines(&store, "rpc.client.call.duration"), [""; 0], "it goes on");
        while events.message().await.unwrap().is_some() {}

        client.ready().await.unwrap();
        let mut events = client.server_streaming(order("torn"), path, Text).await.unwrap().into_inner();
        let mut got = 0;
        let torn = loop {
            match events.message().await {
                Ok(_) => got += 1,
                Err(status) => break status,
            }
        };
        assert_eq!((got, torn.code()), (3, Code::DataLoss));

        client.ready().await.unwrap();
        let texts = Request::new(stream::iter(["a", "b"].map(str::to_owned)));
        let path = PathAndQuery::from_static("/shop.Orders/Talk");
        let talk = client.streaming(texts, path, Text).await.unwrap().into_inner();
        let said: Vec<_> = talk.map(Result::unwrap).collect().await;
        assert_eq!(said, ["A", "B"]);
        assert_eq!(
            calls(&store, 6).await,
            [
                "error.type=DATA_LOSS rpc.method=shop.Orders/Watch DATA_LOSS client 1",
                "rpc.method=shop.Orders/Talk OK client 1",
                "rpc.method=shop.Orders/Watch OK client 1",
                "error.type=DATA_LOSS rpc.method=shop.Orders/Watch DATA_LOSS 1",
                "rpc.method=shop.Orders/Talk OK 1",
                "rpc.method=shop.Orders/Watch OK 1",
            ]
        );
    });
}

#[test]
fn a_stream_that_the_client_drops_is_cancelled_on_both_sides() {
    with_store(|store| async move {
        let mut client = connect(serve(&store, server().rpc_methods(["shop.Orders/Watch"])).await);
        client.ready().await.unwrap();
        let path = PathAndQuery::from_static("/shop.Orders/Watch");
        let mut events = client.server_streaming(order("endless"), path, Text).await.unwrap().into_inner();
        events.message().await.unwrap().unwrap();
        drop(events);
        assert_eq!(
            calls(&store, 2).await,
            [
                "error.type=CANCELLED rpc.method=shop.Orders/Watch CANCELLED client 1",
                "rpc.method=shop.Orders/Watch CANCELLED 1",
            ]
        );
    });
}

#[test]
fn a_call_that_is_late_exceeded_its_deadline_on_both_sides() {
    with_store(|store| async move {
        let mut client = connect(serve(&store, server().rpc_methods(["shop.Orders/Place"])).await);
        let mut late = order("never");
        late.set_timeout(Duration::from_millis(30));
        assert!(unary(&mut client, "/shop.Orders/Place", late).await.is_err());
        assert_eq!(
            calls(&store, 2).await,
            [
                "error.type=DEADLINE_EXCEEDED rpc.method=shop.Orders/Place DEADLINE_EXCEEDED client 1",
                "error.type=DEADLINE_EXCEEDED rpc.method=shop.Orders/Place DEADLINE_EXCEEDED 1",
            ]
        );
    });
}

#[test]
fn methods_that_a_client_makes_up_make_no_series_at_the_server() {
    with_store(|store| async move {
        let mut client = connect(serve(&store, server()).await);
        for path in ["/shop.Orders/Made", "/shop.Orders/Up", "/shop.Nowhere/Place"] {
            assert_eq!(unary(&mut client, path, order("tea")).await, Err(Code::Unimplemented));
        }
        assert_eq!(
            calls(&store, 6).await[3..],
            ["error.type=UNIMPLEMENTED rpc.method=_OTHER UNIMPLEMENTED 3"]
        );
    });
}

#[test]
fn only_methods_that_are_listed_are_told_apart_where_there_is_a_list() {
    with_store(|store| async move {
        let address = serve(&store, server().rpc_methods(["/shop.Orders/Watch"])).await;
        let mut client = connect(address);
        unary(&mut client, "/shop.Orders/Place", order("tea")).await.unwrap();
        assert_eq!(calls(&store, 2).await[1], "rpc.method=_OTHER OK 1");
    });
}

#[test]
fn a_handler_that_panics_ends_its_call() {
    with_store(|store| async move {
        let mut client = connect(serve(&store, server().rpc_methods(["shop.Orders/Place"])).await);
        assert!(unary(&mut client, "/shop.Orders/Place", order("panic")).await.is_err());
        assert_eq!(calls(&store, 2).await[1], "error.type=panic rpc.method=shop.Orders/Place UNKNOWN 1");
    });
}

#[test]
fn a_server_that_is_not_there_is_an_error_of_the_client() {
    with_store(|store| async move {
        let mut client = connect(free_address().parse().unwrap());
        assert!(unary(&mut client, "/shop.Orders/Place", order("tea")).await.is_err());
        assert_eq!(
            calls(&store, 1).await,
            ["error.type=tonic::transport::error::Error rpc.method=shop.Orders/Place UNKNOWN client 1"]
        );
    });
}
