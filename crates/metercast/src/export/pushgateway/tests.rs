//! Pushes to a small server that answers as it is told.

#[cfg(feature = "tls")]
mod encrypted;
mod exporter;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use conformance::program::free_address;
use metercast_core::u64_counter;

use super::*;
use crate::export::prometheus::{Escaping, Format};
use crate::view::{Projection, View};

/// Reads one request, and answers it.
struct Server {
    url: String,
    requests: mpsc::Receiver<String>,
}

impl Server {
    fn answering(answer: &'static str) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, requests) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let request = serve(stream.unwrap(), answer);
                if sender.send(request).is_err() {
                    return;
                }
            }
        });
        Server { url, requests }
    }
}

fn serve(stream: impl Read + Write, answer: &str) -> String {
    let mut reader = BufReader::new(stream);
    let (mut request, mut length) = (String::new(), 0);
    while !request.ends_with("\r\n\r\n") {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(number) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = number.trim().parse().unwrap();
        }
        request += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    request += std::str::from_utf8(&body).unwrap();
    reader.get_mut().write_all(answer.as_bytes()).unwrap();
    request
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

fn store() -> Store {
    let store = Store::new();
    store.scope(|| u64_counter!("jobs", "Jobs", 3));
    store
}

#[test]
fn a_push_is_one_request_with_the_page_of_the_store() {
    let server = Server::answering(OK);
    let gateway = Pushgateway::to(&format!("{}/base/", server.url), "nightly").group("instance", "a/b");
    type Call<'a> = &'a dyn Fn() -> Result<(), PushgatewayError>;
    let calls: [(&str, Call<'_>, &str); 3] = [
        (
            "PUT",
            &|| gateway.put(&store()),
            "# HELP jobs_total Jobs\n# TYPE jobs_total counter\njobs_total 3\n",
        ),
        (
            "POST",
            &|| gateway.post(&store()),
            "# HELP jobs_total Jobs\n# TYPE jobs_total counter\njobs_total 3\n",
        ),
        ("DELETE", &|| gateway.delete(), ""),
    ];
    for (method, call, body) in calls {
        call().unwrap();
        let request = server.requests.recv().unwrap();
        let line = format!("{method} /base/metrics/job/nightly/instance@base64/YS9i HTTP/1.1\r\n");
        assert!(request.starts_with(&line), "{request}");
        assert!(request.ends_with(&format!("\r\n\r\n{body}")), "{request}");
        assert!(
            request.contains(&format!("host: {}\r\n", server.url.trim_start_matches("http://"))),
            "{request}"
        );
        assert!(
            request
                .contains("content-type: text/plain; version=0.0.4; charset=utf-8; escaping=underscores\r\n")
        );
        assert!(!request.contains("authorization"));
    }
}

#[test]
fn what_matches_nothing_is_said_with_the_first_push_since_there_may_be_no_other() {
    let server = Server::answering(OK);
    let lines = Arc::new(Mutex::new(Vec::new()));
    let log = Log::to({
        let lines = Arc::clone(&lines);
        move |_, line| lines.lock().unwrap().push(line.to_owned())
    });
    let page = PrometheusPage::new("own", log).projection(Projection::new().view(View::of("jbs").drop()));
    let gateway = Pushgateway::to(&server.url, "a").page(page);
    for _ in 0..4 {
        gateway.put(&store()).unwrap();
    }
    let lines = lines.lock().unwrap();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("(of \"jbs\") matches no metric so far; check the pattern"), "{lines:?}");
}

#[test]
fn the_format_and_the_auth_are_those_that_were_said() {
    let server = Server::answering("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
    let format = PageFormat { format: Format::OpenMetrics1, escaping: Escaping::Underscores };
    let gateway = Pushgateway::to(&server.url, "a").format(format).bearer("s3cret");
    gateway.put(&store()).unwrap();
    let request = server.requests.recv().unwrap();
    assert!(request.contains("content-type: application/openmetrics-text; version=1.0.0"), "{request}");
    assert!(
        request.contains("authorization: Bearer s3cret\r\n") && request.ends_with("# EOF\n"),
        "{request}"
    );
    assert!(!format!("{gateway:?}").contains("s3cret"));
    Pushgateway::to(&server.url, "a").basic("Aladdin", "open sesame").delete().unwrap();
    let request = server.requests.recv().unwrap();
    assert!(request.contains("authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"), "{request}");
}

#[test]
fn an_error_says_what_the_gateway_answered_and_no_secret() {
    let cases = [
        (
            "HTTP/1.1 400 Bad Request\r\nContent-Length: 45\r\n\r\npushed metrics are invalid or inconsistent: a\n",
            "answered 400, \"pushed metrics are invalid or inconsistent: a\"; the series contradict each other, or what \
             others have pushed",
        ),
        (
            "HTTP/1.1 401 Unauthorized\r\nContent-Length: 36\r\n\r\nBearer s3cret-token? no s3cret-token",
            "answered 401, \"***? no ***\"; check the user and password, or the token",
        ),
        (
            "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://other/\r\nContent-Length: 0\r\n\r\n",
            "answered 307 to \"http://other/\", which is not followed: set the URL to where it leads, without /metrics/job \
             and what follows",
        ),
        (
            "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
            "answered 500; look into the log of the Pushgateway",
        ),
    ];
    for (answer, expected) in cases {
        let server = Server::answering(answer);
        let error = Pushgateway::to(&server.url, "a").bearer("s3cret-token").put(&store()).unwrap_err();
        assert_eq!(error.to_string(), format!("push to {} failed: {expected}", server.url));
        assert_eq!(error.status(), answer.split(' ').nth(1).and_then(|status| status.parse().ok()));
    }
}

#[test]
fn what_does_not_come_through_is_an_error_with_its_mend() {
    let free = free_address();
    let refused = Pushgateway::to(&format!("http://{free}"), "a").put(&store()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!("push to http://{free} failed: connection refused; is a Pushgateway listening there?")
    );
    assert_eq!(refused.status(), None);
    let garbage = Server::answering("what?\r\n\r\n");
    assert!(Pushgateway::to(&garbage.url, "a").put(&store()).is_err());
    // It listens, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let late = Pushgateway::to(&url, "a").timeout(Duration::from_millis(50)).put(&store()).unwrap_err();
    assert_eq!(
        late.to_string(),
        format!("push to {url} failed: no answer within 50ms; is the Pushgateway overloaded?")
    );
}

#[test]
fn an_answer_without_end_is_read_to_a_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        serve(stream.try_clone().unwrap(), "HTTP/1.1 500 Oops\r\n\r\n");
        while stream.write_all(&[b'x'; 8192]).is_ok() {}
    });
    let error = Pushgateway::to(&url, "a").put(&store()).unwrap_err();
    assert_eq!(error.status(), Some(500));
    assert!(error.to_string().len() < 2 * 1024);
}

