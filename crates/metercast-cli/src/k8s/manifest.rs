//! The objects, made of the same few facts, so that they agree.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use crate::exported::Metric;

use super::page::Page;

/// The user of images without root.
const USER: u32 = 65532;

/// How much longer than its last push a program may take to end: requests that it still answers.
const REQUESTS: u64 = 20;

/// What is known of the program.
#[derive(Clone, Debug)]
pub(super) struct Known<'a> {
    pub(super) name: &'a str,
    pub(super) namespace: &'a str,
    pub(super) image: &'a str,
    pub(super) page: &'a Page,
    /// The name of the configuration in its Secret, if there is any.
    pub(super) config: Option<&'a str>,
    pub(super) ports: &'a [(String, u16)],
    pub(super) arguments: &'a [String],
    /// What the operator looks for.
    pub(super) labels: &'a [(String, String)],
    pub(super) metrics: &'a [Metric],
}

impl Known<'_> {
    /// What selects its pods and its Service.
    fn selector(&self) -> Json {
        json!({ "app.kubernetes.io/name": self.name })
    }

    fn metadata(&self) -> Json {
        json!({ "name": self.name, "labels": self.selector() })
    }

    /// All ports, that of the page last; the page may be on one of the others.
    fn ports(&self) -> Vec<(&str, u16)> {
        let mut ports: Vec<(&str, u16)> = self.ports.iter().map(|(name, port)| (&**name, *port)).collect();
        if !ports.iter().any(|(_, port)| *port == self.page.port) {
            ports.push(("metrics", self.page.port));
        }
        ports
    }

    /// The name of the port that the page is on.
    fn port(&self) -> &str {
        let found = self.ports.iter().find(|(_, port)| *port == self.page.port);
        found.map_or("metrics", |(name, _)| name)
    }

    pub(super) fn deployment(&self) -> Json {
        let mut container = json!({
            "name": self.name,
            "image": self.image,
            "ports": self.ports().iter().map(|(name, port)| json!({ "name": name, "containerPort": port })).collect::<Vec<_>>(),
            "livenessProbe": self.probe(|(alive, _)| alive),
            "readinessProbe": self.probe(|(_, ready)| ready),
            "resources": { "requests": { "cpu": "50m", "memory": "64Mi" }, "limits": { "memory": "256Mi" } },
            "securityContext": {
                "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": { "drop": ["ALL"] },
            },
        });
        let mut pod = json!({
            "terminationGracePeriodSeconds": self.page.ends_within.as_secs() + REQUESTS,
            "automountServiceAccountToken": false,
            "enableServiceLinks": false,
            "securityContext": { "runAsNonRoot": true, "runAsUser": USER, "seccompProfile": { "type": "RuntimeDefault" } },
        });
        let folder = format!("/etc/{}", self.name);
        if let Some(file) = self.config {
            container["volumeMounts"] = json!([{ "name": "config", "mountPath": folder, "readOnly": true }]);
            pod["volumes"] = json!([{
                "name": "config", "secret": { "secretName": self.name, "items": [{ "key": file, "path": file }] },
            }]);
            if !self.page.variables.is_empty() {
                let of_secret = |name: &String| json!({ "name": name, "valueFrom": { "secretKeyRef": { "name": self.name, "key": name } } });
                container["env"] = self.page.variables.iter().map(of_secret).collect();
            }
        } else {
            // Without a file the page is on the loopback interface unless something else is said.
            container["env"] = json!([{ "name": "OTEL_EXPORTER_PROMETHEUS_HOST", "value": "0.0.0.0" }]);
        }
        match self.config {
            _ if !self.arguments.is_empty() => container["args"] = self.arguments.into(),
            Some(file) => container["args"] = json!(["--config", format!("{folder}/{file}")]),
            None => {}
        }
        pod["containers"] = json!([container]);
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": self.metadata(),
            "spec": {
                "replicas": 1,
                "selector": { "matchLabels": self.selector() },
                "template": { "metadata": { "labels": self.selector(), "annotations": self.annotations() }, "spec": pod },
            },
        })
    }

    /// Asks the listener of the page, or looks whether it listens.
    fn probe(&self, path: fn(&(String, String)) -> &String) -> Json {
        match &self.page.health {
            Some(paths) => {
                json!({ "httpGet": { "path": path(paths), "port": self.port() }, "timeoutSeconds": 3 })
            }
            None => json!({ "tcpSocket": { "port": self.port() }, "timeoutSeconds": 3 }),
        }
    }

    /// By which the Datadog Agent finds the page, and what it takes of it.
    fn annotations(&self) -> Json {
        let mut instance = json!({
            "openmetrics_endpoint": format!("http://%%host%%:{}{}", self.page.port, self.page.path),
            "namespace": self.name.replace('-', "_"),
            "metrics": self.beginnings(),
        });
        if self.page.has_token {
            let header = format!("ENC[k8s_secret@{}/{}/authorization]", self.namespace, self.name);
            instance["headers"] = json!({ "Authorization": header });
        }
        let checks = json!({ "openmetrics": { "init_config": {}, "instances": [instance] } });
        json!({ format!("ad.datadoghq.com/{}.checks", self.name): checks.to_string() })
    }

    /// What the names of its metrics begin with.
    fn beginnings(&self) -> BTreeSet<String> {
        let beginning = |metric: &Metric| {
            let word = metric.prometheus.split(|c: char| !c.is_ascii_alphanumeric()).next();
            format!("{}.*", word.unwrap_or_default())
        };
        self.metrics.iter().map(beginning).collect()
    }

    pub(super) fn service(&self) -> Json {
        let port = |(name, port): &(&str, u16)| json!({ "name": name, "port": port, "targetPort": name });
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": self.metadata(),
            "spec": { "selector": self.selector(), "ports": self.ports().iter().map(port).collect::<Vec<_>>() },
        })
    }

    pub(super) fn monitor(&self) -> Json {
        let mut endpoint = json!({ "port": self.port(), "path": self.page.path, "interval": "15s" });
        if self.page.has_token {
            let credentials = json!({ "name": self.name, "key": "scrape-token" });
            endpoint["authorization"] = json!({ "type": "Bearer", "credentials": credentials });
        }
        json!({
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "ServiceMonitor",
            "metadata": self.found_metadata(),
            "spec": { "selector": { "matchLabels": self.selector() }, "endpoints": [endpoint] },
        })
    }

    pub(super) fn rule(&self, groups: &[Json]) -> Json {
        json!({
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            "metadata": self.found_metadata(),
            "spec": { "groups": groups },
        })
    }

    pub(super) fn dashboard(&self, dashboard: &Json) -> Json {
        let mut labels = self.selector();
        labels["grafana_dashboard"] = "1".into();
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": format!("{}-dashboard", self.name), "labels": labels },
            "data": { format!("{}.json", self.name): dashboard.to_string() },
        })
    }

    /// What the operator looks for beside the name.
    fn found_metadata(&self) -> Json {
        let mut metadata = self.metadata();
        if let Some(labels) = metadata["labels"].as_object_mut() {
            labels.extend(
                self.labels
                    .iter()
                    .map(|(key, value)| (key.clone(), value.clone().into()))
                    .collect::<Map<_, _>>(),
            );
        }
        metadata
    }

    /// What is not in the manifest: secrets, and how they are made.
    pub(super) fn head(&self) -> String {
        let mut made = vec![format!("kubectl create secret generic {}", self.name)];
        made.extend(self.config.map(|file| format!("--from-file={file}")));
        if self.page.has_token {
            made.push(
                "--from-literal=scrape-token=TOKEN --from-literal=authorization=\"Bearer TOKEN\"".to_owned(),
            );
        }
        made.extend(self.page.variables.iter().map(|name| format!("--from-literal={name}=\"${name}\"")));
        let made_secret = if made.len() > 1 {
            format!("# What is secret, or may be, is not here: {}\n", made.join(" "))
        } else {
            String::new()
        };
        format!(
            "# {}, made by `metercast k8s` from the program and its configuration.\n{made_secret}",
            self.name
        )
    }
}
