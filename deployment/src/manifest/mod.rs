//! Whether a manifest agrees with itself, with the image, and with the sources of the service.

mod container;
mod image;
mod scrape;

use std::collections::BTreeSet;

pub(crate) use scrape::datadog;

use crate::kubernetes::{self, Deployment, Object, ServiceMonitor, ServiceObject, matches};
use crate::service::Service;
use crate::sources::Sources;

/// What is shipped of a service beside its program.
#[derive(Clone, Debug)]
pub struct Shipped {
    /// Whose it is.
    pub service: Service,
    /// The text of `kubernetes.yaml`.
    pub manifest: String,
    /// The text of `Dockerfile`.
    pub dockerfile: String,
}

impl Shipped {
    /// That of a service.
    ///
    /// # Panics
    ///
    /// If a file is missing.
    pub fn of(service: Service) -> Shipped {
        let (manifest, dockerfile) = (service.text("kubernetes.yaml"), service.text("Dockerfile"));
        Shipped { service, manifest, dockerfile }
    }
}

/// A manifest, by what its objects are.
#[derive(Debug, Default)]
struct Manifest {
    deployments: Vec<Deployment>,
    services: Vec<ServiceObject>,
    monitors: Vec<ServiceMonitor>,
    config_maps: Vec<kubernetes::ConfigMap>,
    claims: Vec<String>,
}

impl Manifest {
    fn of(objects: Vec<Object>) -> Manifest {
        let mut manifest = Manifest::default();
        for object in objects {
            match object {
                Object::ConfigMap(object) => manifest.config_maps.push(object),
                Object::PersistentVolumeClaim(object) => {
                    manifest.claims.push(object.metadata.name().to_owned());
                }
                Object::Deployment(object) => manifest.deployments.push(object),
                Object::Service(object) => manifest.services.push(object),
                Object::ServiceMonitor(object) => manifest.monitors.push(object),
                // Promtool judges rules.
                Object::PrometheusRule(_) => {}
            }
        }
        manifest
    }

    /// The ports of all containers.
    fn ports(&self) -> BTreeSet<u16> {
        let containers =
            self.deployments.iter().flat_map(|deployment| &deployment.spec.template.spec.containers);
        containers.flat_map(|container| &container.ports).map(|port| port.container_port).collect()
    }
}

/// What does not agree; one entry for each thing to mend.
pub fn troubles(shipped: &Shipped, sources: &Sources) -> Vec<String> {
    let objects = match kubernetes::read(&shipped.manifest) {
        Ok(objects) => objects,
        Err(error) => return vec![error],
    };
    let mut troubles = Vec::new();
    for object in &objects {
        let (version, meant) = object.versions();
        if version != meant {
            troubles.push(format!("apiVersion: {version} is not {meant}"));
        }
    }
    let manifest = Manifest::of(objects);
    if manifest.deployments.is_empty() {
        troubles.push("there is no Deployment".to_owned());
    }
    for deployment in &manifest.deployments {
        let said = of_deployment(shipped, deployment, &manifest, sources);
        let name = deployment.metadata.name();
        troubles.extend(said.into_iter().map(|trouble| format!("Deployment {name}: {trouble}")));
    }
    for service in &manifest.services {
        let said = of_service(service, &manifest);
        let name = service.metadata.name();
        troubles.extend(said.into_iter().map(|trouble| format!("Service {name}: {trouble}")));
    }
    troubles.extend(scrape::troubles(shipped.service, &manifest, sources));
    troubles.extend(image::troubles(shipped, &manifest));
    troubles
}

fn of_deployment(
    shipped: &Shipped,
    deployment: &Deployment,
    manifest: &Manifest,
    sources: &Sources,
) -> Vec<String> {
    let mut troubles = Vec::new();
    let spec = &deployment.spec;
    if !matches(&spec.selector.match_labels, spec.template.metadata.labels.as_ref()) {
        troubles.push("the selector does not match the labels of its pods".to_owned());
    }
    let pod = &spec.template.spec;
    // What is pushed last, and the last spans: five seconds each at most.
    let needed = sources.seconds_to_end() + 10;
    if pod.termination_grace_period_seconds < needed {
        troubles.push(format!(
            "terminationGracePeriodSeconds: {} is less than the {needed} s that it may take to end",
            pod.termination_grace_period_seconds
        ));
    }
    if !pod.security_context.run_as_non_root || pod.automount_service_account_token {
        troubles.push("it needs neither root nor a token of the cluster".to_owned());
    }
    // For a Service `osapi-controller` the cluster would say OSAPI_CONTROLLER_PORT=tcp://..., which the program reads otherwise.
    if pod.enable_service_links {
        troubles
            .push("enableServiceLinks: the variables of the cluster are not those of the program".to_owned());
    }
    for container in &pod.containers {
        let said = container::troubles(shipped, container, pod, manifest, sources);
        troubles.extend(said.into_iter().map(|trouble| format!("{}: {trouble}", container.name)));
    }
    troubles
}

fn of_service(service: &ServiceObject, manifest: &Manifest) -> Vec<String> {
    let mut troubles = Vec::new();
    let behind: Vec<_> = manifest
        .deployments
        .iter()
        .filter(|deployment| {
            matches(&service.spec.selector, deployment.spec.template.metadata.labels.as_ref())
        })
        .collect();
    if behind.len() != 1 {
        troubles.push(format!("the selector matches {} Deployments, not one", behind.len()));
    }
    for port in &service.spec.ports {
        for deployment in &behind {
            let containers = &deployment.spec.template.spec.containers;
            let named = containers
                .iter()
                .flat_map(|container| &container.ports)
                .find(|named| named.name == port.target_port);
            match named {
                None => troubles.push(format!("targetPort: no container has a port {}", port.target_port)),
                Some(named) if named.container_port != port.port || named.name != port.name => {
                    troubles.push(format!(
                        "port {} {} is {} {} in the container",
                        port.name, port.port, named.name, named.container_port
                    ));
                }
                Some(_) => {}
            }
        }
    }
    troubles
}
