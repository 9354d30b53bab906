//! One request to a receiver, for who wants to know whether it takes any: no thread, no interval, no second attempt.

use std::io;
use std::time::{Duration, Instant, SystemTime};

use metercast_core::{Store, Value};
use tokio::runtime;

use super::error::{Cause, ExportError};
use super::message::OtlpMessage;
use super::options::OtlpEncoding;
use super::settings::Settings;
use super::transport::Transport;
use crate::config::{OtlpConfig, Signal};

/// What came of it.
pub(crate) struct Tried {
    pub(crate) result: Result<u64, Refused>,
    /// From the first byte to the last.
    pub(crate) took: Duration,
    /// By how many seconds our clock was ahead of the receiver's, if it says what time it is.
    pub(crate) ahead: Option<f64>,
}

/// Why it was not taken.
pub(crate) struct Refused {
    pub(crate) class: String,
    /// What would be in the log.
    pub(crate) says: String,
}

/// How long it may take if the exporter has no limit.
const LIMIT: Duration = Duration::from_secs(10);

/// Whoever tries waits for it, so that it never takes longer.
pub(crate) const LONGEST: Duration = Duration::from_secs(60);

/// Sends what the store has, or of traces nothing, as the exporter of these settings would; but all of it, whatever its views leave out.
pub(crate) fn try_once(
    name: &str,
    config: &OtlpConfig,
    resource: &[(String, Value)],
    store: &Store,
) -> Tried {
    let settings = Settings::of(name, config);
    let (body, points) = match settings.signal {
        Signal::Metrics => {
            let mut message = OtlpMessage::with_options(resource, settings.options);
            let requests = message.requests(store, settings.options.max_request_bytes);
            requests
                .into_iter()
                .next()
                .map_or_else(Default::default, |request| (request.body, request.points))
        }
        Signal::Traces if settings.options.encoding == OtlpEncoding::Json => (b"{}".to_vec(), 0),
        Signal::Traces => (Vec::new(), 0),
    };
    // A thread of its own, since that of the caller may be in a runtime already, which cannot have another.
    let tried = std::thread::scope(|scope| scope.spawn(|| send(&settings, body, points)).join());
    tried.unwrap_or_else(|_| Tried {
        result: Err(Refused {
            class: "panic".into(),
            says: "its thread panicked; please report this to metercast".into(),
        }),
        took: Duration::ZERO,
        ahead: None,
    })
}

fn send(settings: &Settings, body: Vec<u8>, points: u64) -> Tried {
    let started = Instant::now();
    let cannot_start = |error: io::Error| Tried {
        result: Err(Refused { class: "settings".into(), says: format!("cannot start: {error}") }),
        took: started.elapsed(),
        ahead: None,
    };
    let runtime = match runtime::Builder::new_current_thread().enable_io().enable_time().build() {
        Ok(runtime) => runtime,
        Err(error) => return cannot_start(error),
    };
    let mut transport = match Transport::new(settings) {
        Ok(transport) => transport,
        Err(error) => return cannot_start(error),
    };
    let body = transport.pack(body, settings);
    let within = settings.timeout.unwrap_or(LIMIT).min(LONGEST);
    let began = SystemTime::now();
    let answered = runtime
        .block_on(async { tokio::time::timeout(within, transport.send(body, points, settings)).await });
    let (took, ended) = (started.elapsed(), SystemTime::now());
    // The name of a host may still be looked up.
    runtime.shutdown_background();
    let refused = |cause: Cause| {
        let error = ExportError::new(&settings.url, cause);
        Refused { class: error.error_type().to_owned(), says: error.to_string() }
    };
    let result = match answered {
        Err(_) => Err(refused(Cause::Timeout { within, connected: transport.connected() })),
        Ok(Err(failure)) => Err(refused(failure.cause)),
        Ok(Ok(accepted)) if accepted.rejected > 0 => {
            let (rejected, says, mend) = (accepted.rejected, accepted.says, accepted.mend);
            Err(refused(Cause::Rejected { rejected, points, says, mend }))
        }
        Ok(Ok(accepted)) => match accepted.warning(&settings.url) {
            Some(says) => Err(Refused { class: "warning".into(), says }),
            None => Ok(points),
        },
    };
    Tried { result, took, ahead: transport.date().map(|date| ahead(date, began, ended)) }
}

/// By how many seconds this clock is ahead of one that said `date`, in whole seconds, at some moment between the two.
fn ahead(date: SystemTime, began: SystemTime, ended: SystemTime) -> f64 {
    let since = |time: SystemTime, other: SystemTime| match time.duration_since(other) {
        Ok(after) => after.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    };
    // Theirs was anything from the second on that it says, until the next.
    let (most, least) = (since(ended, date), since(began, date) - 1.0);
    if most < 0.0 { most } else { least.max(0.0) }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn clocks_differ_only_as_far_as_a_second_and_the_way_cannot_explain_it() {
        let at = |milliseconds: u64| UNIX_EPOCH + Duration::from_millis(milliseconds);
        let cases = [
            // Their 100 s began at 100 s and ended before 101 s.
            (100_000, 100_000, 100_100, 0.0),
            (100_000, 100_900, 100_999, 0.0),
            (100_000, 99_500, 102_000, 0.0),
            (100_000, 161_000, 161_500, 60.0),
            (100_000, 39_000, 40_000, -60.0),
        ];
        for (date, began, ended, expected) in cases {
            assert_eq!(ahead(at(date), at(began), at(ended)), expected, "{date} {began} {ended}");
        }
    }
}
