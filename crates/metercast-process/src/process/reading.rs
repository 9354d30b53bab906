//! What the system says of the process at one moment.

use std::time::Duration;

/// One moment of the process. What the system does not say is not there.
#[derive(Debug, Clone, Default)]
pub(super) struct Reading {
    pub(super) usage: Option<Usage>,
    pub(super) memory: Option<Memory>,
    pub(super) disk: Option<Disk>,
    /// Those of the reading itself are not counted.
    pub(super) open_files: Option<u64>,
    pub(super) limits: Option<Limits>,
    pub(super) network: Option<Network>,
    /// Since the process began.
    pub(super) uptime: Option<Duration>,
    /// When it began, since 1970.
    pub(super) started: Option<Duration>,
}

/// What all its threads have used, also those that have ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    pub(super) user: Duration,
    pub(super) system: Duration,
    pub(super) minor_faults: u64,
    pub(super) major_faults: u64,
    pub(super) voluntary_switches: u64,
    pub(super) involuntary_switches: u64,
}

/// Bytes of memory, and threads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Memory {
    pub(super) resident: u64,
    pub(super) virtual_size: u64,
    pub(super) threads: u64,
}

/// Bytes that went to and came from disks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Disk {
    pub(super) read: u64,
    pub(super) written: u64,
}

/// The soft limits of the process; `u64::MAX` is none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) open_files: u64,
    pub(super) virtual_size: u64,
}

/// Bytes of all in the network namespace of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network {
    pub(super) received: u64,
    pub(super) sent: u64,
}

impl Reading {
    /// The process as it is.
    pub(super) fn now() -> Option<Reading> {
        #[cfg(target_os = "linux")]
        return Some(super::linux::read());
        #[cfg(not(target_os = "linux"))]
        None
    }
}
