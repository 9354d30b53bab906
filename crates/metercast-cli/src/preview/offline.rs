//! What an exporter of a configuration would let out of a program that does not run: of the metrics in the program's file.

use std::path::Path;

use metercast_tower::catalogue::{Catalogue, Metric};
use metercast_tower::config::{Config, ExporterConfig};
use metercast_tower::view::Audit;
use metercast_tower::{Instrument, Kind, NumberType, Store, ValueRef, Visibility};
use serde_json::{Map, Value, json};

/// The same as a running program tells.
///
/// # Errors
///
/// What is wrong with the configuration or the file; that there is no such exporter, and which there are.
pub(super) fn tell(exporter: &str, config: &Path, binary: &Path) -> Result<Value, String> {
    let config = Config::builder().file(config).build().map_err(|error| error.to_string())?;
    let catalogue = Catalogue::of_file(binary).map_err(|error| error.to_string())?;
    let store = Store::new();
    for metric in catalogue.metrics() {
        record(&store, metric)?;
    }
    let (Some(settings), Some(audit)) =
        (config.exporter(exporter), Audit::of_exporter(&config, exporter, &store))
    else {
        let names: Vec<_> = config.exporters().map(|(name, _)| name).collect();
        return Err(format!("there is no exporter {exporter:?}; there are: {}", names.join(", ")));
    };
    let metrics: Vec<Value> = audit
        .metrics
        .iter()
        .map(|metric| {
            json!({
                "declared": metric.declared,
                "name": metric.name,
                "kind": metric.kind.to_string().replace(' ', "_"),
                "unit": metric.unit,
                "visibility": if metric.visibility == Visibility::Private { "private" } else { "public" },
                "description": metric.description,
                "attributes": metric.attributes,
                "exemplar_attributes": metric.exemplar_attributes,
            })
        })
        .collect();
    let resource: Map<String, Value> =
        audit.resource.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect();
    let (kind, target) = place(settings);
    Ok(json!({
        "name": exporter,
        "type": kind,
        "target": target,
        "private": config.is_private(exporter),
        "metrics": metrics,
        "resource": resource,
    }))
}

/// The type of an exporter, and where it hands over.
fn place(exporter: &ExporterConfig) -> (&'static str, String) {
    match exporter {
        ExporterConfig::Otlp(otlp) => ("otlp", otlp.endpoint().to_string()),
        ExporterConfig::Prometheus(page) => ("prometheus", format!("{}{}", page.listen(), page.path())),
        ExporterConfig::Pushgateway(gateway) => ("pushgateway", gateway.url()),
        ExporterConfig::Stdout(_) => ("stdout", "the standard output".to_owned()),
        _ => ("custom", "where the program says".to_owned()),
    }
}

/// One series with all the labels that are declared, as there are no others.
fn record(store: &Store, metric: &Metric) -> Result<(), String> {
    let builder = Instrument::builder(metric.kind, metric.number, metric.name.clone())
        .unit(metric.unit.clone())
        .description(metric.description.clone())
        .visibility(metric.visibility);
    let instrument = builder.build().map_err(|error| error.to_string())?;
    let labels = || metric.labels.iter().map(|label| (label.key.as_str(), ValueRef::from("")));
    store.scope(|| match (metric.kind, metric.number) {
        (Kind::Counter | Kind::UpDownCounter, NumberType::F64) => instrument.add(1.0, labels()),
        (Kind::Counter, _) => instrument.add(1u64, labels()),
        (Kind::UpDownCounter, _) => instrument.add(1i64, labels()),
        (Kind::Gauge, NumberType::F64) => instrument.set(1.0, labels()),
        (Kind::Gauge, NumberType::I64) => instrument.set(1i64, labels()),
        (Kind::Gauge, _) => instrument.set(1u64, labels()),
        (_, NumberType::F64) => instrument.record(1.0, labels()),
        (_, NumberType::I64) => instrument.record(1i64, labels()),
        (_, _) => instrument.record(1u64, labels()),
    });
    Ok(())
}
