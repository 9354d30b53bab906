//! The OpenTelemetry API, with metercast's provider and with that of the SDK.

use super::Half;
use crate::groups::record::Case;
use crate::subjects::{Floor, MetercastOpentelemetry, Otel, What};

pub(super) const HALF: Half = Half {
    sets: &[
        &sets(
            "otel/counter/none",
            "otel/counter/none/exporters2",
            "otel/counter/none/exporters3",
            What::Counter,
        ),
        &sets(
            "otel/counter/typed3",
            "otel/counter/typed3/exporters2",
            "otel/counter/typed3/exporters3",
            What::CounterTyped,
        ),
        &sets(
            "otel/counter/dynamic3",
            "otel/counter/dynamic3/exporters2",
            "otel/counter/dynamic3/exporters3",
            What::CounterDynamic,
        ),
        &sets(
            "otel/counter/bound",
            "otel/counter/bound/exporters2",
            "otel/counter/bound/exporters3",
            What::CounterBound,
        ),
        &sets(
            "otel/histogram/dynamic3",
            "otel/histogram/dynamic3/exporters2",
            "otel/histogram/dynamic3/exporters3",
            What::HistogramDynamic,
        ),
    ],
    subjects: &[
        &Floor,
        &MetercastOpentelemetry,
        &Otel { name: "otel", readers: 1 },
        &Otel { name: "otel-2readers", readers: 2 },
        &Otel { name: "otel-3readers", readers: 3 },
    ],
};

/// One recording with one, two and three exporters: to metercast that makes no difference.
const fn sets(one: &'static str, two: &'static str, three: &'static str, what: What) -> [Case; 3] {
    [
        Case { name: one, what, threads: 1, exporters: 1 },
        Case { name: two, what, threads: 1, exporters: 2 },
        Case { name: three, what, threads: 1, exporters: 3 },
    ]
}
