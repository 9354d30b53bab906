//! `/live/api/config`: every value that holds, and where it comes from. Secrets are not among what a configuration shows.

use super::OVER;
use crate::live::Live;
use crate::live::json::Json;

/// The document.
pub(super) fn document(live: &Live) -> Result<Vec<u8>, String> {
    let config = (live.0.facts)().ok_or(OVER)?.config;
    Ok(Json::document(|json| {
        json.key("settings").list(|json| {
            for setting in config.sources().settings() {
                json.object(|json| {
                    json.key("key").text(setting.key());
                    json.key("value").text(setting.value());
                    json.key("source").text(&setting.source().to_string());
                    json.key("overruled").texts(setting.overruled().iter().map(ToString::to_string));
                });
            }
        });
    }))
}
