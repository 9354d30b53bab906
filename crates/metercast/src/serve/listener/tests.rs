//! A listener on loopback: what kills it, what cannot, and how it says so.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::sync::mpsc;

use metercast_core::{Store, metrics, u64_counter};

use super::*;
use crate::Log;
use crate::config::{Config, ExporterConfig, Prometheus};
use crate::export::prometheus::PrometheusPage;
use crate::reader::Reader;
use crate::scrape::Scrape;
use crate::serve::site::Calls;

type Lines = Arc<Mutex<Vec<String>>>;

fn started(prometheus: Prometheus) -> (Result<Listener, String>, Lines) {
    let store = Store::new();
    store.scope(|| u64_counter!("jobs", "Jobs", 3));
    started_over(store, prometheus)
}

fn started_over(store: Store, prometheus: Prometheus) -> (Result<Listener, String>, Lines) {
    let (bound, lines) = bound_over(store, prometheus, &[]);
    (bound.inspect(Listener::open), lines)
}

/// One that is not open yet.
fn bound_over(
    store: Store,
    prometheus: Prometheus,
    beside: &[Arc<Listener>],
) -> (Result<Listener, String>, Lines) {
    let lines = Lines::default();
    let log = Log::to({
        let lines = Arc::clone(&lines);
        move |_, line| lines.lock().unwrap().push(line.to_owned())
    });
    let config = Config::builder().environment(false).exporter("p", prometheus).build().unwrap();
    let Some(ExporterConfig::Prometheus(settings)) = config.exporter("p") else { panic!("{config:?}") };
    let page = PrometheusPage::new("p", log.clone());
    let scrape = Scrape::of(Reader::new(store, log), page);
    let site = Site::new("p", settings, scrape, Calls::default());
    (site.and_then(|site| Listener::bind(settings.listen(), "listen elsewhere", site, beside, &[])), lines)
}

fn local() -> Prometheus {
    Prometheus::listen("127.0.0.1:0")
}

