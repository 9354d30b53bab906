//! The names that Prometheus' own clients have, with their descriptions.

use metercast_core::{Observation, Produced, Producer, PrometheusType, Store};

use super::reading::Reading;

#[track_caller]
pub(super) fn observe() -> Observation {
    Store::current().produce("the process", |producer| {
        if let Some(reading) = Reading::now() {
            say(producer, &reading);
        }
    })
}

fn say(producer: &mut Producer<'_>, reading: &Reading) {
    use PrometheusType::{Counter, Gauge};
    let mut say = |name, of, help, value: Option<f64>| {
        if let Some(value) = value {
            let family = Produced::prometheus(name, of).description(help);
            producer.family(&family).series(&[]).set(value);
        }
    };
    let Reading { usage, memory, open_files, limits, network, started, .. } = reading;
    say(
        "process_cpu_seconds_total",
        Counter,
        "Total user and system CPU time spent in seconds.",
        usage.map(|usage| (usage.user + usage.system).as_secs_f64()),
    );
    say("process_open_fds", Gauge, "Number of open file descriptors.", open_files.map(|files| files as f64));
    let limit = limits.map(|limits| limits.open_files as f64);
    say("process_max_fds", Gauge, "Maximum number of open file descriptors.", limit);
    let bytes = memory.map(|memory| memory.virtual_size as f64);
    say("process_virtual_memory_bytes", Gauge, "Virtual memory size in bytes.", bytes);
    say(
        "process_virtual_memory_max_bytes",
        Gauge,
        "Maximum amount of virtual memory available in bytes.",
        limits.map(|limits| limits.virtual_size as f64),
    );
    let bytes = memory.map(|memory| memory.resident as f64);
    say("process_resident_memory_bytes", Gauge, "Resident memory size in bytes.", bytes);
    say(
        "process_start_time_seconds",
        Gauge,
        "Start time of the process since unix epoch in seconds.",
        started.map(|started| started.as_secs_f64()),
    );
    say(
        "process_network_receive_bytes_total",
        Counter,
        "Number of bytes received by the process over the network.",
        network.map(|network| network.received as f64),
    );
    say(
        "process_network_transmit_bytes_total",
        Counter,
        "Number of bytes sent by the process over the network.",
        network.map(|network| network.sent as f64),
    );
    let threads = memory.map(|memory| memory.threads as f64);
    say("process_threads", Gauge, "Number of OS threads in the process.", threads);
}
