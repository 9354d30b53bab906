//! The manifests of the services agree with their images and their sources; and it would be noticed if one did not.

use deployment::{SERVICES, Service, Shipped, Sources, troubles};

#[test]
fn each_manifest_agrees_with_itself_its_image_and_its_service() {
    for service in SERVICES {
        let found = troubles(&Shipped::of(service), &Sources::of(service));
        assert!(found.is_empty(), "{}:\n{}", service.name, found.join("\n"));
    }
}

/// What is changed, in which file, and a word of what is said of it.
const CHANGES: &[(&str, &str, &str, &str)] = &[
    // Ports.
    ("relay", "name: metrics, containerPort: 9102", "name: metrics, containerPort: 9103", "no such default"),
    (
        "relay",
        "name: metrics, containerPort: 9102",
        "name: scrape, containerPort: 9102",
        "has a port metrics",
    ),
    ("relay", "port: 9102, targetPort: metrics", "port: 9103, targetPort: metrics", "in the container"),
    (
        "relay",
        "port: 9102, targetPort: metrics",
        "port: 9102, targetPort: metric",
        "no container has a port metric",
    ),
    ("relay", "    - port: metrics", "    - port: metric", "no Service has a port metric"),
    ("router", "name: admin, containerPort: 8088", "name: admin, containerPort: 4000", "EXPOSE"),
    // Paths and probes.
    ("relay", "      path: /metrics", "      path: /metric", "nothing at /metric"),
    ("executor", "      path: /api/metrics", "      path: /metrics", "openmetrics_endpoint"),
    ("relay", "path: /_liveness", "path: /_alive", "nothing at /_alive"),
    ("osapi", "path: /health/ready, port: metrics", "path: /health/ready, port: admin", "no port admin"),
    (
        "executor",
        "tcpSocket: {port: http}",
        "tcpSocket: {port: http}\n            httpGet: {path: /api/metrics, port: http}",
        "one of httpGet and tcpSocket",
    ),
    // Labels.
    (
        "router",
        "    matchLabels: {app.kubernetes.io/name: router}\n  template",
        "    matchLabels: {app.kubernetes.io/name: route}\n  template",
        "labels of its pods",
    ),
    (
        "router",
        "  selector: {app.kubernetes.io/name: router}",
        "  selector: {app.kubernetes.io/name: route}",
        "matches 0 Deployments",
    ),
    (
        "osapi",
        "  selector: {app.kubernetes.io/name: osapi, app.kubernetes.io/component: agent}",
        "  selector: {app.kubernetes.io/name: osapi}",
        "matches 2 Deployments",
    ),
    (
        "router",
        "    matchLabels: {app.kubernetes.io/name: router}\n  endpoints",
        "    matchLabels: {release: stable}\n  endpoints",
        "matches 0 Services",
    ),
    // The annotation.
    (
        "router",
        "ad.datadoghq.com/router.checks",
        "ad.datadoghq.com/gateway.checks",
        "there is no ad.datadoghq.com/router",
    ),
    ("router", "http://%%host%%:9090/metrics", "http://%%host%%:9091/metrics", "openmetrics_endpoint"),
    ("router", "http://%%host%%:9090/metrics", "http://%%host%%:9090/", "openmetrics_endpoint"),
    ("router", "\"namespace\": \"router\"", "\"namespaces\": \"router\"", "unknown field"),
    ("executor", "\"ENC[k8s_secret@default/executor/authorization]\"", "\"Bearer t0ken\"", "a secret stands"),
    (
        "mailroom",
        "      labels: {app.kubernetes.io/name: mailroom}\n",
        "      labels: {app.kubernetes.io/name: mailroom}\n      annotations: {ad.datadoghq.com/mailroom.checks: \"{}\"}\n",
        "1 annotations",
    ),
    // Variables and secrets.
    ("relay", "name: BUZZ_HOST", "name: BUZZ_HOSTS", "reads no such variable"),
    ("osapi", "OSAPI_AGENT_METRICS_HOST", "OSAPI_WORKER_METRICS_HOST", "reads no such variable"),
    ("mailroom", "PJ_TELEMETRY__OPERATOR_DOMAIN", "PJ_TELEMETRY__OPERATOR", "reads no such variable"),
    (
        "relay",
        "valueFrom:\n                secretKeyRef: {name: relay, key: redis-url}",
        "value: redis://redis",
        "a secret stands",
    ),
    ("mailroom", "value: mailroom.example", "value: \"Bearer t0ken\"", "a secret stands"),
    ("relay", "kind: Service\n", "kind: Secret\n", "Secret"),
    // What it may take, and what it may do.
    ("relay", "terminationGracePeriodSeconds: 60", "terminationGracePeriodSeconds: 30", "is less than"),
    ("relay", "runAsNonRoot: true", "runAsNonRoot: false", "neither root"),
    ("relay", "enableServiceLinks: false", "enableServiceLinks: true", "enableServiceLinks"),
    ("relay", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "securityContext"),
    ("relay", "limits: {memory: 256Mi}", "limits: {}", "no memory"),
    ("relay", "apiVersion: apps/v1", "apiVersion: v1", "is not apps/v1"),
    ("relay", "livenessProbe:", "livenessProb:", "livenessProb"),
    // Files.
    ("router", "configMap: {name: router}", "configMap: {name: routers}", "is not here"),
    ("router", "{name: config, mountPath", "{name: configs, mountPath", "there is no volume configs"),
    (
        "executor",
        "--config, /etc/executor/executor.toml",
        "--config, /etc/executor.toml",
        "neither in the image",
    ),
    ("mailroom", "claimName: mailroom", "claimName: storage", "is not here"),
    // The image.
    ("executor", "image: executor:0.1.0", "image: relay:0.1.0", "is not of executor"),
    ("executor", "EXPOSE 4788", "EXPOSE 4789", "EXPOSE"),
    ("executor", "ENTRYPOINT [\"/executor\"]", "ENTRYPOINT [\"/executer\"]", "ENTRYPOINT"),
    ("executor", "ENTRYPOINT [\"/executor\"]", "ENTRYPOINT /executor", "there is no shell"),
    ("executor", "--locked ", "", "--locked"),
    ("executor", "--package executor", "--package relay", "--package executor"),
    ("executor", "USER 65532:65532", "USER 65533:65533", "in the manifest"),
    ("executor", "USER 65532:65532\n", "", "no root"),
    ("executor", "release/executor /executor", "release/relay /executor", "COPY"),
    ("executor", "rust:1.89", "rust:1.80", "promised compiler"),
    ("executor", "cc-debian12:nonroot", "cc-debian12", "without a shell"),
    (
        "router",
        "COPY services/router/router.yaml",
        "COPY services/router/routers.yaml",
        "no file of the service",
    ),
];

#[test]
fn whatever_is_changed_in_a_manifest_or_an_image_is_noticed() {
    for (name, from, to, expected) in CHANGES {
        let service = Service::named(name);
        let mut shipped = Shipped::of(service);
        let file =
            if shipped.dockerfile.contains(from) { &mut shipped.dockerfile } else { &mut shipped.manifest };
        assert!(file.contains(from), "{name}: there is no {from:?} any more");
        *file = file.replacen(from, to, 1);
        let found = troubles(&shipped, &Sources::of(service)).join("\n");
        assert!(found.contains(expected), "{name}: {from:?} is {to:?}: {found:?}");
    }
}
