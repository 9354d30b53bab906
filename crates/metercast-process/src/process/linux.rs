//! What Linux says of the process: `getrusage`, `getrlimit`, and what stands under `/proc`.

use std::fs;
use std::time::Duration;

use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage};
use nix::sys::time::TimeVal;
use nix::time::{ClockId, clock_gettime};
use procfs::process::Process;

use super::reading::{Disk, Limits, Memory, Network, Reading, Usage};

pub(super) fn read() -> Reading {
    // Before anything else is open.
    let open_files = open_files();
    let process = Process::myself().ok();
    let stat = process.as_ref().and_then(|process| process.stat().ok());
    let disk = process.as_ref().and_then(|process| process.io().ok());
    let since_boot = stat.as_ref().map(|stat| ticks(stat.starttime));
    // What the kernel counts from, too. `/proc/uptime` is that of the container, where somebody makes it so.
    let uptime = clock_gettime(ClockId::CLOCK_BOOTTIME).ok().map(Duration::from);
    Reading {
        usage: usage(),
        memory: stat.map(|stat| Memory {
            resident: stat.rss.saturating_mul(procfs::page_size()),
            virtual_size: stat.vsize,
            threads: u64::try_from(stat.num_threads).unwrap_or(0),
        }),
        disk: disk.map(|io| Disk { read: io.read_bytes, written: io.write_bytes }),
        open_files,
        limits: limits(),
        network: fs::read_to_string("/proc/self/net/netstat").ok().and_then(|text| network(&text)),
        uptime: since_boot.and_then(|began| uptime?.checked_sub(began)),
        started: since_boot.and_then(|began| {
            let boot = Duration::from_secs(procfs::boot_time_secs().ok()?);
            boot.checked_add(began)
        }),
    }
}

/// What the threads have used, to the microsecond, and of those that have ended too: `/proc` has neither.
fn usage() -> Option<Usage> {
    let used = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    let count = |count: nix::libc::c_long| u64::try_from(count).unwrap_or(0);
    Some(Usage {
        user: time(used.user_time()),
        system: time(used.system_time()),
        minor_faults: count(used.minor_page_faults()),
        major_faults: count(used.major_page_faults()),
        voluntary_switches: count(used.voluntary_context_switches()),
        involuntary_switches: count(used.involuntary_context_switches()),
    })
}

fn time(time: TimeVal) -> Duration {
    let seconds = u64::try_from(time.tv_sec()).unwrap_or(0);
    Duration::from_secs(seconds) + Duration::from_micros(u64::try_from(time.tv_usec()).unwrap_or(0))
}

/// Ticks of the clock that `/proc` goes by.
fn ticks(ticks: u64) -> Duration {
    let per_second = procfs::ticks_per_second().max(1);
    let rest = Duration::from_nanos(1_000_000_000 / per_second).saturating_mul((ticks % per_second) as u32);
    Duration::from_secs(ticks / per_second) + rest
}

fn limits() -> Option<Limits> {
    let (open_files, _) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    let (virtual_size, _) = getrlimit(Resource::RLIMIT_AS).ok()?;
    Some(Limits { open_files, virtual_size })
}

fn open_files() -> Option<u64> {
    // Since Linux 6.2 that is how many there are; before it is 0.
    let counted = fs::metadata("/proc/self/fd").ok()?.len();
    if counted > 0 {
        return Some(counted);
    }
    // One of them is what is read here.
    fs::read_dir("/proc/self/fd").ok().map(|files| (files.count() as u64).saturating_sub(1))
}

/// `InOctets` and `OutOctets` of `IpExt`: a line of names, and a line of numbers below it.
fn network(text: &str) -> Option<Network> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("IpExt:"));
    let (names, values) = (lines.next()?, lines.next()?);
    let value = |name: &str| {
        let mut pairs = names.split_whitespace().zip(values.split_whitespace());
        pairs.find(|(known, _)| *known == name)?.1.parse().ok()
    };
    Some(Network { received: value("InOctets")?, sent: value("OutOctets")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_the_network_are_found_by_their_names() {
        let text = "TcpExt: SyncookiesSent InOctets\nTcpExt: 1 2\nIpExt: InNoRoutes InOctets OutOctets InMcastOctets\n\
                    IpExt: 0 71 72 73\nMPTcpExt: InOctets\nMPTcpExt: 9\n";
        assert_eq!(network(text), Some(Network { received: 71, sent: 72 }));
        for cut in [
            "",
            "IpExt:",
            "IpExt: InOctets OutOctets\n",
            "IpExt: InOctets OutOctets\nIpExt: 1\n",
            "IpExt: InOctets OutOctets\nIpExt: a b",
        ] {
            assert_eq!(network(cut), None, "{cut}");
        }
    }

    #[test]
    fn ticks_are_parts_of_a_second() {
        let second = procfs::ticks_per_second();
        assert_eq!(ticks(second * 3 + second / 2), Duration::from_millis(3_500));
        assert_eq!(ticks(0), Duration::ZERO);
    }
}
