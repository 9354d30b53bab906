//! What is said of this process, against what the system says to others who ask.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::sync::{Mutex, PoisonError};

use metercast::snapshot::{Point, Series};
use metercast::{InMemoryReader, Log, PrometheusPage, Snapshot, Store};
use metercast_process::{ProcessNames, process};

fn observed(names: ProcessNames) -> (Store, InMemoryReader) {
    let store = Store::new();
    store.scope(|| process(names)).forever();
    (store.clone(), InMemoryReader::new(store))
}

/// The values of a metric, by their labels.
fn values(snapshot: &Snapshot, name: &str) -> BTreeMap<String, f64> {
    let family = snapshot.family(name).unwrap_or_else(|| panic!("{name} is missing"));
    let value = |series: &Series| match series.point {
        Point::F64(value) => value,
        Point::I64(value) => value as f64,
        Point::U64(value) => value as f64,
        ref other => panic!("{other:?}"),
    };
    family.series.iter().map(|series| (series.labels.to_string(), value(series))).collect()
}

fn value(snapshot: &Snapshot, name: &str) -> f64 {
    let values = values(snapshot, name);
    assert_eq!(values.keys().collect::<Vec<_>>(), [""], "{name}");
    values[""]
}

/// A line of `/proc/self/status`, in its own unit.
fn status(key: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':')).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// Held by each test: what the process has is looked at, which other tests of it would change.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn the_semantic_names_say_what_the_system_says() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (_, reader) = observed(ProcessNames::Semantic);
    let before = reader.collect();
    // Something to be seen: memory that is written, time that is used, files that are open.
    let memory = vec![1_u8; 64 << 20];
    let files: Vec<File> = (0..17).map(|_| File::open("/proc/self/status").unwrap()).collect();
    let bytes = fs::read("/proc/self/exe").unwrap();
    let began = std::time::Instant::now();
    let mut sum = 0_u64;
    while began.elapsed().as_millis() < 50 {
        sum = bytes
            .iter()
            .take(4_096)
            .fold(sum, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    }
    assert_ne!(std::hint::black_box(sum), 1);
    let after = reader.collect();

    let near = |name: &str, expected: f64, by: f64| {
        let value = value(&after, name);
        assert!((value - expected).abs() <= by, "{name}: {value}, expected about {expected}");
    };
    near("process.memory.usage", status("VmRSS") * 1024.0, 16e6);
    near("process.memory.virtual", status("VmSize") * 1024.0, 16e6);
    // The harness has threads of its own.
    near("process.thread.count", status("Threads"), 4.0);
    let grown = value(&after, "process.memory.usage") - value(&before, "process.memory.usage");
    assert!(grown > 32e6, "{grown}");

    let files_of = |snapshot| value(snapshot, "process.unix.file_descriptor.count");
    let grown = files_of(&after) - files_of(&before);
    assert!((17.0..21.0).contains(&grown), "{grown} more are open");
    drop((files, memory));

    for (name, key, values_of) in [
        ("process.cpu.time", "cpu.mode", ["system", "user"]),
        ("process.cpu.utilization", "cpu.mode", ["system", "user"]),
        ("process.disk.io", "disk.io.direction", ["read", "write"]),
        ("process.context_switches", "process.context_switch.type", ["involuntary", "voluntary"]),
        ("process.paging.faults", "system.paging.fault.type", ["major", "minor"]),
    ] {
        let keys: Vec<_> = values(&after, name).into_keys().collect();
        assert_eq!(keys, values_of.map(|value| format!("{{{key}={value:?}}}")), "{name}");
    }
    let used = |snapshot| values(snapshot, "process.cpu.time").into_values().sum::<f64>();
    assert!(used(&after) - used(&before) > 0.01, "{} {}", used(&before), used(&after));
    let parts: f64 = values(&after, "process.cpu.utilization").into_values().sum();
    assert!((0.0..=1.1).contains(&parts), "{parts}");
    let uptime = value(&after, "process.uptime");
    assert!(uptime >= began.elapsed().as_secs_f64() - 0.02 && uptime < 3600.0, "{uptime}");
    assert!(values(&after, "process.paging.faults")["{system.paging.fault.type=\"minor\"}"] > 8_000.0);
    assert_eq!(
        after.families.iter().filter(|family| family.definition.name().contains("process_")).count(),
        0
    );
}

#[test]
fn prometheus_names_are_those_of_its_clients_whatever_the_page_is_told() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (store, _) = observed(ProcessNames::Prometheus);
    let expected = metrics_process::collector::collect();
    let strange = metercast::PageOptions::new().namespace("shop").unit_suffix(false).total_suffix(false);
    for options in [metercast::PageOptions::new(), strange] {
        let page = PrometheusPage::with("p", options, &[], Log::default()).render(&store);
        let types: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
        assert_eq!(
            types,
            [
                "process_cpu_seconds_total counter",
                "process_max_fds gauge",
                "process_network_receive_bytes_total counter",
                "process_network_transmit_bytes_total counter",
                "process_open_fds gauge",
                "process_resident_memory_bytes gauge",
                "process_start_time_seconds gauge",
                "process_threads gauge",
                "process_virtual_memory_bytes gauge",
                "process_virtual_memory_max_bytes gauge",
            ]
        );
        let value = |name: &str| -> f64 {
            let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.unwrap_or_else(|| panic!("{name} is missing")).parse().unwrap()
        };
        let near = |name: &str, expected: f64, by: f64| {
            let value = value(name);
            assert!((value - expected).abs() <= by, "{name}: {value}, expected about {expected}");
        };
        // Judged by what another crate measures.
        near("process_cpu_seconds_total", expected.cpu_seconds_total.unwrap(), 1.0);
        near("process_max_fds", expected.max_fds.unwrap() as f64, 0.0);
        near("process_open_fds", expected.open_fds.unwrap() as f64, 30.0);
        near("process_resident_memory_bytes", expected.resident_memory_bytes.unwrap() as f64, 160e6);
        near("process_virtual_memory_bytes", expected.virtual_memory_bytes.unwrap() as f64, 400e6);
        // Where there is no limit that crate says 0, and Prometheus' client for Go the largest number.
        let limit = expected.virtual_memory_max_bytes.filter(|limit| *limit > 0).unwrap_or(u64::MAX);
        near("process_virtual_memory_max_bytes", limit as f64, 0.0);
        near("process_start_time_seconds", expected.start_time_seconds.unwrap() as f64, 1.0);
        near("process_threads", expected.threads.unwrap() as f64, 8.0);
    }
}

#[test]
fn an_observation_that_is_dropped_leaves_nothing() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let store = Store::new();
    let observed = store.scope(metercast_process::observe);
    assert!(!store.collect().is_empty());
    drop(observed);
    assert!(store.collect().is_empty());
}
