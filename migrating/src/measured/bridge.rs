//! Groups of `measured` as producers of a store: an encoding whose output is points.

// region: bridge
use std::convert::Infallible;
use std::io::Write;
use std::sync::atomic::Ordering::Relaxed;

use measured::MetricGroup;
use measured::label::{LabelGroup, LabelGroupVisitor, LabelName, LabelValue, LabelVisitor};
use measured::metric::MetricEncoding;
use measured::metric::counter::CounterState;
use measured::metric::gauge::{FloatGaugeState, GaugeState};
use measured::metric::group::Encoding;
use measured::metric::histogram::{HistogramState, Thresholds};
use measured::metric::name::MetricNameEncoder;
use metercast::{LabelRef, Observation, Produced, ProducedSeries, Producer, PrometheusType, Store, Value};

/// Lets the current store read a group, until the handle is dropped.
#[track_caller]
pub(crate) fn group(group: impl for<'p, 's> MetricGroup<Points<'p, 's>> + Send + 'static) -> Observation {
    Store::current().produce("a group of measured", move |producer| {
        let _ = group.collect_group_into(&mut Points { producer, help: String::new() });
    })
}

pub(crate) struct Points<'p, 's> {
    producer: &'p mut Producer<'s>,
    /// Of the family that is being said.
    help: String,
}

impl Encoding for Points<'_, '_> {
    type Err = Infallible;
    const MIME_TYPE: &'static str = "";

    fn write_help(&mut self, _: impl MetricNameEncoder, help: &str) -> Result<(), Infallible> {
        self.help = help.trim().to_owned();
        Ok(())
    }
}

impl Points<'_, '_> {
    fn say(
        &mut self,
        of: PrometheusType,
        name: impl MetricNameEncoder,
        labels: impl LabelGroup,
        say: impl FnOnce(ProducedSeries<'_>),
    ) -> Result<(), Infallible> {
        let name = text(|to| name.encode_utf8(to));
        let mut found = Labels(Vec::new());
        labels.visit_values(&mut found);
        let labels: Vec<LabelRef<'_>> =
            found.0.iter().map(|(key, value)| (key.as_str(), value.into())).collect();
        let produced = Produced::prometheus(&name, of).description(&self.help).scope("measured", "");
        say(self.producer.family(&produced).series(&labels));
        Ok(())
    }
}

fn text(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> String {
    let mut bytes = Vec::new();
    let _ = write(&mut bytes).and_then(|()| bytes.flush());
    String::from_utf8_lossy(&bytes).into_owned()
}

struct Labels(Vec<(String, Value)>);

impl LabelGroupVisitor for Labels {
    type Output = ();

    fn write_value(&mut self, name: &LabelName, value: &impl LabelValue) {
        self.0.push((name.as_str().to_owned(), value.visit(AsValue)));
    }
}

struct AsValue;

impl LabelVisitor for AsValue {
    type Output = Value;

    fn write_int(self, value: i64) -> Value {
        value.into()
    }

    fn write_float(self, value: f64) -> Value {
        value.into()
    }

    fn write_str(self, value: &str) -> Value {
        value.to_owned().into()
    }
}

/// What each kind of metric says of itself.
macro_rules! say {
    ($state:ident $(<$n:ident>)?, $metadata:ty, $of:ident, $say:expr) => {
        impl $(<const $n: usize>)? MetricEncoding<Points<'_, '_>> for $state $(<$n>)? {
            fn write_type(_: impl MetricNameEncoder, _: &mut Points<'_, '_>) -> Result<(), Infallible> {
                Ok(())
            }

            fn collect_into(
                &self,
                metadata: &$metadata,
                labels: impl LabelGroup,
                name: impl MetricNameEncoder,
                to: &mut Points<'_, '_>,
            ) -> Result<(), Infallible> {
                let say: fn(&Self, &$metadata, ProducedSeries<'_>) = $say;
                to.say(PrometheusType::$of, name, labels, |series| say(self, metadata, series))
            }
        }
    };
}

say!(CounterState, (), Counter, |state, _, series| series.set(state.count.load(Relaxed) as f64));
say!(GaugeState, (), Gauge, |state, _, series| series.set(state.count.load(Relaxed) as f64));
say!(FloatGaugeState, (), Gauge, |state, _, series| series.set(state.count.get()));
say!(HistogramState<N>, Thresholds<N>, Histogram, |state, thresholds, series| {
    let inner = state.inner.write(); // nobody observes meanwhile
    let buckets = inner.buckets.iter().chain([&inner.inf]);
    let counts: Vec<u64> = buckets.map(|bucket| bucket.load(Relaxed)).collect();
    series.histogram(thresholds.get(), &counts, inner.sum.get());
});
// endregion
