//! Which events a client asks for.

use std::sync::Arc;

use serde::Deserialize;

use crate::message::Event;

/// The most that is sent of what was kept.
const MOST: i64 = 500;

/// All conditions hold; none is every event.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Filter {
    pub(crate) ids: Option<Vec<String>>,
    pub(crate) kinds: Option<Vec<u32>>,
    /// A part of the content.
    pub(crate) search: Option<String>,
    pub(crate) limit: Option<i64>,
    /// The channels that who asks may read, whatever he says.
    #[serde(skip)]
    pub(crate) channels: Arc<[String]>,
}

impl Filter {
    pub(crate) fn takes(&self, event: &Event) -> bool {
        self.ids.as_ref().is_none_or(|ids| ids.contains(&event.id))
            && self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&event.kind))
            && self.search.as_ref().is_none_or(|part| event.content.contains(part.as_str()))
            && event.channel.as_ref().is_none_or(|channel| self.channels.contains(channel))
    }

    /// Whether the content of all events would have to be read to know.
    pub(crate) fn is_broad(&self) -> bool {
        self.search.is_some() && self.ids.is_none() && self.kinds.is_none()
    }

    /// How many of the kept events are asked for.
    pub(crate) fn limit(&self) -> i64 {
        self.limit.unwrap_or(MOST).clamp(0, MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_taken_if_all_conditions_hold() {
        let event = Event { id: "1".to_owned(), kind: 7, content: "a like".to_owned(), channel: None };
        let takes = |filter: &str| serde_json::from_str::<Filter>(filter).unwrap().takes(&event);
        assert!(takes("{}"));
        assert!(takes(r#"{"kinds":[1,7],"search":"like"}"#));
        assert!(!takes(r#"{"kinds":[1,7],"search":"dis"}"#));
        assert!(!takes(r#"{"ids":[]}"#));
    }

    #[test]
    fn what_somebody_may_read_is_not_for_him_to_say() {
        let channel = Some("ops".to_owned());
        let event = Event { id: "1".to_owned(), kind: 7, content: String::new(), channel };
        let mut filter: Filter = serde_json::from_str(r#"{"channels":["ops"]}"#).unwrap();
        assert!(!filter.takes(&event));
        filter.channels = ["ops".to_owned()].into();
        assert!(filter.takes(&event));
    }
}
