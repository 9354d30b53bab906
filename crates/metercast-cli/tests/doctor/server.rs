//! A receiver on loopback that gives one answer to whoever asks.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The head and the body of each request.
type Requests = Mutex<Vec<(String, Vec<u8>)>>;

/// What it answers.
#[derive(Clone)]
pub(crate) enum Answer {
    /// These bytes, once the request has come.
    Http(Vec<u8>),
    /// A refusal that repeats what came, and what stands in it for who can read it.
    Echo,
    /// The same, encrypted with a certificate that nobody trusts.
    Https(Vec<u8>),
    /// This status of gRPC.
    Grpc {
        code: u16,
        says: String,
    },
    /// These bytes, as soon as anything comes.
    Bytes(Vec<u8>),
    /// These bytes, before anything comes.
    Greeting(Vec<u8>),
    Silent,
    /// Nothing, once the request has come.
    Closed,
}

/// A receiver; it ends with the process of the tests.
pub(crate) struct Server {
    pub(crate) address: String,
    /// What came to it over HTTP: heads and bodies.
    pub(crate) requests: Arc<Requests>,
}

/// The bytes of an answer over HTTP, with its length.
pub(crate) fn http(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// A moment as HTTP has it, so many seconds from now.
pub(crate) fn date(seconds: i64) -> String {
    let away = Duration::from_secs(seconds.unsigned_abs());
    let now = SystemTime::now();
    httpdate::fmt_http_date(if seconds < 0 { now - away } else { now + away })
}

impl Server {
    pub(crate) fn start(answer: Answer) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            let tls = matches!(answer, Answer::Https(_)).then(certified);
            for stream in listener.incoming().map_while(Result::ok) {
                let (answer, tls, seen) = (answer.clone(), tls.clone(), Arc::clone(&seen));
                thread::spawn(move || serve(stream, answer, tls, &seen));
            }
        });
        Server { address, requests }
    }
}

fn certified() -> Arc<ServerConfig> {
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_no_client_auth().with_single_cert(vec![own.cert.der().clone()], key).unwrap())
}

fn serve(mut stream: TcpStream, answer: Answer, tls: Option<Arc<ServerConfig>>, seen: &Requests) {
    // That the other side has gone is what some tests are about.
    let _ = match answer {
        Answer::Closed => request(&mut stream, seen).map(drop),
        Answer::Silent => stream.read_to_end(&mut Vec::new()).map(drop),
        Answer::Bytes(bytes) => {
            stream.read(&mut [0; 16]).and_then(|_| stream.write_all(&bytes)).and_then(|()| {
                // What is not read would make the system send a reset after the answer.
                stream.read_to_end(&mut Vec::new()).map(drop)
            })
        }
        Answer::Greeting(bytes) => stream.write_all(&bytes).and_then(|()| {
            // What is not read would make the system send a reset after the answer.
            stream.read_to_end(&mut Vec::new()).map(drop)
        }),
        Answer::Http(bytes) => reply(&mut stream, |_| bytes.clone(), seen),
        Answer::Echo => reply(&mut stream, echo, seen),
        Answer::Https(bytes) => {
            let connection = ServerConnection::new(tls.unwrap()).unwrap();
            reply(&mut StreamOwned::new(connection, stream), |_| bytes.clone(), seen)
        }
        Answer::Grpc { code, says } => {
            call(stream, code, &says);
            Ok(())
        }
    };
}

/// Repeats what tells who asks, and nothing else, as only the beginning of an answer is shown.
fn echo(head: &str) -> Vec<u8> {
    const DULL: [&str; 6] =
        ["host", "user-agent", "content-type", "content-length", "content-encoding", "accept"];
    let mut lines = head.lines();
    let target = lines.next().unwrap().split(' ').nth(1).unwrap();
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let mut told = vec![query.to_owned()];
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        if !DULL.contains(&name.to_lowercase().as_str()) {
            told.extend(value.split(' ').rev().map(str::to_owned));
            // `user:word-in-basic` and `me:pass-of-proxy`.
            let plain = [
                ("dXNlcjp3b3JkLWluLWJhc2lj", "word-in-basic"),
                ("bWU6cGFzcy1vZi1wcm94eQ==", "pass-of-proxy"),
            ];
            told.extend(
                plain.iter().filter(|(coded, _)| value.contains(coded)).map(|(_, plain)| (*plain).to_owned()),
            );
        }
    }
    let body = format!("{{\"error\":{{\"message\":\"you sent {}\"}}}}", told.join(" "));
    http("401 Unauthorized", &[("content-type", "application/json")], body.as_bytes())
}

/// Answers each request of a connection.
fn reply(
    stream: &mut (impl Read + Write),
    answer: impl Fn(&str) -> Vec<u8>,
    seen: &Requests,
) -> std::io::Result<()> {
    loop {
        let head = request(stream, seen)?;
        stream.write_all(&answer(&head))?;
        stream.flush()?;
    }
}

/// Reads a request.
fn request(stream: &mut impl Read, seen: &Requests) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let whole = String::from_utf8(head).unwrap();
    let head = whole.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body)?;
    seen.lock().unwrap().push((head, body));
    Ok(whole)
}

fn call(stream: TcpStream, code: u16, says: &str) {
    stream.set_nonblocking(true).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let says = says.replace(' ', "%20");
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::from_std(stream).unwrap();
        let service = service_fn(|request: Request<hyper::body::Incoming>| {
            let says = says.clone();
            async move {
                let _ = request.into_body().collect().await;
                let answer = Response::builder().header("content-type", "application/grpc");
                let answer = answer.header("grpc-status", code).header("grpc-message", says);
                answer.body(Empty::<Bytes>::new())
            }
        });
        let serving = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(stream), service);
        let _ = tokio::time::timeout(Duration::from_secs(60), serving).await;
    });
}
