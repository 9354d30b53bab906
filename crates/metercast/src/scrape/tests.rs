//! Answers to all that a scraper may ask for, without any transport.

use std::pin::pin;
use std::sync::mpsc;
use std::thread;

use metercast_core::{Observation, f64_gauge, f64_histogram, metrics, u64_counter, u64_gauge};

use super::*;
use crate::export::prometheus::Format;
use crate::log::Log;

fn scrape_of(store: &Store) -> Scrape {
    Scrape::new(store.clone(), PrometheusPage::new("test", Log::to(|_, _| {})))
}

fn store() -> Store {
    let store = Store::new();
    store.scope(|| {
        u64_counter!("jobs", "Jobs", 3, "kind" => "a");
        f64_gauge!("level", "Level", 1.5);
        f64_histogram!("took", "Took", 0.5);
    });
    store
}

fn text(answer: &ScrapeAnswer) -> &str {
    std::str::from_utf8(answer.body()).unwrap()
}

fn get<'a>(query: Option<&'a str>) -> ScrapeRequest<'a> {
    ScrapeRequest { query, ..ScrapeRequest::default() }
}

#[test]
fn a_get_has_the_page_and_says_what_it_is() {
    let answer = scrape_of(&store()).answer_blocking(&ScrapeRequest::default());
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.header("content-type"), Some(PageFormat::default().content_type().as_str()));
    assert_eq!(answer.header("content-length"), Some(answer.body().len().to_string().as_str()));
    assert_eq!(answer.header("vary"), Some("accept, accept-encoding"));
    assert_eq!(answer.header("content-encoding"), None);
    let started: u64 = answer.header("process-start-time-unix").unwrap().parse().unwrap();
    let now = UNIX_EPOCH.elapsed().unwrap().as_secs();
    assert!(started <= now && now - started < 600, "{started} and {now}");
    assert!(text(&answer).contains("jobs_total{kind=\"a\"} 3\n"));
}

#[test]
fn a_head_has_the_headers_of_the_get_and_no_body() {
    let scrape = scrape_of(&store());
    for accept_encoding in [None, Some("gzip")] {
        let request = ScrapeRequest { accept_encoding, ..ScrapeRequest::default() };
        let get = scrape.answer_blocking(&request);
        let head = scrape.answer_blocking(&ScrapeRequest { method: "HEAD", ..request });
        assert_eq!(head.status(), 200);
        assert!(head.headers().eq(get.headers()));
        assert!(head.body().is_empty() && !get.body().is_empty());
    }
}

#[test]
fn what_does_not_read_is_not_allowed() {
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get", "", "PROPFIND"] {
        let answer =
            scrape_of(&store()).answer_blocking(&ScrapeRequest { method, ..ScrapeRequest::default() });
        assert_eq!((answer.status(), answer.header("allow")), (405, Some("GET, HEAD")), "{method}");
        assert_eq!(text(&answer), "the metrics are read with GET\n");
    }
}

#[test]
fn only_the_families_that_were_asked_for_are_on_the_page() {
    let scrape = scrape_of(&store());
    let families = |query: &str| -> Vec<String> {
        let answer = scrape.answer_blocking(&get(Some(query)));
        assert_eq!(answer.status(), 200, "{query}");
        let types = text(&answer).lines().filter_map(|line| line.strip_prefix("# TYPE "));
        types.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
    };
    assert_eq!(families(""), ["jobs_total", "level", "took"]);
    assert_eq!(families("name[]=level"), ["level"]);
    assert_eq!(families("name[]=jobs_total&name%5B%5D=took_bucket"), ["jobs_total", "took"]);
    assert!(families("name[]=jobs").is_empty());
    assert!(families("name[]=nothing").is_empty());
    assert!(families("name[]=").is_empty());
    assert_eq!(families("other[]=level"), ["jobs_total", "level", "took"]);
}

#[test]
fn in_open_metrics_a_counter_is_asked_for_by_its_family_or_its_sample() {
    let scrape = scrape_of(&store());
    let accept = Some("application/openmetrics-text;version=1.0.0");
    for name in ["jobs", "jobs_total", "jobs_created"] {
        let query = format!("name[]={name}");
        let answer = scrape.answer_blocking(&ScrapeRequest { accept, ..get(Some(&query)) });
        assert_eq!(
            text(&answer),
            "# TYPE jobs counter\n# HELP jobs Jobs\njobs_total{kind=\"a\"} 3\n# EOF\n",
            "{name}"
        );
    }
    let nothing = scrape.answer_blocking(&ScrapeRequest { accept, ..get(Some("name[]=level_total")) });
    assert_eq!(text(&nothing), "# EOF\n");
}

