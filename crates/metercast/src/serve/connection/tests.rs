//! Clients of every kind, over a pipe and with a clock that waits for nobody.

use metercast_core::{Store, u64_counter};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;
use crate::Log;
use crate::config::{Config, ExporterConfig, Prometheus};
use crate::export::prometheus::PrometheusPage;
use crate::health::Health;
use crate::reader::Reader;
use crate::scrape::Scrape;
use crate::serve::places::Places;
use crate::serve::site::{Calls, Site};

/// A site with a page of a few lines.
fn site(prometheus: Prometheus) -> Arc<Door> {
    let store = Store::new();
    store.scope(|| u64_counter!("jobs", "Jobs", 3));
    site_of(prometheus, Reader::new(store, Log::to(|_, _| {})))
}

fn site_of(prometheus: Prometheus, reader: Reader) -> Arc<Door> {
    let config = Config::builder().environment(false).exporter("p", prometheus).build().unwrap();
    let Some(ExporterConfig::Prometheus(settings)) = config.exporter("p") else { panic!("{config:?}") };
    let page = PrometheusPage::new("p", reader.log().clone());
    let scrape = Scrape::of(reader, page);
    Door::new(Site::new("p", settings, scrape, Calls::default()).unwrap())
}

/// A site whose page is much longer than the pipe.
fn long_site() -> Arc<Door> {
    let store = Store::new();
    store.scope(|| (0..1_000u64).for_each(|n| u64_counter!("long", "Long", 1, "n" => n)));
    site_of(Prometheus::default(), Reader::new(store, Log::to(|_, _| {})))
}

/// A connection from this machine.
const LINE: Line = Line { is_encrypted: false, peer: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST) };

/// The client's end of a connection to the site, and the task that serves it.
async fn connect(site: &Arc<Door>, room: usize) -> (DuplexStream, JoinHandle<()>) {
    let (client, server) = duplex(room);
    let place = Places::new(1).take().await;
    (client, tokio::spawn(serve(server, LINE, Arc::clone(site), place)))
}

const GET: &str = "GET /metrics HTTP/1.1\r\nHost: h\r\n";

