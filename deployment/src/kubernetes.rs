//! The objects of Kubernetes that a manifest has, with all keys that may be there: one that is misspelt is an error.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Names and values.
pub(crate) type Labels = BTreeMap<String, String>;

/// An object.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind")]
pub(crate) enum Object {
    ConfigMap(ConfigMap),
    PersistentVolumeClaim(PersistentVolumeClaim),
    Deployment(Deployment),
    Service(ServiceObject),
    ServiceMonitor(ServiceMonitor),
    PrometheusRule(PrometheusRule),
}

macro_rules! objects {
    ($($name:ident { $($key:ident: $value:ty,)* })*) => {
        $(
            #[derive(Clone, Debug, Deserialize)]
            #[serde(rename_all = "camelCase", deny_unknown_fields)]
            #[allow(dead_code, reason = "what is there is checked by being read")]
            pub(crate) struct $name { $(pub(crate) $key: $value,)* }
        )*
    };
}

objects! {
    Metadata { name: Option<String>, labels: Option<Labels>, annotations: Option<Labels>, }

    ConfigMap { api_version: String, metadata: Metadata, data: Labels, }

    PersistentVolumeClaim { api_version: String, metadata: Metadata, spec: Claim, }
    Claim { access_modes: Vec<String>, resources: ClaimResources, }
    ClaimResources { requests: Labels, }

    Deployment { api_version: String, metadata: Metadata, spec: DeploymentSpec, }
    DeploymentSpec { replicas: u32, strategy: Option<Strategy>, selector: MatchLabels, template: Template, }
    Strategy { r#type: String, }
    MatchLabels { match_labels: Labels, }
    Template { metadata: Metadata, spec: Pod, }
    Pod {
        termination_grace_period_seconds: u64,
        automount_service_account_token: bool,
        enable_service_links: bool,
        security_context: PodSecurity,
        containers: Vec<Container>,
        volumes: Option<Vec<Volume>>,
    }
    PodSecurity { run_as_non_root: bool, run_as_user: u32, fs_group: Option<u32>, seccomp_profile: Strategy, }
    Container {
        name: String,
        image: String,
        args: Option<Vec<String>>,
        env: Option<Vec<Env>>,
        ports: Vec<ContainerPort>,
        liveness_probe: Probe,
        readiness_probe: Probe,
        resources: Resources,
        security_context: Security,
        volume_mounts: Option<Vec<Mount>>,
    }
    Env { name: String, value: Option<String>, value_from: Option<From>, }
    From { secret_key_ref: Option<KeyOfSecret>, field_ref: Option<Field>, }
    KeyOfSecret { name: String, key: String, }
    Field { field_path: String, }
    ContainerPort { name: String, container_port: u16, }
    Probe { http_get: Option<HttpGet>, tcp_socket: Option<TcpSocket>, period_seconds: Option<u32>, timeout_seconds: Option<u32>, }
    HttpGet { path: String, port: String, }
    TcpSocket { port: String, }
    Resources { requests: Labels, limits: Labels, }
    Security { allow_privilege_escalation: bool, read_only_root_filesystem: bool, capabilities: Capabilities, }
    Capabilities { drop: Vec<String>, }
    Mount { name: String, mount_path: String, read_only: Option<bool>, }
    Volume {
        name: String,
        secret: Option<SecretVolume>,
        config_map: Option<Named>,
        persistent_volume_claim: Option<ClaimName>,
        empty_dir: Option<EmptyDir>,
    }
    SecretVolume { secret_name: String, items: Option<Vec<Item>>, }
    Item { key: String, path: String, }
    Named { name: String, }
    ClaimName { claim_name: String, }
    EmptyDir {}

    ServiceObject { api_version: String, metadata: Metadata, spec: ServiceSpec, }
    ServiceSpec { selector: Labels, ports: Vec<ServicePort>, }
    ServicePort { name: String, port: u16, target_port: String, }

    ServiceMonitor { api_version: String, metadata: Metadata, spec: MonitorSpec, }
    MonitorSpec { selector: MatchLabels, endpoints: Vec<Endpoint>, }
    Endpoint { port: String, path: String, interval: Option<String>, authorization: Option<Authorization>, }
    PrometheusRule { api_version: String, metadata: Metadata, spec: Groups, }
    Groups { groups: Vec<serde_json::Value>, }

    Authorization { r#type: String, credentials: KeyOfSecret, }
}

/// Reads a manifest.
///
/// # Errors
///
/// What is wrong, and where.
pub(crate) fn read(text: &str) -> Result<Vec<Object>, String> {
    serde_saphyr::from_multiple(text).map_err(|error| error.to_string())
}

impl Object {
    /// The version of its kind, and the one that is meant.
    pub(crate) fn versions(&self) -> (&str, &'static str) {
        match self {
            Object::ConfigMap(object) => (&object.api_version, "v1"),
            Object::PersistentVolumeClaim(object) => (&object.api_version, "v1"),
            Object::Deployment(object) => (&object.api_version, "apps/v1"),
            Object::Service(object) => (&object.api_version, "v1"),
            Object::ServiceMonitor(object) => (&object.api_version, "monitoring.coreos.com/v1"),
            Object::PrometheusRule(object) => (&object.api_version, "monitoring.coreos.com/v1"),
        }
    }
}

impl Metadata {
    /// Its name; empty if it has none.
    pub(crate) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }
}

/// Whether all of these labels are among those.
pub(crate) fn matches(selector: &Labels, labels: Option<&Labels>) -> bool {
    let has = |key: &str, value: &str| labels.and_then(|labels| labels.get(key)).is_some_and(|v| v == value);
    !selector.is_empty() && selector.iter().all(|(key, value)| has(key, value))
}
