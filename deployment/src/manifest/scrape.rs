//! Whether Prometheus and the Datadog Agent find the page of every pod, at the same place.

use serde::Deserialize;

use crate::kubernetes::{Container, Deployment, matches};
use crate::manifest::Manifest;
use crate::service::Service;
use crate::sources::Sources;

/// The annotation's value.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Checks {
    openmetrics: Check,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Check {
    // Always empty.
    #[serde(rename = "init_config")]
    _init_config: std::collections::BTreeMap<String, String>,
    instances: Vec<Instance>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Instance {
    openmetrics_endpoint: String,
    namespace: String,
    metrics: Vec<String>,
    #[serde(default)]
    headers: std::collections::BTreeMap<String, String>,
}

/// The metrics that the annotation of a Deployment asks for.
pub(crate) fn datadog(deployment: &Deployment) -> Vec<String> {
    let annotations = deployment.spec.template.metadata.annotations.iter().flatten();
    let checks = annotations.filter_map(|(_, text)| serde_json::from_str::<Checks>(text).ok());
    checks.flat_map(|checks| checks.openmetrics.instances).flat_map(|instance| instance.metrics).collect()
}

pub(super) fn troubles(service: Service, manifest: &Manifest, sources: &Sources) -> Vec<String> {
    let mut troubles = Vec::new();
    for deployment in &manifest.deployments {
        let said = of_deployment(service, deployment, manifest, sources);
        let name = deployment.metadata.name();
        troubles.extend(said.into_iter().map(|trouble| format!("Deployment {name}: {trouble}")));
    }
    for monitor in &manifest.monitors {
        let name = monitor.metadata.name();
        let found = manifest
            .services
            .iter()
            .filter(|found| matches(&monitor.spec.selector.match_labels, found.metadata.labels.as_ref()));
        let found: Vec<_> = found.collect();
        if found.len() != 1 {
            troubles.push(format!(
                "ServiceMonitor {name}: the selector matches {} Services, not one",
                found.len()
            ));
        }
        for endpoint in &monitor.spec.endpoints {
            let has_port = |port: &str| found.iter().any(|s| s.spec.ports.iter().any(|p| p.name == port));
            if !has_port(&endpoint.port) {
                troubles.push(format!("ServiceMonitor {name}: no Service has a port {}", endpoint.port));
            }
            if !sources.has_path(&endpoint.path) {
                troubles.push(format!("ServiceMonitor {name}: there is nothing at {}", endpoint.path));
            }
        }
    }
    troubles
}

/// Each container has one endpoint of a monitor, and one annotation, which lead to the same page.
fn of_deployment(
    service: Service,
    deployment: &Deployment,
    manifest: &Manifest,
    sources: &Sources,
) -> Vec<String> {
    let template = &deployment.spec.template;
    let annotations = template.metadata.annotations.iter().flatten();
    let annotations: Vec<_> = annotations.filter(|(key, _)| key.starts_with("ad.datadoghq.com/")).collect();
    let pages = pages(deployment, manifest);
    let expected = if service.is_scraped { template.spec.containers.len() } else { 0 };
    if (annotations.len(), pages.len()) != (expected, expected) {
        return vec![format!(
            "{} annotations and {} endpoints of monitors, not {expected}",
            annotations.len(),
            pages.len()
        )];
    }
    let mut troubles = Vec::new();
    for (container, (port, path)) in template.spec.containers.iter().zip(pages) {
        let key = format!("ad.datadoghq.com/{}.checks", container.name);
        match annotations.iter().find(|(found, _)| **found == key) {
            None => troubles.push(format!("annotations: there is no {key}")),
            Some((_, text)) => {
                let said = of_annotation(text, container, &port, &path);
                troubles.extend(said.map(|trouble| format!("annotation {key}: {trouble}")));
            }
        }
        if !sources.has_path(&path) {
            troubles.push(format!("there is nothing at {path}"));
        }
    }
    troubles
}

/// The ports and paths at which monitors find what stands behind the Services of a Deployment.
fn pages(deployment: &Deployment, manifest: &Manifest) -> Vec<(String, String)> {
    let labels = deployment.spec.template.metadata.labels.as_ref();
    let behind = manifest.services.iter().filter(|service| matches(&service.spec.selector, labels));
    let mut pages = Vec::new();
    for service in behind {
        for monitor in &manifest.monitors {
            if matches(&monitor.spec.selector.match_labels, service.metadata.labels.as_ref()) {
                let endpoints = monitor.spec.endpoints.iter();
                pages.extend(endpoints.map(|endpoint| (endpoint.port.clone(), endpoint.path.clone())));
            }
        }
    }
    pages
}

fn of_annotation(text: &str, container: &Container, port: &str, path: &str) -> Option<String> {
    let checks: Checks = match serde_json::from_str(text) {
        Ok(checks) => checks,
        Err(error) => return Some(error.to_string()),
    };
    let [instance] = &checks.openmetrics.instances[..] else {
        return Some("one instance of the check for one page".to_owned());
    };
    let number = container.ports.iter().find(|named| named.name == port).map(|named| named.container_port)?;
    let expected = format!("http://%%host%%:{number}{path}");
    if instance.openmetrics_endpoint != expected {
        return Some(format!("openmetrics_endpoint: {} is not {expected}", instance.openmetrics_endpoint));
    }
    if instance.namespace.is_empty() || instance.metrics.is_empty() {
        return Some("namespace and metrics: what does it take?".to_owned());
    }
    let open = instance.headers.values().any(|value| !(value.starts_with("ENC[") && value.ends_with(']')));
    open.then(|| "headers: a secret stands in the manifest; refer to it by ENC[...]".to_owned())
}