/// The answer, or nothing if the connection was closed without one.
fn get(address: SocketAddr, path: &str) -> String {
    let mut answer = String::new();
    if let Ok(mut stream) = TcpStream::connect(address) {
        let _ = write!(stream, "GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        let _ = stream.read_to_string(&mut answer);
    }
    answer
}

#[test]
fn a_listener_that_dies_starts_again_and_says_so_in_its_health_and_in_the_log() {
    let (listener, lines) = started(local());
    let listener = listener.unwrap();
    let address = listener.address();
    assert!(get(address, "/-/healthy").ends_with("\r\n\r\n{\"status\":\"ok\"}\n"));
    for times in [1, 2] {
        listener.door.panics.store(true, Ordering::Relaxed);
        // The connection that it dies of may be closed without an answer.
        let _ = get(address, "/metrics");
        let health = get(address, "/-/healthy");
        assert!(
            health.ends_with(&format!("{{\"status\":\"ok\",\"listener_restarts\":{times}}}\n")),
            "{health}"
        );
        assert!(get(address, "/metrics").ends_with("jobs_total 3\n"));
    }
    let lines = lines.lock().unwrap();
    let because =
        "exporter \"p\" has died: of a panic, whose message stands before this; it starts again in ";
    assert_eq!(*lines, [format!("{because}100ms"), format!("{because}200ms")]);
}

#[test]
fn a_listener_that_closes_answers_what_it_was_asked_and_frees_its_address_at_once() {
    let store = Store::new();
    let (sender, receiver) = mpsc::channel::<()>();
    let (begun, begins) = mpsc::channel::<()>();
    let receiver = Mutex::new(receiver);
    let _slow = store.scope(|| {
        SLOW.observe(move |gauge| {
            let _ = begun.send(());
            let _ = receiver.lock().unwrap().recv();
            gauge.set(1.0);
        })
    });
    let (listener, _) = started_over(store, local());
    let listener = listener.unwrap();
    let address = listener.address();
    // One that asks nothing does not keep it, one that waits for its page does.
    let idle = TcpStream::connect(address).unwrap();
    let asked = std::thread::spawn(move || get(address, "/metrics"));
    begins.recv().unwrap();
    let closing = std::thread::spawn(move || {
        listener.close(Instant::now() + Duration::from_secs(60));
        listener
    });
    while TcpListener::bind(address).is_err() {
        std::thread::yield_now();
    }
    assert!(!closing.is_finished());
    drop(sender);
    assert!(asked.join().unwrap().ends_with("slow 1\n"));
    drop(closing.join().unwrap());
    drop(idle);
}

#[test]
fn a_listener_that_waits_to_start_again_stops_at_once() {
    let (listener, _) = started(local());
    let listener = listener.unwrap();
    let stop = Arc::clone(&listener.stop);
    assert!(!stop.within(Duration::ZERO));
    let began = Instant::now();
    drop(listener);
    assert!(stop.within(LAST_PAUSE));
    assert!(began.elapsed() < LAST_PAUSE / 2);
}

#[test]
fn a_listener_that_cannot_accept_is_opened_anew_at_its_address() {
    let (listener, _) = started(local());
    let listener = listener.unwrap();
    let (door, stop) = (Arc::clone(&listener.door), Arc::new(Stop::default()));
    let mut bound = Some(bind("127.0.0.1:0", &[]).unwrap().socket);
    let address = bound.as_ref().unwrap().local_addr().unwrap();
    // As if the one that there was had been closed: by then another has the address.
    let taken = bound.take();
    let died = run(&mut bound, address, None, &door, &stop).unwrap_err();
    assert!(died.starts_with(&format!("cannot listen on {address}: ")), "{died}");
    drop(taken);
    stop.now();
    assert_eq!(run(&mut bound, address, None, &door, &stop), Ok(()));
}

metrics! {
    /// Whose callback takes its time.
    static SLOW: ObservableGauge<f64> = "slow";
}

#[test]
fn a_page_that_takes_its_time_is_given_up_and_keeps_nobody_else_waiting() {
    let store = Store::new();
    let (sender, receiver) = mpsc::channel::<()>();
    let (begun, begins) = mpsc::channel::<()>();
    let receiver = Mutex::new(receiver);
    let _slow = store.scope(|| {
        SLOW.observe(move |gauge| {
            let _ = begun.send(());
            let _ = receiver.lock().unwrap().recv();
            gauge.set(1.0);
        })
    });
    let (listener, _) = started_over(store, local().timeout(Duration::from_millis(300)));
    let address = listener.as_ref().unwrap().address();
    let slow = std::thread::spawn(move || get(address, "/metrics"));
    begins.recv().unwrap();
    assert!(get(address, "/-/healthy").starts_with("HTTP/1.1 200"));
    let late = slow.join().unwrap();
    assert!(late.starts_with("HTTP/1.1 503") && late.contains("retry-after: 1"), "{late}");
    drop(sender);
    // On a busy machine this may take its time too.
    let pages = std::iter::repeat_with(|| get(address, "/metrics")).take(100);
    assert!(pages.into_iter().any(|page| page.ends_with("slow 1\n")));
}

#[cfg(feature = "tls")]
mod tls {
    use std::path::PathBuf;

    use tokio_rustls::rustls::crypto::ring;
    use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
    use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

    use super::*;

    /// A folder with a certificate and its key.
    struct Files {
        folder: PathBuf,
    }

    impl Files {
        fn new(name: &str) -> Files {
            let folder = std::env::temp_dir().join(format!("metercast-{}-{name}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            Files { folder }
        }

        fn certificate(&self) -> PathBuf {
            self.folder.join("tls.crt")
        }

        fn key(&self) -> PathBuf {
            self.folder.join("tls.key")
        }

        /// Writes both files anew.
        fn write(&self) -> CertificateDer<'static> {
            let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
            std::fs::write(self.certificate(), made.cert.pem()).unwrap();
            std::fs::write(self.key(), made.signing_key.serialize_pem()).unwrap();
            made.cert.der().clone()
        }

        fn listener(&self) -> (Result<Listener, String>, Lines) {
            started(local().tls(self.certificate(), self.key()))
        }
    }

    impl Drop for Files {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }

    fn get_trusting(address: SocketAddr, trusted: &CertificateDer<'static>) -> std::io::Result<String> {
        let mut roots = RootCertStore::empty();
        roots.add(trusted.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        let client = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = StreamOwned::new(client, TcpStream::connect(address)?);
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    #[test]
    fn a_page_is_served_encrypted_to_who_trusts_the_certificate() {
        let files = Files::new("served");
        let trusted = files.write();
        let listener = files.listener().0.unwrap();
        let answer = get_trusting(listener.address(), &trusted).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("jobs_total 3\n"), "{answer}");
        // Who does not encrypt gets nothing, and nobody is disturbed.
        assert!(!get(listener.address(), "/metrics").contains("jobs"));
        let stranger = Files::new("stranger").write();
        assert!(get_trusting(listener.address(), &stranger).is_err());
        assert!(get_trusting(listener.address(), &trusted).is_ok());
    }

    #[test]
    fn a_certificate_that_changes_is_shown_and_a_bad_one_is_not() {
        let files = Files::new("changes");
        let first = files.write();
        let (listener, lines) = files.listener();
        let listener = listener.unwrap();
        let look = || listener.door.site().tls().look_now();
        std::fs::write(files.certificate(), "nothing").unwrap();
        look();
        assert!(get_trusting(listener.address(), &first).is_ok());
        let said = lines.lock().unwrap().join("\n");
        assert!(
            said.contains("there is none in the file")
                && said.ends_with("it keeps the certificate that it had"),
            "{said}"
        );
        let second = files.write();
        look();
        assert!(get_trusting(listener.address(), &second).is_ok());
        assert!(get_trusting(listener.address(), &first).is_err());
    }

    #[test]
    fn a_connection_from_before_the_encryption_learns_nothing_more() {
        let files = Files::new("begins");
        let trusted = files.write();
        let listener = started(local()).0.unwrap();
        let mut open = TcpStream::connect(listener.address()).unwrap();
        let mut ask = || {
            let mut answer = Vec::new();
            let _ = open.write_all(b"GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n");
            while !answer.ends_with(b"jobs_total 3\n") {
                let mut byte = [0];
                match open.read(&mut byte) {
                    Ok(1) => answer.push(byte[0]),
                    _ => break,
                }
            }
            String::from_utf8(answer).unwrap()
        };
        assert!(ask().starts_with("HTTP/1.1 200"));
        listener.serve(site_of(local().tls(files.certificate(), files.key()), Store::new()));
        let refused = ask();
        assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("connection: close"), "{refused}");
        assert!(get_trusting(listener.address(), &trusted).unwrap().starts_with("HTTP/1.1 200"));
        listener.serve(site_of(local(), Store::new()));
        assert!(get(listener.address(), "/metrics").starts_with("HTTP/1.1 200"));
    }

    /// What the listener of another configuration serves.
    fn site_of(prometheus: Prometheus, store: Store) -> Site {
        let config = Config::builder().environment(false).exporter("p", prometheus).build().unwrap();
        let Some(ExporterConfig::Prometheus(settings)) = config.exporter("p") else { panic!("{config:?}") };
        let log = Log::to(|_, _| {});
        let page = PrometheusPage::new("p", log.clone());
        Site::new("p", settings, Scrape::of(Reader::new(store, log), page), Calls::default()).unwrap()
    }

    #[test]
    fn files_that_cannot_be_used_keep_it_from_starting_and_are_named() {
        let files = Files::new("unusable");
        let fails = |what: &str, expected: &str| {
            let error = files.listener().0.err().unwrap();
            assert!(
                error.contains(expected) && error.contains(files.folder.to_str().unwrap()),
                "{what}: {error}"
            );
            assert!(error.contains(".tls."), "{what}, where it is given: {error}");
            assert!(!error.contains("PRIVATE") && !error.contains("s3cret"), "{what}: {error}");
        };
        fails("missing", "cannot read its certificate");
        files.write();
        let key = std::fs::read(files.key()).unwrap();
        std::fs::remove_file(files.key()).unwrap();
        fails("without a key", "cannot read its key");
        for (what, text) in
            [("empty", ""), ("no PEM", "s3cret"), ("a certificate", "-----BEGIN CERTIFICATE-----\n")]
        {
            std::fs::write(files.key(), text).unwrap();
            fails(what, "cannot use its key");
        }
        let other = Files::new("other");
        other.write();
        std::fs::copy(other.key(), files.key()).unwrap();
        fails("the key of another", "cannot use its certificate");
        std::fs::write(files.key(), key).unwrap();
        assert!(files.listener().0.is_ok());
        std::fs::write(files.certificate(), vec![b'x'; (1 << 20) + 1]).unwrap();
        fails("endless", "longer than 1 MiB");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn one_that_is_bound_beside_another_takes_nothing_from_it_before_it_is_open() {
    for (first, second) in [("0.0.0.0", "127.0.0.1"), ("127.0.0.1", "0.0.0.0")] {
        let running = Arc::new(started(Prometheus::listen(&format!("{first}:0"))).0.unwrap());
        let port = running.address().port();
        let at = SocketAddr::from(([127, 0, 0, 1], port));
        let bind = || {
            let store = Store::new();
            store.scope(|| u64_counter!("jobs", "Jobs", 4));
            let page = Prometheus::listen(&format!("{second}:{port}"));
            bound_over(store, page, &[Arc::clone(&running)])
        };
        let is_answered_by = |jobs: u8| get(at, "/metrics").contains(&format!("\njobs_total {jobs}\n"));
        for _ in 0..5 {
            let planned = bind().0.unwrap();
            assert!(is_answered_by(3), "{first} while {second} is planned");
            drop(planned);
            assert!(is_answered_by(3));
        }
        let (next, lines) = bind();
        let next = next.unwrap();
        next.open();
        drop(running);
        assert!(is_answered_by(4), "{second} after {first}");
        drop(next);
        assert_eq!(lines.lock().unwrap()[..], [""; 0]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn one_whose_address_is_taken_before_it_is_open_has_it_once_it_is_free() {
    let running = Arc::new(started(local()).0.unwrap());
    let port = running.address().port();
    let page = Prometheus::listen(&format!("0.0.0.0:{port}"));
    let (next, lines) = bound_over(Store::new(), page, &[Arc::clone(&running)]);
    let next = next.unwrap();
    let other = TcpListener::bind(("127.0.0.2", port)).unwrap();
    next.open();
    drop(running);
    // Another thread tries again; 30 seconds are many times what it takes.
    let wait_until = |is_so: &dyn Fn() -> bool| {
        let end = std::time::Instant::now() + Duration::from_secs(30);
        while !is_so() {
            assert!(std::time::Instant::now() < end, "waited in vain: {:?}", lines.lock().unwrap());
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    wait_until(&|| lines.lock().unwrap().iter().any(|line| line.contains("it starts again in")));
    drop(other);
    wait_until(&|| get(SocketAddr::from(([127, 0, 0, 1], port)), "/metrics").contains("200 OK"));
}
