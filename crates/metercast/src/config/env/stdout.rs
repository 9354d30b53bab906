//! The variable that shapes what is printed, what is put to a Pushgateway, and exporters of the program's own.

use super::Variables;
use crate::config::custom::{self, CustomLayer};
use crate::config::duration;
use crate::config::error::Findings;
use crate::config::pushgateway::{self, PushgatewayLayer};
use crate::config::stdout::{INTERVAL, StdoutLayer};

const NAME: &str = "OTEL_METRIC_EXPORT_INTERVAL";

impl Variables {
    pub(super) fn stdout(&self, below: &StdoutLayer, findings: &mut Findings) -> StdoutLayer {
        let interval =
            self.milliseconds(NAME, below.interval.as_ref(), INTERVAL, duration::interval, findings);
        StdoutLayer { interval, ..StdoutLayer::default() }
    }

    pub(super) fn pushgateway(&self, below: &PushgatewayLayer, findings: &mut Findings) -> PushgatewayLayer {
        let default = pushgateway::INTERVAL;
        let interval =
            self.milliseconds(NAME, below.interval.as_ref(), default, duration::interval, findings);
        PushgatewayLayer { interval, ..PushgatewayLayer::default() }
    }

    pub(super) fn custom(&self, below: &CustomLayer, findings: &mut Findings) -> CustomLayer {
        let default = custom::INTERVAL;
        let interval =
            self.milliseconds(NAME, below.interval.as_ref(), default, duration::interval, findings);
        CustomLayer { interval, ..CustomLayer::default() }
    }
}
