//! What the system says of the process: read once for each reading, by the names of the semantic conventions or of Prometheus.

#[cfg(target_os = "linux")]
mod linux;
mod prometheus;
mod reading;
mod semantic;
mod utilization;

use metercast_core::Observation;

/// How the metrics of the process are called. A program has one or the other: both would say everything twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProcessNames {
    /// As the semantic conventions of OpenTelemetry call them.
    ///
    /// | metric | unit | attributes |
    /// | --- | --- | --- |
    /// | `process.cpu.time` | `s` | `cpu.mode`: `user`, `system` |
    /// | `process.cpu.utilization`, of all CPUs that it may use, 0 to 1, since the reading before (at least a second before) | `1` | `cpu.mode` |
    /// | `process.memory.usage`, `process.memory.virtual` | `By` | |
    /// | `process.disk.io` | `By` | `disk.io.direction`: `read`, `write` |
    /// | `process.thread.count` | `{thread}` | |
    /// | `process.unix.file_descriptor.count` | `{file_descriptor}` | |
    /// | `process.context_switches` | `{context_switch}` | `process.context_switch.type`: `voluntary`, `involuntary` |
    /// | `process.paging.faults` | `{fault}` | `system.paging.fault.type`: `minor`, `major` |
    /// | `process.uptime` | `s` | |
    ///
    /// Not among them is `process.network.io`: Linux does not count the bytes of a process, only those of all in its network.
    #[default]
    Semantic,
    /// As Prometheus' own clients call them, on a page with exactly these names whatever its options: `process_cpu_seconds_total`,
    /// `process_open_fds`, `process_max_fds`, `process_virtual_memory_bytes`, `process_virtual_memory_max_bytes`,
    /// `process_resident_memory_bytes`, `process_start_time_seconds`, `process_network_receive_bytes_total`,
    /// `process_network_transmit_bytes_total` (which are those of the whole network namespace, such as a container) and
    /// `process_threads`.
    Prometheus,
}

/// Observes the process in the current store, until what is returned is dropped. What the system does not let it read is left out; so is
/// everything where the system is not Linux.
///
/// ```
/// use metercast::{Log, PrometheusPage, Store};
/// use metercast_process::{ProcessNames, process};
///
/// # let store = Store::new();
/// # store.scope(|| {
/// let observed = process(ProcessNames::Prometheus);
/// let page = PrometheusPage::new("p", Log::default()).render(&Store::current());
/// # #[cfg(target_os = "linux")]
/// assert!(page.contains("# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes "));
/// # drop(observed);
/// # });
/// ```
#[track_caller]
pub fn process(names: ProcessNames) -> ProcessObservation {
    let observations = match names {
        ProcessNames::Semantic => semantic::observe(),
        ProcessNames::Prometheus => vec![prometheus::observe()],
    };
    ProcessObservation { observations }
}

/// The process, observed until this is dropped.
#[must_use = "dropping it ends the observation at once; keep it, or call `forever`"]
#[derive(Debug)]
pub struct ProcessObservation {
    observations: Vec<Observation>,
}

impl ProcessObservation {
    /// Observes it for as long as the store lives.
    pub fn forever(self) {
        self.observations.into_iter().for_each(Observation::forever);
    }
}
