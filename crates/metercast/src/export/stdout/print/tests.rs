//! When something is printed, and what becomes of it.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use metercast_core::{Store, u64_counter};

use super::*;
use crate::config::{Config, ExporterConfig, Stdout};
use crate::export::{Periodic, Timer};
use crate::log::Log;
use crate::snapshot::{Point, Snapshot};

/// A writer that hands each print over.
struct Prints(Sender<String>);

impl Write for Prints {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(String::from_utf8(bytes.to_vec()).unwrap()).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Started {
    print: Timer<Print>,
    store: Store,
    lines: Arc<Mutex<Vec<String>>>,
}

/// A printing exporter over a store with one counter.
fn start(interval: Duration, writer: impl Write + Send + 'static) -> Started {
    let config = Config::builder()
        .environment(false)
        .exporter("out", Stdout::default().interval(interval).writer(writer))
        .build()
        .unwrap();
    let Some(ExporterConfig::Stdout(config)) = config.exporter("out") else { unreachable!() };
    let (store, lines) = (Store::new(), Arc::<Mutex<Vec<String>>>::default());
    let log = Log::to({
        let lines = Arc::clone(&lines);
        move |level, line| lines.lock().unwrap().push(format!("{level}: {line}"))
    });
    store.scope(|| u64_counter!("printed", "", 1));
    let reader = Reader::new(store.clone(), log).of_exporter("out", "stdout_metric_exporter");
    let print = Timer::prepare("out", config.interval(), Print::of("out", config, &[], reader)).unwrap();
    print.begin();
    Started { print, store, lines }
}

const NEVER: Duration = Duration::from_secs(24 * 3600);

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn value(store: &Store, name: &str, label: &str) -> Option<Point> {
    let snapshot = Snapshot::of(store);
    let family = snapshot.family(name)?;
    let series = family.series.iter().find(|series| series.labels.to_string().contains(label))?;
    Some(series.point.clone())
}

#[test]
fn it_prints_at_the_interval_when_asked_and_a_last_time() {
    let (send, prints) = channel();
    let Started { print, store, lines } = start(Duration::from_millis(5), Prints(send));
    assert!(prints.recv().unwrap().contains("\"name\":\"printed\""), "at the interval");
    assert_eq!(print.flush(soon()), Ok(()));
    store.scope(|| u64_counter!("printed.late", "", 1));
    assert_eq!(print.shutdown(soon()), Ok(()));
    assert!(prints.iter().last().unwrap().contains("\"name\":\"printed.late\""), "a last time");
    assert_eq!(print.shutdown(soon()), Ok(()), "nothing more the second time");
    assert_eq!(print.flush(soon()).unwrap_err(), "is not at work, as the exporter was stopped");
    assert_eq!(*lines.lock().unwrap(), [""; 0]);
}

#[test]
fn each_print_is_one_write_and_is_counted() {
    let (send, prints) = channel();
    let Started { print, store, .. } = start(NEVER, Prints(send));
    print.flush(soon()).unwrap();
    print.shutdown(soon()).unwrap();
    let prints: Vec<String> = prints.iter().collect();
    assert_eq!(prints.len(), 2);
    let printed: usize = prints.iter().map(|print| print.lines().count()).sum();
    let exported = value(&store, "otel.sdk.exporter.metric_data_point.exported", "component.name=\"out\"");
    assert_eq!(exported, Some(Point::U64(printed as u64)));
    assert_eq!(value(&store, "metercast.exporter.failures", "out"), Some(Point::U64(0)));
    assert_eq!(value(&store, "otel.sdk.exporter.metric_data_point.inflight", "out"), Some(Point::I64(0)));
}

#[test]
fn what_cannot_be_printed_is_said_counted_and_disturbs_nothing() {
    let (send, prints) = channel();
    drop(prints);
    let Started { print, store, lines } = start(NEVER, Prints(send));
    let message = "cannot print: sending on a closed channel; check where the output goes";
    assert_eq!(print.flush(soon()).unwrap_err(), message);
    assert_eq!(print.shutdown(soon()).unwrap_err(), message);
    assert_eq!(*lines.lock().unwrap(), [format!("error: exporter \"out\": {message}")]);
    assert_eq!(value(&store, "metercast.exporter.failures", "out"), Some(Point::U64(2)));
    assert_eq!(value(&store, "metercast.exporter.last_success", "out"), None);
}

#[test]
fn a_writer_that_panics_is_a_failure_and_the_next_print_comes() {
    struct Once(bool, Sender<String>);
    impl Write for Once {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            assert!(std::mem::replace(&mut self.0, true), "the first time");
            self.1.send(String::new()).map(|()| bytes.len()).map_err(io::Error::other)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (send, prints) = channel();
    let Started { print, lines, .. } = start(NEVER, Once(false, send));
    assert_eq!(print.flush(soon()).unwrap_err(), "cannot print: the first time; check where the output goes");
    assert_eq!(print.flush(soon()), Ok(()));
    assert!(prints.recv().is_ok());
    print.shutdown(soon()).unwrap();
    let again = "info: exporter \"out\": prints again".to_owned();
    assert_eq!(lines.lock().unwrap().last(), Some(&again));
}

#[test]
fn a_writer_that_hangs_holds_nobody_up_beyond_the_deadline() {
    struct Hangs(Receiver<()>);
    impl Write for Hangs {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (gate, wait) = channel();
    let Started { print, .. } = start(NEVER, Hangs(wait));
    let message = "was not printed before the deadline; does anybody read what is printed?";
    assert_eq!(print.flush(Instant::now() + Duration::from_millis(10)).unwrap_err(), message);
    assert_eq!(print.shutdown(Instant::now() + Duration::from_millis(10)).unwrap_err(), message);
    drop(gate);
}
