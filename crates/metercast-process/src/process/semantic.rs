//! The names of the semantic conventions ("Process metrics").

use std::sync::Arc;
use std::thread::available_parallelism;

use metercast_core::{Observation, labels, metrics};

use super::reading::Reading;
use super::utilization::Since;
use crate::shared::Shared;

labels! {
    /// For whom a CPU works.
    enum CpuMode { User, System }
    /// Which way bytes go.
    enum Direction { Read, Write }
    /// Why a thread gives up its CPU.
    enum SwitchType { Voluntary, Involuntary }
    /// Whether a page has to be read from a disk.
    enum FaultType { Minor, Major }
}

metrics! {
    /// Total CPU seconds broken down by different CPU modes.
    static CPU_TIME: ObservableCounter<f64> = "process.cpu.time" { unit: "s", labels: { "cpu.mode": CpuMode } };
    /// Difference in process.cpu.time since the last measurement, divided by the elapsed time and number of CPUs available to the process.
    static CPU_UTILIZATION: ObservableGauge<f64> = "process.cpu.utilization" {
        unit: "1", labels: { "cpu.mode": CpuMode }
    };
    /// The amount of physical memory in use.
    static MEMORY_USAGE: ObservableUpDownCounter<i64> = "process.memory.usage" { unit: "By" };
    /// The amount of committed virtual memory.
    static MEMORY_VIRTUAL: ObservableUpDownCounter<i64> = "process.memory.virtual" { unit: "By" };
    /// Disk bytes transferred.
    static DISK_IO: ObservableCounter<u64> = "process.disk.io" {
        unit: "By", labels: { "disk.io.direction": Direction }
    };
    /// Process threads count.
    static THREADS: ObservableUpDownCounter<i64> = "process.thread.count" { unit: "{thread}" };
    /// Number of unix file descriptors in use by the process.
    static OPEN_FILES: ObservableUpDownCounter<i64> = "process.unix.file_descriptor.count" { unit: "{file_descriptor}" };
    /// Number of times the process has been context switched.
    static CONTEXT_SWITCHES: ObservableCounter<u64> = "process.context_switches" {
        unit: "{context_switch}", labels: { "process.context_switch.type": SwitchType }
    };
    /// Number of page faults the process has made.
    static PAGING_FAULTS: ObservableCounter<u64> = "process.paging.faults" {
        unit: "{fault}", labels: { "system.paging.fault.type": FaultType }
    };
    /// The time the process has been running.
    static UPTIME: ObservableGauge<f64> = "process.uptime" { unit: "s" };
}

#[track_caller]
pub(super) fn observe() -> Vec<Observation> {
    let shared = Arc::new(Shared::new(Reading::now));
    let mut callbacks = 0..;
    // Each callback takes what it needs of one reading.
    let mut taking = || {
        let (shared, callback) = (Arc::clone(&shared), callbacks.next().unwrap_or(0));
        move || shared.read(callback)
    };
    let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let (time, utilization, usage) = (taking(), taking(), taking());
    let (virtual_size, disk, threads) = (taking(), taking(), taking());
    let (files, switches, faults, uptime) = (taking(), taking(), taking(), taking());
    let mut since = Since::default();
    vec![
        CPU_TIME.observe(move |total| {
            let Some(used) = time().and_then(|now| now.usage) else { return };
            total.set(used.user.as_secs_f64(), (CpuMode::User,));
            total.set(used.system.as_secs_f64(), (CpuMode::System,));
        }),
        CPU_UTILIZATION.observe(move |gauge| {
            let cpus = available_parallelism().map_or(1, usize::from);
            let Some(parts) = utilization().and_then(|now| since.utilization(&now, cpus)) else { return };
            gauge.set(parts.user, (CpuMode::User,));
            gauge.set(parts.system, (CpuMode::System,));
        }),
        MEMORY_USAGE.observe(move |total| {
            if let Some(memory) = usage().and_then(|now| now.memory) {
                total.set(signed(memory.resident));
            }
        }),
        MEMORY_VIRTUAL.observe(move |total| {
            if let Some(memory) = virtual_size().and_then(|now| now.memory) {
                total.set(signed(memory.virtual_size));
            }
        }),
        DISK_IO.observe(move |total| {
            let Some(bytes) = disk().and_then(|now| now.disk) else { return };
            total.set(bytes.read, (Direction::Read,));
            total.set(bytes.written, (Direction::Write,));
        }),
        THREADS.observe(move |total| {
            if let Some(memory) = threads().and_then(|now| now.memory) {
                total.set(signed(memory.threads));
            }
        }),
        OPEN_FILES.observe(move |total| {
            if let Some(files) = files().and_then(|now| now.open_files) {
                total.set(signed(files));
            }
        }),
        CONTEXT_SWITCHES.observe(move |total| {
            let Some(used) = switches().and_then(|now| now.usage) else { return };
            total.set(used.voluntary_switches, (SwitchType::Voluntary,));
            total.set(used.involuntary_switches, (SwitchType::Involuntary,));
        }),
        PAGING_FAULTS.observe(move |total| {
            let Some(used) = faults().and_then(|now| now.usage) else { return };
            total.set(used.minor_faults, (FaultType::Minor,));
            total.set(used.major_faults, (FaultType::Major,));
        }),
        UPTIME.observe(move |gauge| {
            if let Some(uptime) = uptime().and_then(|now| now.uptime) {
                gauge.set(uptime.as_secs_f64());
            }
        }),
    ]
}
