//! The variables that shape what is printed.

use super::Variables;
use crate::config::duration;
use crate::config::error::Findings;
use crate::config::stdout::{INTERVAL, StdoutLayer};

impl Variables {
    pub(super) fn stdout(&self, below: &StdoutLayer, findings: &mut Findings) -> StdoutLayer {
        let name = "OTEL_METRIC_EXPORT_INTERVAL";
        let interval = self.milliseconds(name, below.interval, INTERVAL, duration::interval, findings);
        StdoutLayer { interval, ..StdoutLayer::default() }
    }
}
