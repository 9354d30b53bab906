//! Texts of spans, cut off before they wait: strangers choose some of them.

use metercast::config::SpanLimits;
use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::SpanData;

/// How many characters a text may have.
pub(super) fn longest(limits: SpanLimits) -> Option<usize> {
    Some(usize::try_from(limits.value_length?).unwrap_or(usize::MAX))
}

/// Cuts off what is longer in the attributes of a span, of its events and of its links.
pub(super) fn shorten_span(span: &mut SpanData, longest: usize) {
    shorten_all(&mut span.attributes, longest);
    span.events.events.iter_mut().for_each(|event| shorten_all(&mut event.attributes, longest));
    span.links.links.iter_mut().for_each(|link| shorten_all(&mut link.attributes, longest));
}

fn shorten_all(attributes: &mut [KeyValue], longest: usize) {
    for attribute in attributes {
        match &mut attribute.value {
            Value::String(text) => shorten(text, longest),
            Value::Array(Array::String(texts)) => texts.iter_mut().for_each(|text| shorten(text, longest)),
            _ => {}
        }
    }
}

fn shorten(text: &mut StringValue, longest: usize) {
    if let Some((end, _)) = text.as_str().char_indices().nth(longest) {
        *text = text.as_str()[..end].to_owned().into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_off_at_a_character() {
        let texts = Value::Array(Array::String(vec!["ab".into(), "äöüß".into()]));
        let mut attributes =
            [KeyValue::new("text", "äöüß"), KeyValue::new("number", 12_345), KeyValue::new("texts", texts)];
        shorten_all(&mut attributes, 2);
        let short = Value::Array(Array::String(vec!["ab".into(), "äö".into()]));
        assert_eq!(attributes.map(|one| one.value), ["äö".into(), 12_345.into(), short]);
    }
}
