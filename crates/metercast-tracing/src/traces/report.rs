//! What is logged of pushes that nobody waits for: the first failure, each other cause, every minute how it stands, and that it works again.

use std::time::{Duration, Instant};

use tracing::{info, warn};

/// How long the same is not said again.
const QUIET: Duration = Duration::from_secs(60);

/// What was said.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// When a failure was said last, and of what class.
    said: Option<(Instant, String)>,
    /// How many spans were lost since.
    lost: u64,
    /// When something about a success was said last.
    warned: Option<Instant>,
}

impl Report {
    pub(super) fn failed(&mut self, class: &str, says: &str, lost: u64) {
        self.lost += lost;
        let now = Instant::now();
        let is_said =
            self.said.as_ref().is_some_and(|(at, known)| known == class && now.duration_since(*at) < QUIET);
        if !is_said {
            warn!(target: "metercast", "traces: {says} ({} lost so far)", self.lost);
            self.said = Some((now, class.to_owned()));
        }
    }

    /// So many were lost of which whoever waits is told.
    pub(super) fn told(&mut self, lost: u64) {
        self.lost += lost;
    }

    /// The receiver took a message, and perhaps has something to say. Whoever waits is told what it did not take.
    pub(super) fn succeeded(&mut self, rejected: u64, says: Option<&str>, is_heard: bool) {
        if self.said.take().is_some() {
            info!(target: "metercast", "traces: the push works again; {} spans were lost", self.lost);
            self.lost = 0;
        }
        if (rejected == 0 && says.is_none()) || (rejected > 0 && is_heard) {
            return;
        }
        let now = Instant::now();
        if self.warned.is_none_or(|at| now.duration_since(at) >= QUIET) {
            let says = says.unwrap_or("without a word");
            warn!(target: "metercast", "traces: the receiver did not take {rejected} spans: {says}");
            self.warned = Some(now);
        }
    }
}