/// The whole answer to a request, whose connection is closed behind it.
async fn answer(site: &Arc<Door>, request: &str) -> String {
    let (mut client, served) = connect(site, 1 << 20).await;
    client.write_all(request.as_bytes()).await.unwrap();
    client.write_all(b"Connection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    let _ = client.read_to_string(&mut answer).await;
    served.await.unwrap();
    answer
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or(answer)
}

#[tokio::test]
async fn each_path_has_its_answer() {
    let site = site(Prometheus::default().path("/m"));
    let cases = [
        ("GET /m", "200", "jobs_total 3\n"),
        ("GET /m?name[]=other", "200", ""),
        ("HEAD /m", "200", ""),
        ("GET /", "404", "there is nothing at /; the metrics are at /m\n"),
        ("GET /M", "404", "there is nothing at /M; the metrics are at /m\n"),
        ("HEAD /other", "404", ""),
        ("POST /m", "405", "the metrics are read with GET\n"),
        ("GET /-/healthy", "200", "{\"status\":\"ok\"}\n"),
        ("HEAD /-/healthy", "200", ""),
        ("GET /-/ready", "200", "{\"status\":\"ready\"}\n"),
        ("POST /-/ready", "405", "this is read with GET\n"),
    ];
    for (line, expected, body) in cases {
        let answer = answer(&site, &format!("{line} HTTP/1.1\r\nHost: h\r\n")).await;
        assert_eq!(status(&answer), expected, "{line}: {answer}");
        let (head, rest) = answer.split_once("\r\n\r\n").unwrap();
        assert!(rest.ends_with(body) && rest.is_empty() == body.is_empty(), "{line}: {answer}");
        assert_eq!(head.contains("allow: GET, HEAD"), expected == "405", "{line}: {answer}");
    }
}

#[tokio::test]
async fn the_page_may_be_under_every_path() {
    let everywhere = site(Prometheus::default().any_path(true));
    for path in ["/", "/metrics", "/a/b?c", "/-/healthy", "/-/ready"] {
        let answer = answer(&everywhere, &format!("GET {path} HTTP/1.1\r\nHost: h\r\n")).await;
        assert!(answer.ends_with("jobs_total 3\n"), "{path}: {answer}");
    }
    let both = site(Prometheus::default().any_path(true).health(true));
    assert!(
        answer(&both, "GET /-/ready HTTP/1.1\r\nHost: h\r\n").await.ends_with("{\"status\":\"ready\"}\n")
    );
    let neither = site(Prometheus::default().health(false));
    assert_eq!(status(&answer(&neither, "GET /-/ready HTTP/1.1\r\nHost: h\r\n").await), "404");
}

#[tokio::test]
async fn probes_are_answered_where_they_ask_and_with_what_the_checks_say() {
    let health = Health::new();
    let prometheus =
        Prometheus::default().liveness_path("/health").readiness_path("/health/ready").bearer("s3cret");
    let config = Config::builder().environment(false).exporter("p", prometheus).build().unwrap();
    let Some(ExporterConfig::Prometheus(settings)) = config.exporter("p") else { panic!("{config:?}") };
    let reader = Reader::new(Store::new(), Log::to(|_, _| {}));
    let scrape = Scrape::of(reader, PrometheusPage::new("p", Log::to(|_, _| {})));
    let calls = Calls { health: Some(health.clone()), ..Calls::default() };
    let site = Door::new(Site::new("p", settings, scrape, calls).unwrap());
    let get = async |path: &str| answer(&site, &format!("GET {path} HTTP/1.1\r\nHost: h\r\n")).await;

    let alive = get("/health").await;
    assert!(alive.starts_with("HTTP/1.1 200 ") && alive.contains("content-type: application/json\r\n"));
    assert!(alive.ends_with("\r\n\r\n{\"status\":\"ok\"}\n"), "{alive}");
    assert!(get("/health/ready").await.ends_with("\r\n\r\n{\"status\":\"ready\"}\n"));
    assert_eq!(status(&get("/-/ready").await), "401", "it is where it was told to be, and only there");

    let check = health.check("nats").run(|| Err("no \"route\""));
    health.check_now();
    let ready = get("/health/ready").await;
    assert_eq!(status(&ready), "503");
    let body = r#"{"status":"not_ready","error":"nats: no \"route\""}"#;
    assert!(ready.ends_with(&format!("\r\n\r\n{body}\n")), "{ready}");
    assert_eq!(status(&get("/health").await), "200", "who is not ready is alive");
    drop(check);
    assert_eq!(status(&get("/health/ready").await), "200");
}

#[tokio::test]
async fn only_who_has_the_token_is_let_in() {
    let site = site(Prometheus::default().bearer("s3cret token"));
    let cases = [
        ("", "401"),
        ("Authorization: Bearer s3cret token\r\n", "200"),
        ("authorization:   bearer   s3cret token  \r\n", "200"),
        ("Authorization: Bearer s3cret\r\n", "401"),
        ("Authorization: Bearer s3cret token2\r\n", "401"),
        ("Authorization: Bearer S3CRET TOKEN\r\n", "401"),
        ("Authorization: Bearer\r\n", "401"),
        ("Authorization: Bearer \r\n", "401"),
        ("Authorization: s3cret token\r\n", "401"),
        ("Authorization: Basic s3cret token\r\n", "401"),
        ("Authorization: \r\n", "401"),
        ("Authorization: Bearer \u{fc}\u{ff}\r\n", "401"),
    ];
    for (header, expected) in cases {
        for path in ["/metrics", "/other"] {
            let answer = answer(&site, &format!("GET {path} HTTP/1.1\r\nHost: h\r\n{header}")).await;
            let expected = if expected == "200" && path == "/other" { "404" } else { expected };
            assert_eq!(status(&answer), expected, "{path} {header:?}: {answer}");
            assert!(!answer.contains("s3cret"), "{answer}");
            assert_eq!(answer.contains("www-authenticate: Bearer"), expected == "401", "{answer}");
        }
    }
    assert_eq!(status(&answer(&site, "GET /-/healthy HTTP/1.1\r\nHost: h\r\n").await), "200");
}

#[tokio::test]
async fn headers_in_several_lines_are_one_list() {
    let site = site(Prometheus::default());
    let headers =
        "Accept: image/png\r\nAccept: application/openmetrics-text;version=1.0.0\r\nAccept-Encoding: br\r\n";
    let negotiated = answer(&site, &format!("{GET}{headers}")).await;
    let expected = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert!(negotiated.contains(expected), "{negotiated}");
    let not_text = answer(&site, &format!("{GET}Accept: \u{fc}\r\nAccept-Encoding: \u{fc}\r\n")).await;
    assert!(
        not_text.contains("content-type: text/plain; version=0.0.4; charset=utf-8; escaping=underscores")
    );
}

#[tokio::test]
async fn a_connection_takes_one_request_after_the_other() {
    let site = site(Prometheus::default());
    let (mut client, served) = connect(&site, 1 << 20).await;
    let mut buffer = vec![0; 64 * 1024];
    for _ in 0..3 {
        client.write_all(format!("{GET}\r\n").as_bytes()).await.unwrap();
        let read = client.read(&mut buffer).await.unwrap();
        assert_eq!(status(std::str::from_utf8(&buffer[..read]).unwrap()), "200");
    }
    drop(client);
    served.await.unwrap();
}

#[tokio::test]
async fn what_is_not_http_is_refused_and_costs_nothing_more() {
    let site = site(Prometheus::default());
    let long_line = format!("GET /{} HTTP/1.1\r\nHost: h\r\n", "a".repeat(100_000));
    let many = format!("{GET}{}", "a: b\r\n".repeat(HEADERS + 1));
    let long = format!("{GET}a: {}\r\n", "b".repeat(100_000));
    let cases = [
        ("\u{16}\u{3}\u{1}\u{2}", "400"),
        ("GET\r\n", "400"),
        (&long_line, "431"),
        (&many, "431"),
        (&long, "431"),
    ];
    for (request, expected) in cases {
        let (mut client, served) = connect(&site, 1 << 20).await;
        let _ = client.write_all(format!("{request}\r\n\r\n").as_bytes()).await;
        let mut answer = String::new();
        let _ = client.read_to_string(&mut answer).await;
        assert_eq!(status(&answer), expected, "{answer}");
        served.await.unwrap();
    }
}

#[tokio::test]
async fn a_page_that_panics_is_500_and_the_connection_lives() {
    let store = Store::new();
    store.scope(|| u64_counter!("jobs", "Jobs", 3));
    let reader = Reader::new(store, Log::to(|_, _| {}));
    let site = site_of(Prometheus::default(), reader.clone());
    let (mut client, _served) = connect(&site, 1 << 20).await;
    let mut buffer = vec![0; 64 * 1024];
    for expected in ["500", "200", "200"] {
        reader.panics.store(expected == "500", std::sync::atomic::Ordering::Relaxed);
        client.write_all(format!("{GET}\r\n").as_bytes()).await.unwrap();
        let read = client.read(&mut buffer).await.unwrap();
        assert_eq!(status(std::str::from_utf8(&buffer[..read]).unwrap()), expected);
    }
}

/// How long the connection is kept whatever the client does.
async fn kept<F: Future>(site: &Arc<Door>, room: usize, client: impl FnOnce(DuplexStream) -> F) -> Duration {
    let began = Instant::now();
    let (end, mut served) = connect(site, room).await;
    tokio::select! {
        served = &mut served => served.unwrap(),
        // It may be told first.
        _ = client(end) => served.await.unwrap(),
    }
    began.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_gone_after_a_while() {
    let site = site(Prometheus::default());
    let silent = kept(&site, 1024, |mut client| async move { client.read_u8().await });
    assert_eq!(silent.await, HEAD);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_sends_a_head_without_end_is_gone_after_a_while() {
    let site = site(Prometheus::default());
    let slow = kept(&site, 1024, |mut client| async move {
        client.write_all(GET.as_bytes()).await.unwrap();
        loop {
            let _ = client.write_all(b"a").await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    assert_eq!(slow.await, HEAD);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_and_was_answered() {
    let site = site(Prometheus::default());
    let (mut client, served) = connect(&site, 1 << 20).await;
    client.write_all(format!("{GET}\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert_eq!(status(&answer), "200");
    served.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_is_gone_after_a_while_and_frees_its_page() {
    let site = long_site();
    let began = Instant::now();
    let deaf = kept(&site, 1024, |mut client| async move {
        client.write_all(format!("{GET}\r\n").as_bytes()).await.unwrap();
        std::future::pending::<()>().await;
    });
    assert_eq!(deaf.await, WRITE);
    assert_eq!(began.elapsed(), WRITE);
    // With one place for requests, the next is answered only if that of the last is free.
    let site = site_of(Prometheus::default().max_in_flight(1), Reader::new(Store::new(), Log::to(|_, _| {})));
    for _ in 0..3 {
        assert_eq!(status(&answer(&site, GET).await), "200");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_a_byte_now_and_then_is_gone_in_the_end() {
    let site = long_site();
    let trickle = kept(&site, 64, |mut client| async move {
        client.write_all(format!("{GET}\r\n").as_bytes()).await.unwrap();
        let mut byte = [0];
        while client.read(&mut byte).await.is_ok() {
            tokio::time::sleep(WRITE / 2).await;
        }
    });
    assert_eq!(trickle.await, LIFE + LAST);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_under_way_when_the_connection_is_old_is_answered() {
    let site = site(Prometheus::default());
    let (mut client, served) = connect(&site, 1 << 20).await;
    let began = Instant::now();
    let mut buffer = vec![0; 64 * 1024];
    let mut answers = 0;
    loop {
        if client.write_all(format!("{GET}\r\n").as_bytes()).await.is_err() {
            break;
        }
        match client.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(read) => assert_eq!(status(std::str::from_utf8(&buffer[..read]).unwrap()), "200"),
        }
        answers += 1;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    served.await.unwrap();
    assert!((55..=61).contains(&answers), "{answers}");
    assert!(began.elapsed() <= LIFE + Duration::from_secs(1), "{:?}", began.elapsed());
}
