//! Headers as strangers send them: what is too long or makes no sense is as if it were not there.

use std::borrow::Cow;

use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};

use super::RemoteParent;

/// The names of all headers, as they are sent.
pub(super) const NAMES: [&str; 3] = [PARENT, STATE, BAGGAGE];
pub(super) const PARENT: &str = "traceparent";
pub(super) const STATE: &str = "tracestate";
pub(super) const BAGGAGE: &str = "baggage";

/// W3C Trace Context asks for 512 characters of it at least.
const LONGEST_STATE: usize = 2 << 10;
/// W3C Baggage, "Limits".
const LONGEST_BAGGAGE: usize = 8 << 10;
/// A version that we do not know may say more.
const LONGEST_PARENT: usize = 256;

/// What was read so far.
#[derive(Debug, Default)]
pub(super) struct Read {
    parent: Option<String>,
    /// How many there were: of two nobody knows which one is true.
    parents: usize,
    state: List<LONGEST_STATE>,
    baggage: List<LONGEST_BAGGAGE>,
}

/// A header that may come in several parts; nothing if it is too long.
#[derive(Debug, Default)]
struct List<const LONGEST: usize>(Option<String>, bool);

impl<const LONGEST: usize> List<LONGEST> {
    fn take(&mut self, part: &str) {
        let List(list, is_too_long) = self;
        *is_too_long |= list.as_ref().map_or(0, |list| list.len() + 1) + part.len() > LONGEST;
        match list {
            _ if *is_too_long => *list = None,
            Some(list) => {
                list.push(',');
                list.push_str(part);
            }
            None => *list = Some(part.to_owned()),
        }
    }
}

impl Read {
    /// Takes a header, if it is one of these.
    pub(super) fn take(&mut self, name: &str, value: &str) {
        let value = value.trim_matches([' ', '\t']);
        if name.eq_ignore_ascii_case(PARENT) {
            self.parents += 1;
            self.parent = is_parent(value).then(|| value.to_owned());
        } else if name.eq_ignore_ascii_case(STATE) {
            self.state.take(value);
        } else if name.eq_ignore_ascii_case(BAGGAGE) {
            self.baggage.take(value);
        }
    }

    pub(super) fn parent(mut self) -> RemoteParent {
        if self.parents != 1 {
            self.parent = None;
        }
        let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &self);
        RemoteParent::of(BaggagePropagator::new().extract_with_context(&context, &self))
    }
}

/// Whether it is what W3C Trace Context calls so, of its own or of a later version: the SDK's own reader takes ids that are too short.
fn is_parent(text: &str) -> bool {
    let hex = |part: &str, digits: usize| {
        part.len() == digits && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let mut parts = text.splitn(5, '-');
    let mut next = || Cow::from(parts.next().unwrap_or_default());
    let (version, trace, span, flags) = (next(), next(), next(), next());
    let is_complete = text.len() <= LONGEST_PARENT
        && hex(&version, 2)
        && hex(&trace, 32)
        && hex(&span, 16)
        && hex(&flags, 2);
    is_complete && version != "ff" && (version != "00" || parts.next().is_none())
}

impl Extractor for Read {
    fn get(&self, name: &str) -> Option<&str> {
        match name {
            PARENT => self.parent.as_deref(),
            STATE => self.state.0.as_deref(),
            BAGGAGE => self.baggage.0.as_deref(),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        NAMES.into_iter().filter(|name| self.get(name).is_some()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::extract;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_parent_is_read_in_any_case_of_its_name_and_of_later_versions() {
        for (name, value) in [
            ("traceparent", GOOD.to_owned()),
            ("TraceParent", format!(" {GOOD}\t")),
            ("TRACEPARENT", GOOD.replacen("00", "cc", 1) + "-what-will-be-said-then"),
        ] {
            let parent = extract([(name, &value)]);
            assert_eq!(parent.trace_id().as_deref(), Some("0af7651916cd43dd8448eb211c80319c"), "{value}");
            assert_eq!(parent.span_id().as_deref(), Some("b7ad6b7169203331"), "{value}");
            assert!(parent.is_sampled());
        }
        assert!(!extract([("traceparent", GOOD.replace("-01", "-00"))]).is_sampled());
    }

    #[test]
    fn garbage_is_no_parent() {
        let long = "0".repeat(1 << 20);
        for bad in [
            "",
            "-",
            "---",
            "garbage",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-1-2-01",
            "00-0af7651916cd43dd8448eb211c8031é-b7ad6b7169203331-01",
            &long,
            &format!("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-{long}"),
        ] {
            assert_eq!(extract([("traceparent", bad)]).trace_id(), None, "{bad:.80}");
        }
        assert_eq!(extract([("traceparent", GOOD), ("Traceparent", GOOD)]).trace_id(), None, "which one?");
        assert_eq!(extract([("x-traceparent", GOOD)]).trace_id(), None);
    }

    #[test]
    fn states_in_parts_belong_together_and_too_much_is_nothing() {
        let state = |parts: &[&str]| {
            let parts = parts.iter().map(|part| ("tracestate", *part));
            extract(parts.chain([("traceparent", GOOD)])).trace_state()
        };
        assert_eq!(state(&["a=1,b=2", "c=3"]).as_deref(), Some("a=1,b=2,c=3"));
        assert_eq!(state(&[]), None);
        assert_eq!(state(&["no state"]), None);
        assert_eq!(state(&["a=1", &format!("b={}", "x".repeat(4 << 10)), "c=3"]), None);
        let many: Vec<String> = (0..100).map(|n| format!("k{n}=v")).collect();
        assert!(state(&[&many.join(",")]).is_none_or(|state| state.split(',').count() <= 32));
    }

    #[test]
    fn baggage_is_read_beside_or_without_a_parent_and_bounded() {
        let baggage = |value: &str| extract([("Baggage", value)]).baggage();
        assert_eq!(
            baggage("user=a%20b;p=1,shop=7"),
            [("shop".into(), "7".into()), ("user".into(), "a b".into())]
        );
        assert_eq!(baggage(&format!("a={}", "x".repeat(9 << 10))), []);
        assert_eq!(baggage("=,,;;%%%=\u{0}"), []);
        let many: Vec<String> = (0..1_000).map(|n| format!("k{n}=v")).collect();
        assert!(baggage(&many.join(",")).len() <= 64);
    }
}
