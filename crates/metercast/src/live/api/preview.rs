//! `/live/api/exporters/{name}/preview`: what an exporter lets out, to the last attribute.

use super::metrics::visibility;
use super::{OVER, put_texts};
use crate::export::stdout::json::kind;
use crate::live::Live;
use crate::live::json::Json;
use crate::view::Audit;

/// The document, or that there is no such exporter.
pub(super) fn document(live: &Live, name: &str) -> Result<Vec<u8>, String> {
    let facts = (live.0.facts)().ok_or(OVER)?;
    let exporter = facts.exporters.iter().find(|exporter| exporter.name == name);
    let audit = Audit::of_exporter(&facts.config, name, live.store());
    let (Some(exporter), Some(audit)) = (exporter, audit) else {
        let names: Vec<_> = facts.exporters.iter().map(|exporter| exporter.name.as_str()).collect();
        return Err(format!("there is no exporter {name:?}; there are: {}\n", names.join(", ")));
    };
    Ok(Json::document(|json| {
        json.key("name").text(name);
        json.key("type").text(exporter.kind);
        json.key("target").text(&exporter.target);
        json.key("private").truth(exporter.is_private);
        json.key("metrics").list(|json| {
            for metric in &audit.metrics {
                json.object(|json| {
                    json.key("declared").text(&metric.declared);
                    json.key("name").text(&metric.name);
                    json.key("kind").text(kind(metric.kind));
                    json.key("unit").text(&metric.unit);
                    json.key("visibility").text(visibility(metric.visibility));
                    json.key("description").text(&metric.description);
                    json.key("attributes").texts(&metric.attributes);
                    json.key("exemplar_attributes").texts(&metric.exemplar_attributes);
                });
            }
        });
        put_texts(json.key("resource"), audit.resource.iter().map(|(key, value)| (&**key, value.clone())));
    }))
}
