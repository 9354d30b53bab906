//! The `metrics` macros, with metercast's recorder and with those of metrics-exporter-prometheus.

use super::Half;
use crate::groups::record::Case;
use crate::subjects::{Floor, MetercastMetrics, MetricsReaders, What};

pub(super) const HALF: Half = Half {
    sets: &[
        &sets("metrics/counter/none", "metrics/counter/none/exporters3", What::Counter, 1),
        &sets("metrics/counter/none/2t", "metrics/counter/none/2t/exporters3", What::Counter, 2),
        &sets("metrics/counter/dynamic3", "metrics/counter/dynamic3/exporters3", What::CounterDynamic, 1),
        &sets("metrics/counter/bound", "metrics/counter/bound/exporters3", What::CounterBound, 1),
        &sets(
            "metrics/histogram/dynamic3",
            "metrics/histogram/dynamic3/exporters3",
            What::HistogramDynamic,
            1,
        ),
        &sets("metrics/histogram/bound", "metrics/histogram/bound/exporters3", What::HistogramBound, 1),
        &sets("metrics/gauge", "metrics/gauge/exporters3", What::Gauge, 1),
    ],
    subjects: &[
        &Floor,
        &MetercastMetrics,
        &MetricsReaders { name: "metrics", readers: 1 },
        &MetricsReaders { name: "metrics-3readers", readers: 3 },
    ],
};

/// One recording with one exporter and with three: to metercast that makes no difference.
const fn sets(one: &'static str, three: &'static str, what: What, threads: usize) -> [Case; 2] {
    [Case { name: one, what, threads, exporters: 1 }, Case { name: three, what, threads, exporters: 3 }]
}