#[test]
fn what_was_asked_for_first_decides_nothing() {
    let both = || {
        let store = Store::new();
        store.scope(|| {
            f64_histogram!("clash", "A histogram, which has the name", 0.5);
            u64_gauge!("clash.count", "Left out", 7);
        });
        store
    };
    let (fresh, asked) = (both(), both());
    let page = scrape_of(&fresh).answer_blocking(&ScrapeRequest::default());
    let scrape = scrape_of(&asked);
    let alone = scrape.answer_blocking(&get(Some("name[]=clash_count")));
    assert!(!text(&alone).contains(" 7\n"), "{}", text(&alone));
    let after = scrape.answer_blocking(&ScrapeRequest::default());
    assert_eq!(text(&after), text(&page));
}

#[test]
fn a_tenant_sees_its_series_alone_and_no_trace_of_the_others() {
    let store = store();
    store.scope(|| {
        for (tenant, times) in [("acme", 1), ("other", 2)] {
            u64_counter!("calls", "Calls", times, "tenant.id" => tenant, "route" => "/a");
            u64_counter!("calls", "Calls", times, "tenant.id" => tenant, "route" => "/b");
        }
        u64_counter!("others", "Of others alone", 1, "tenant.id" => "other");
    });
    let scrape = scrape_of(&store);
    let acme = scrape.tenant("tenant.id", "acme");
    let page = "# HELP calls_total Calls\n# TYPE calls_total counter\n\
                calls_total{route=\"/a\"} 1\ncalls_total{route=\"/b\"} 1\n";
    for _ in 0..2 {
        assert_eq!(text(&acme.answer_blocking(&ScrapeRequest::default())), page);
        let whole = scrape.answer_blocking(&ScrapeRequest::default());
        assert!(
            text(&whole).contains("calls_total{tenant_id=\"other\",route=\"/b\"} 2\n"),
            "{}",
            text(&whole)
        );
    }
    assert!(acme.answer_blocking(&get(Some("name[]=others_total"))).body().is_empty());
    assert!(
        scrape.tenant("tenant.id", "nobody").answer_blocking(&ScrapeRequest::default()).body().is_empty()
    );
}

#[test]
fn who_takes_protobuf_gets_what_was_asked_for_in_protobuf() {
    let store = store();
    store.scope(|| {
        u64_counter!("calls", "Calls", 1, "tenant.id" => "acme", "route" => "/a");
        u64_counter!("calls", "Calls", 2, "tenant.id" => "other", "route" => "/a");
    });
    let accept =
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6";
    let scrape = scrape_of(&store);
    let ask = |scrape: &Scrape, query| {
        let answer = scrape.answer_blocking(&ScrapeRequest { accept: Some(accept), ..get(query) });
        let format = PageFormat { format: Format::Protobuf, ..PageFormat::default() };
        assert_eq!(answer.header("content-type"), Some(format.content_type().as_str()));
        answer.body().to_vec()
    };
    // Behind its length: name, help, type, and the series.
    let level = b"\x1d\x0a\x05level\x12\x05Level\x18\x01\x22\x0b\x12\x09\x09\0\0\0\0\0\0\xf8\x3f";
    assert_eq!(ask(&scrape, Some("name[]=level")), level);
    let calls = b"\x30\x0a\x0bcalls_total\x12\x05Calls\x18\0\
        \x22\x18\x0a\x0b\x0a\x05route\x12\x02/a\x1a\x09\x09\0\0\0\0\0\0\xf0\x3f";
    assert_eq!(ask(&scrape.tenant("tenant.id", "acme"), None), calls);
    assert!(ask(&scrape, Some("name[]=nothing")).is_empty());
    let took = ask(&scrape, Some("name[]=took_bucket"));
    assert!(took[2..].starts_with(b"\x0a\x04took\x12\x04Took\x18\x04"), "{took:?}");
}

#[test]
fn the_memory_of_a_page_serves_the_next() {
    let scrape = scrape_of(&store());
    let address = |answer: &ScrapeAnswer| answer.body().as_ptr();
    let first = scrape.answer_blocking(&ScrapeRequest::default());
    let at = address(&first);
    drop(first);
    assert_eq!(address(&scrape.answer_blocking(&ScrapeRequest::default())), at);
    // Its bytes too if it is packed or not wanted.
    drop(
        scrape.answer_blocking(&ScrapeRequest { accept_encoding: Some("gzip"), ..ScrapeRequest::default() }),
    );
    drop(scrape.answer_blocking(&ScrapeRequest { method: "HEAD", ..ScrapeRequest::default() }));
    assert_eq!(address(&scrape.answer_blocking(&ScrapeRequest::default())), at);
}

