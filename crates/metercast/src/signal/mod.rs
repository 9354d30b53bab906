//! The signals that metercast listens to: SIGTERM, on which it flushes, and SIGHUP, on which it may reload.

mod hangup;
#[cfg(feature = "otlp")]
mod terminate;

pub(crate) use hangup::Hangup;
#[cfg(feature = "otlp")]
pub use terminate::Signals;

/// Whether the program handles or ignores the signal already. Linux says so in the bit masks of `/proc/self/status`;
/// where nothing says so, it is taken to, since ending a process that wants to end by itself would be worse.
fn is_handled(signal: i32) -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return true };
    ["SigCgt:", "SigIgn:"].iter().any(|mask| {
        status
            .lines()
            .find_map(|line| line.strip_prefix(mask))
            .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
            .is_none_or(|mask| mask & (1 << (signal - 1)) != 0)
    })
}

/// Ends the process as if we had never listened: by the signal, so that its parent sees that.
fn end(signal: i32) {
    let _ = signal_hook::low_level::emulate_default_handler(signal);
}
