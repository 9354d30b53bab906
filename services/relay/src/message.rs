//! What clients say, and what they are told: arrays of JSON.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::filter::Filter;

/// An event as clients send it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) kind: u32,
    #[serde(default)]
    pub(crate) content: String,
    /// Whose readers alone get it; everybody does if it is in none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) channel: Option<String>,
}

/// Who a client says he is.
#[derive(Debug, Deserialize)]
pub(crate) struct Credentials {
    pub(crate) sig: String,
    /// Nobody in particular unless it is said.
    #[serde(default)]
    pub(crate) pubkey: String,
}

/// What a client says.
#[derive(Debug)]
pub(crate) enum Said {
    Auth(Credentials),
    Event(Event),
    Req(String, Filter),
    Count(String, Filter),
    Close(String),
}

impl Said {
    /// Reads a message; the error is for the client.
    pub(crate) fn read(text: &str) -> Result<Said, String> {
        let parts: Vec<Value> = serde_json::from_str(text).map_err(|_| "not an array of JSON".to_owned())?;
        let mut parts = parts.into_iter();
        let verb = parts.next().unwrap_or_default();
        let mut next = || parts.next().unwrap_or_default();
        Ok(match verb.as_str().unwrap_or_default() {
            "AUTH" => Said::Auth(read(next())?),
            "EVENT" => Said::Event(read(next())?),
            "REQ" => Said::Req(read(next())?, read(next())?),
            "COUNT" => Said::Count(read(next())?, read(next())?),
            "CLOSE" => Said::Close(read(next())?),
            _ => return Err("neither AUTH, EVENT, REQ, COUNT nor CLOSE".to_owned()),
        })
    }
}

fn read<T: for<'de> Deserialize<'de>>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

/// The challenge that a connection begins with.
pub(crate) fn auth(challenge: &str) -> String {
    json!(["AUTH", challenge]).to_string()
}

/// What became of an event, or of saying who one is.
pub(crate) fn ok(id: &str, accepted: bool, why: &str) -> String {
    if why.is_empty() {
        json!(["OK", id, accepted]).to_string()
    } else {
        json!(["OK", id, accepted, why]).to_string()
    }
}

/// An event for a subscription.
pub(crate) fn event(subscription: &str, event: &Event) -> String {
    json!(["EVENT", subscription, event]).to_string()
}

/// All that was kept has been sent; what follows is new.
pub(crate) fn end_of_stored(subscription: &str) -> String {
    json!(["EOSE", subscription]).to_string()
}

/// How many events there are.
pub(crate) fn count(subscription: &str, count: i64) -> String {
    json!(["COUNT", subscription, { "count": count }]).to_string()
}

/// There is no such subscription any more.
pub(crate) fn closed(subscription: &str, why: &str) -> String {
    json!(["CLOSED", subscription, why]).to_string()
}

/// Something is wrong with what was said.
pub(crate) fn notice(why: &str) -> String {
    json!(["NOTICE", why]).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_message_is_refused_with_a_reason() {
        for (text, why) in [
            ("", "array"),
            ("{}", "array"),
            ("[]", "neither"),
            (r#"["LOOK"]"#, "neither"),
            (r#"["EVENT",{"id":"1"}]"#, "kind"),
            (r#"["REQ","s"]"#, "null"),
        ] {
            let error = Said::read(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn a_subscription_has_a_name_and_a_filter() {
        let said = Said::read(r#"["REQ","s1",{}]"#).unwrap();
        assert!(matches!(said, Said::Req(name, filter) if name == "s1" && filter == Filter::default()));
    }
}