#[cfg(feature = "gzip")]
#[test]
fn a_page_is_packed_for_whom_can_unpack_it() {
    use std::io::Read;
    let scrape = scrape_of(&store());
    let plain = scrape.answer_blocking(&ScrapeRequest::default());
    let request = ScrapeRequest { accept_encoding: Some("gzip"), ..ScrapeRequest::default() };
    let packed = scrape.answer_blocking(&request);
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert_eq!(packed.header("content-length"), Some(packed.body().len().to_string().as_str()));
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(packed.body()).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain.body());
    let refused = ScrapeRequest { accept_encoding: Some("gzip;q=0"), ..ScrapeRequest::default() };
    assert_eq!(scrape.answer_blocking(&refused).body(), plain.body());
}

#[test]
fn more_at_once_than_there_may_be_are_told_to_come_again() {
    let scrape = scrape_of(&store()).max_in_flight(2);
    let first = scrape.answer_blocking(&ScrapeRequest::default());
    let second = scrape.tenant("kind", "a").answer_blocking(&ScrapeRequest::default());
    for method in ["GET", "HEAD"] {
        let third = scrape.answer_blocking(&ScrapeRequest { method, ..ScrapeRequest::default() });
        assert_eq!((third.status(), third.header("retry-after")), (503, Some("1")));
        assert_eq!(third.body().is_empty(), method == "HEAD");
    }
    drop(first.into_body());
    drop(second);
    for _ in 0..5 {
        assert_eq!(scrape.answer_blocking(&ScrapeRequest::default()).status(), 200);
    }
}

#[test]
fn a_page_that_panics_is_an_answer_and_the_next_one_is_right() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let log = Log::to({
        let lines = Arc::clone(&lines);
        move |_, line| lines.lock().unwrap().push(line.to_owned())
    });
    let scrape = Scrape::new(store(), PrometheusPage::new("test", log));
    for _ in 0..40 {
        scrape.inner.reader.panics.store(true, Ordering::Relaxed);
        let answer = scrape.answer_blocking(&ScrapeRequest::default());
        assert_eq!(answer.status(), 500);
        assert_eq!(scrape.answer_blocking(&ScrapeRequest::default()).status(), 200);
    }
    assert_eq!(lines.lock().unwrap().len(), 1, "said once in a while: {lines:?}");
}