#[test]
fn what_was_given_wrongly_is_said_before_anything_is_sent() {
    let cases = [
        (Pushgateway::to("http://g", ""), "the job has no name, and a Pushgateway wants one"),
        (
            Pushgateway::to("http://g", "a").group("job", "b"),
            "\"job\" is a label of the group already; give it once",
        ),
        (Pushgateway::to("http://g", "a").bearer(""), "the auth is empty; write the token"),
    ];
    for (gateway, expected) in cases {
        let error = gateway.delete().unwrap_err();
        assert_eq!(error.to_string(), format!("cannot push to a Pushgateway: {expected}"));
    }
}

#[tokio::test]
async fn it_works_inside_a_runtime() {
    let server = Server::answering(OK);
    Pushgateway::to(&server.url, "a").put(&store()).unwrap();
    assert!(server.requests.recv().unwrap().starts_with("PUT /metrics/job/a "));
}

#[test]
fn a_proxy_is_told_where_to_and_who_asks_and_its_secret_is_not_shown() {
    let proxy = Server::answering("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 15\r\n\r\nno QTpzM2NyZXQ=");
    let through = proxy.url.replace("http://", "http://A:s3cret@");
    let gateway = Pushgateway::to("http://gateway:9091", "a").proxy(&through);
    let error = gateway.put(&store()).unwrap_err();
    assert_eq!(error.status(), Some(502));
    assert!(error.to_string().contains("\"no ***\""), "{error}");
    let request = proxy.requests.recv().unwrap();
    assert!(request.starts_with("PUT http://gateway:9091/metrics/job/a HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("host: gateway:9091\r\n"), "{request}");
    assert!(request.contains("proxy-authorization: Basic QTpzM2NyZXQ=\r\n"), "{request}");
    assert!(!format!("{gateway:?}").contains("s3cret"));
    // The last word counts.
    let server = Server::answering(OK);
    Pushgateway::to(&server.url, "a").proxy(&through).proxy("none").delete().unwrap();
    let error = Pushgateway::to(&server.url, "a").proxy("socks://p:1").delete().unwrap_err();
    assert!(error.to_string().contains("the proxy \"socks://p:1\" is not an HTTP proxy"), "{error}");
}
