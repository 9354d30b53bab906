//! `OTEL_TRACES_*`, `OTEL_BSP_*` and the limits of spans.

use super::{Variables, fallback};
use crate::config::error::{Checked, Findings};
use crate::config::place::{Given, Place};
use crate::config::signal::Signal;
use crate::config::suggest::one_of;
use crate::config::traces::{BATCH, LIMIT, LimitsLayer, QUEUE, Strategy, TracesLayer, check_size, ratio};

impl Variables {
    /// What the variables say of traces, given what the sources below said.
    pub(in crate::config) fn traces(&self, below: &TracesLayer, findings: &mut Findings) -> TracesLayer {
        let sampler =
            self.word(self.named("OTEL_TRACES_SAMPLER"), &Strategy::NAMES, Strategy::named, findings);
        let of_all = self.limit("OTEL_ATTRIBUTE_COUNT_LIMIT", findings);
        let value_length = self.value_length(findings);
        let mut limit = |name| self.limit(name, findings);
        let attributes = limit("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT");
        let event_attributes = limit("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT");
        let link_attributes = limit("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT");
        let limits = LimitsLayer {
            attributes: attributes.or_else(|| of_all.clone()),
            events: limit("OTEL_SPAN_EVENT_COUNT_LIMIT"),
            links: limit("OTEL_SPAN_LINK_COUNT_LIMIT"),
            event_attributes: event_attributes.or_else(|| of_all.clone()),
            link_attributes: link_attributes.or(of_all),
            value_length,
        };
        let queue = below.max_queue_size.as_ref();
        let batch = below.max_batch_size.as_ref();
        TracesLayer {
            enabled: self.traces_exporter(findings),
            otlp: self.otlp(Signal::Traces, &below.otlp, findings),
            sampler_arg: self.sampler_arg(sampler.as_ref().or(below.sampler.as_ref()), findings),
            sampler,
            filter: None,
            max_queue_size: self.size("OTEL_BSP_MAX_QUEUE_SIZE", queue, QUEUE, findings),
            max_batch_size: self.size("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", batch, BATCH, findings),
            limits,
        }
    }

    /// Whether there are traces, if `OTEL_TRACES_EXPORTER` says so.
    fn traces_exporter(&self, findings: &mut Findings) -> Option<Given<bool>> {
        const NAME: &str = "OTEL_TRACES_EXPORTER";
        let place = Place::variable(NAME);
        let mut enabled = None;
        for word in self.get(NAME)?.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match word.to_ascii_lowercase().as_str() {
                "otlp" => enabled = Some(true),
                "none" => enabled = enabled.or(Some(false)),
                _ => {
                    let known = one_of(&["otlp", "none"]);
                    findings.warn(&place, format_args!("{word:?} is not {known}; it is ignored"));
                }
            }
        }
        enabled.map(|value| Given { value, place })
    }

    /// The ratio, which only some samplers have.
    fn sampler_arg(&self, sampler: Option<&Given<Strategy>>, findings: &mut Findings) -> Option<Given<f64>> {
        const NAME: &str = "OTEL_TRACES_SAMPLER_ARG";
        let text = self.get(NAME)?;
        let place = Place::variable(NAME);
        // Whoever is silent on the sampler says what a sampler is to have that somebody else names.
        if sampler.is_none_or(|sampler| !sampler.value.takes_ratio()) {
            findings.warn(&place, "has no effect: the sampler takes none");
            return None;
        }
        match text.parse().map_err(|_| ()).and_then(|number| ratio(number).map_err(drop)) {
            Ok(value) => Some(Given { value, place }),
            Err(()) => {
                findings.warn(&place, format_args!("{text:?} is not a number from 0 to 1; it is ignored"));
                None
            }
        }
    }

    fn size(
        &self,
        name: &str,
        below: Option<&Given<usize>>,
        default: usize,
        findings: &mut Findings,
    ) -> Option<Given<usize>> {
        let instead = fallback(below.is_none(), below.map_or(default, |below| below.value));
        self.number(
            name,
            &instead,
            |number| usize::try_from(number).map_err(|_| String::new()).and_then(check_size),
            findings,
        )
    }

    fn limit(&self, name: &str, findings: &mut Findings) -> Option<Given<u32>> {
        self.number(name, &fallback(true, LIMIT), narrow, findings)
    }

    /// How long a text may be, which has no limit unless it is said.
    fn value_length(&self, findings: &mut Findings) -> Option<Given<u32>> {
        ["OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"]
            .into_iter()
            .find_map(|name| self.number(name, &fallback(true, "no limit"), narrow, findings))
    }

    /// A whole number that passes the check; another is warned of.
    fn number<T>(
        &self,
        name: &str,
        instead: &str,
        check: impl FnOnce(u64) -> Checked<T>,
        findings: &mut Findings,
    ) -> Option<Given<T>> {
        let text = self.get(name)?;
        let place = Place::variable(name);
        let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        match number.map(check) {
            Some(Ok(value)) => Some(Given { value, place }),
            _ => {
                findings
                    .warn(&place, format_args!("{text:?} is not a number that it can be; using {instead}"));
                None
            }
        }
    }
}

fn narrow(number: u64) -> Checked<u32> {
    u32::try_from(number).map_err(|_| String::new())
}