#[test]
fn many_clients_at_once_each_get_the_whole_page_or_are_sent_away() {
    let scrape = scrape_of(&store());
    let page = text(&scrape.answer_blocking(&ScrapeRequest::default())).to_owned();
    let threads: Vec<_> = (0..8)
        .map(|at| {
            let (scrape, page) = (scrape.clone(), page.clone());
            thread::spawn(move || {
                for _ in 0..50 {
                    let query = (at % 2 == 0).then_some("name[]=level");
                    let answer = scrape.answer_blocking(&get(query));
                    assert_eq!(answer.status(), 200);
                    assert_eq!(text(&answer) == page, query.is_none(), "{}", text(&answer));
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(scrape.inner.places.taken(), 0);
}

metrics! {
    /// Whose callback takes its time.
    static SLOW: ObservableGauge<f64> = "slow";
}

/// A store whose page is not written before the sender is dropped.
fn slow_store() -> (Store, mpsc::Sender<()>, Observation) {
    let store = Store::new();
    let (sender, receiver) = mpsc::channel::<()>();
    let receiver = Mutex::new(receiver);
    let handle = store.scope(|| {
        SLOW.observe(move |gauge| {
            let _ = receiver.lock().unwrap().recv();
            gauge.set(1.0);
        })
    });
    (store, sender, handle)
}

#[cfg(feature = "serve")]
#[tokio::test(start_paused = true)]
async fn who_waits_too_long_is_told_to_come_again_and_the_page_is_not_written_for_nobody() {
    let (store, sender, _handle) = slow_store();
    let scrape = scrape_of(&store).max_in_flight(1).timeout(Duration::from_secs(3));
    let mut late = pin!(scrape.answer(&ScrapeRequest::default()));
    for _ in 0..3 {
        tokio::select! {
            biased;
            answer = &mut late => panic!("{answer:?}"),
            () = tokio::time::advance(Duration::from_millis(999)) => {}
        }
    }
    // Work on other threads keeps the clock from going on by itself.
    tokio::time::advance(Duration::from_millis(4)).await;
    let late = late.await;
    assert_eq!((late.status(), late.header("retry-after")), (503, Some("1")));
    assert_eq!(text(&late), "the page was not ready within 3s; try again later\n");
    // It is still under way, which counts.
    assert_eq!(scrape.answer(&ScrapeRequest::default()).await.status(), 503);
    drop(sender);
}

#[cfg(feature = "serve")]
#[tokio::test(start_paused = true)]
async fn a_head_that_waits_too_long_has_no_body_either() {
    let (store, sender, _handle) = slow_store();
    let scrape = scrape_of(&store).timeout(Duration::from_secs(3));
    let head = ScrapeRequest { method: "HEAD", ..ScrapeRequest::default() };
    let (late, ()) = tokio::join!(scrape.answer(&head), tokio::time::advance(Duration::from_millis(3_001)));
    assert_eq!((late.status(), late.header("content-length")), (503, Some("50")));
    assert!(late.body().is_empty());
    drop(sender);
}

#[test]
fn the_parts_are_the_page_and_it_counts_until_the_last_is_dropped() {
    let store = Store::new();
    store.scope(|| {
        for at in 0..200 {
            u64_counter!("jobs", "Jobs", at, "kind" => format!("{at}{}", "x".repeat(1_000)));
        }
    });
    let scrape = scrape_of(&store).max_in_flight(1);
    let page = scrape.answer_blocking(&ScrapeRequest::default()).body().to_vec();
    assert!(page.len() > 3 * 64 * 1024);
    let mut parts = scrape.answer_blocking(&ScrapeRequest::default()).into_body().into_parts();
    assert_eq!(parts.remaining(), page.len());
    let all: Vec<ScrapePart> = parts.by_ref().map(Result::unwrap).collect();
    assert_eq!(parts.remaining(), 0);
    assert!(parts.next().is_none());
    assert!(all.iter().all(|part| part.as_ref().len() <= 64 * 1024));
    assert_eq!(all.iter().flat_map(AsRef::as_ref).copied().collect::<Vec<u8>>(), page);
    drop(parts);
    assert_eq!(scrape.answer_blocking(&ScrapeRequest::default()).status(), 503);
    drop(all);
    assert_eq!(scrape.answer_blocking(&ScrapeRequest::default()).status(), 200);
}

#[cfg(feature = "serve")]
#[tokio::test(start_paused = true)]
async fn of_those_that_are_silent_for_too_long_the_longest_loses_its_page() {
    let scrape = scrape_of(&store()).max_in_flight(3);
    let ask = || scrape.answer_blocking(&ScrapeRequest::default());
    let whole = ask();
    let mut first = ask().into_body().into_parts();
    tokio::time::advance(Duration::from_secs(1)).await;
    let mut second = ask().into_body().into_parts();
    tokio::time::advance(Duration::from_secs(28)).await;
    assert_eq!(ask().status(), 503);
    tokio::time::advance(Duration::from_secs(2)).await;
    let third = ask();
    assert_eq!((third.status(), text(&third)), (200, text(&whole)));
    assert_eq!(first.next().unwrap().unwrap_err().kind(), std::io::ErrorKind::TimedOut);
    assert!(first.next().is_none());
    // Who takes something in time keeps its page, and one that is sent as a whole is nobody else's ever.
    let part = second.next().unwrap().unwrap();
    tokio::time::advance(Duration::from_secs(29)).await;
    drop(part);
    tokio::time::advance(Duration::from_secs(29)).await;
    assert_eq!(ask().status(), 503);
    drop((third, whole, second));
    assert_eq!(ask().status(), 200);
}

#[test]
fn a_callback_that_hangs_is_not_waited_for_without_a_telemetry_either() {
    metrics! {
        /// Waits for the test.
        static HANGING: ObservableGauge<u64> = "scrape.hanging";
    }
    let store = store();
    let (gate, wait) = mpsc::channel::<()>();
    let _hanging = store.scope(|| HANGING.observe(move |_| _ = wait.recv()));
    let answer = scrape_of(&store).answer_blocking(&ScrapeRequest::default());
    assert!(text(&answer).contains("jobs_total{kind=\"a\"} 3\n"));
    assert!(text(&answer).contains("metercast_observables_late_total{metric=\"scrape.hanging\"} 1\n"));
    drop(gate);
}
