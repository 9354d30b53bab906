//! Manifests agree with themselves, with images and with services; they hold no secret, and nothing that was said gets out of its quotes.

use deployment::{Service, Shipped, Sources, troubles};
use serde_json::{Value, json};

use crate::catalogue::{catalogue, metric, printed};
use crate::support::{file, run};

fn shop() -> String {
    catalogue("kubernetes", &[metric("shop_orders_total", "counter", &json!({}))])
}

fn objects(manifest: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(manifest).unwrap()
}

/// The manifest of a service with its own metrics and this configuration.
fn manifest(service: &str, config: &str, more: &[&str]) -> String {
    let catalogue = crate::catalogue::SERVICES.iter().find(|known| known.name == service).unwrap();
    let catalogue = catalogue.document("metrics.json");
    let config = file(&format!("{service}.toml"), config);
    let image = format!("{service}:0.1.0");
    let arguments =
        ["k8s", "--binary", catalogue.to_str().unwrap(), "--name", service, "--image", &image, "-c", &config];
    printed(&[&arguments[..], more].concat())
}

/// What the services' own manifests are judged by.
fn said_of(service: &str, manifest: String) -> Vec<String> {
    let service = Service::named(service);
    let shipped = Shipped { manifest, ..Shipped::of(service) };
    troubles(&shipped, &Sources::of(service))
}

const ROUTER: &str = "[telemetry.exporters.prometheus]\nlisten = \"0.0.0.0:9090\"\n";

#[test]
fn what_is_printed_agrees_with_itself_with_the_image_and_with_the_service() {
    let ports = ["--port", "http=4000", "--port", "admin=8088"];
    let router = manifest(
        "router",
        ROUTER,
        &[&ports[..], &["--alerts", "--dashboard", "--label", "release=stable"]].concat(),
    );
    assert_eq!(said_of("router", router), [""; 0]);
    // Its page is on the port of all else, for those with a token, and says nothing of its health.
    let executor = "[telemetry]\nshutdown_timeout = \"10s\"\n[telemetry.exporters.page]\ntype = \"prometheus\"\nlisten = \"[::]:4788\"\n\
                    path = \"/api/metrics\"\nhealth = false\nauth = { bearer = \"t0ken\" }\n";
    let executor = manifest("executor", executor, &["--port", "http=4788"]);
    assert!(!executor.contains("t0ken") && executor.contains("tcpSocket"), "{executor}");
    assert_eq!(said_of("executor", executor), [""; 0]);
    let relay = "[telemetry]\nshutdown_timeout = \"40s\"\n[telemetry.exporters.prometheus]\nlisten = \"0.0.0.0:9102\"\n";
    let relay = manifest("relay", relay, &["--port", "http=3000", "--port", "health=8080"]);
    assert_eq!(said_of("relay", relay), [""; 0]);
    // And it would be noticed if it did not.
    let wrong = manifest("router", &ROUTER.replace("9090", "9191"), &ports);
    let said = said_of("router", wrong).join("\n");
    assert!(said.contains("EXPOSE") && said.contains("9191"), "{said}");
}

#[test]
fn rules_and_dashboard_are_those_that_the_other_commands_print() {
    let manifest = manifest("router", ROUTER, &["--alerts", "--dashboard"]);
    let objects = objects(&manifest);
    let of = |kind: &str| objects.iter().find(|object| object["kind"] == kind).unwrap();
    let router = crate::catalogue::SERVICES.iter().find(|service| service.name == "router").unwrap();
    let rules: Value = serde_saphyr::from_str(&router.rules()).unwrap();
    assert_eq!(of("PrometheusRule")["spec"], rules);
    let dashboard: Value =
        serde_json::from_str(of("ConfigMap")["data"]["router.json"].as_str().unwrap()).unwrap();
    assert_eq!(dashboard, serde_json::from_str::<Value>(&router.dashboard()).unwrap());
    assert_eq!(of("ConfigMap")["metadata"]["labels"]["grafana_dashboard"], "1");
}

#[test]
fn without_a_file_the_page_is_where_it_is_by_default_but_can_be_reached() {
    let objects = objects(&printed(&["k8s", "--binary", &shop(), "--name", "shop", "--image", "shop:1"]));
    let container = &objects[0]["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["env"], json!([{ "name": "OTEL_EXPORTER_PROMETHEUS_HOST", "value": "0.0.0.0" }]));
    assert_eq!(container["ports"], json!([{ "name": "metrics", "containerPort": 9464 }]));
    assert_eq!(container["args"], Value::Null);
    assert_eq!(objects[2]["spec"]["endpoints"][0]["path"], "/metrics");
}

#[test]
fn no_secret_of_the_configuration_is_printed_and_each_is_asked_for() {
    // A URL with a password is refused, and not shown either.
    for (endpoint, status) in [("http://collector:4318", 0), ("http://user:h1dden@collector:4318", 1)] {
        let config = format!(
            "{ROUTER}auth = {{ bearer = \"${{env:SCRAPE_TOKEN}}\" }}\n[telemetry.exporters.central]\ntype = \"otlp\"\n\
             endpoint = \"{endpoint}\"\nauth = {{ bearer = \"s3cret\" }}\nheaders = {{ x-key = \"k3y\" }}\n"
        );
        let config = file("secrets.toml", &config);
        let ran = run(&["k8s", "--binary", &shop(), "--name", "shop", "--image", "shop:1", "-c", &config]);
        assert_eq!(ran.status, status, "{}", ran.stderr);
        for secret in ["s3cret", "k3y", "h1dden"] {
            assert!(
                !ran.stdout.contains(secret) && !ran.stderr.contains(secret),
                "{}{}",
                ran.stdout,
                ran.stderr
            );
        }
    }
    let config = file(
        "reference.toml",
        "[telemetry.exporters.prometheus]\nlisten = \"0.0.0.0:9090\"\nauth = { bearer = \"${env:SCRAPE_TOKEN}\" }\n",
    );
    let text = printed(&[
        "k8s",
        "--binary",
        &shop(),
        "--name",
        "shop",
        "--image",
        "shop:1",
        "-c",
        &config,
        "--namespace",
        "trade",
    ]);
    let head = "# What is secret, or may be, is not here: kubectl create secret generic shop --from-file=judge-reference.toml \
                --from-literal=scrape-token=TOKEN --from-literal=authorization=\"Bearer TOKEN\" --from-literal=SCRAPE_TOKEN=\"$SCRAPE_TOKEN\"\n";
    assert!(text.contains(head), "{text}");
    assert!(text.contains("ENC[k8s_secret@trade/shop/authorization]"), "{text}");
    let container = &objects(&text)[0]["spec"]["template"]["spec"]["containers"][0];
    let from = json!({ "secretKeyRef": { "name": "shop", "key": "SCRAPE_TOKEN" } });
    assert_eq!(container["env"], json!([{ "name": "SCRAPE_TOKEN", "valueFrom": from }]));
}

#[test]
fn what_was_said_stays_in_its_quotes() {
    let hostile = "a: b\n---\nkind: Secret # {x} [y] 'z' \"w\" \\ & * ! | >";
    let metrics = [metric(hostile, "counter", &json!({ "description": hostile }))];
    let catalogue = catalogue("quoted", &metrics);
    let label = format!("release={hostile}");
    let text = printed(&[
        "k8s",
        "--binary",
        &catalogue,
        "--name",
        "shop",
        "--image",
        "a/b:c#d",
        "--arg",
        hostile,
        "--arg=--no",
        "--label",
        &label,
        "--alerts",
        "--dashboard",
    ]);
    let objects = objects(&text);
    let kinds: Vec<&str> = objects.iter().map(|object| object["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["Deployment", "Service", "ServiceMonitor", "PrometheusRule", "ConfigMap"]);
    let container = &objects[0]["spec"]["template"]["spec"]["containers"][0];
    assert_eq!((&container["args"], &container["image"]), (&json!([hostile, "--no"]), &json!("a/b:c#d")));
    assert_eq!(objects[2]["metadata"]["labels"]["release"], hostile);
}

/// The configuration, more arguments, and a word of what is said.
#[test]
fn what_would_not_work_in_a_cluster_is_said() {
    let page = |more: &str| format!("[telemetry.exporters.prometheus]\n{more}\n");
    for (config, more, expected) in [
        (page(""), &[][..], "prometheus.listen is 127.0.0.1:9464, which nobody outside of its pod can reach"),
        (page("listen = \"localhost:1\""), &[], "nobody outside of its pod"),
        (page("listen = \"127.0.0.2:1\""), &[], "nobody outside of its pod"),
        (page("listen = \"0.0.0.0:0\""), &[], "a port is needed that is always the same"),
        (page("listem = \"0.0.0.0:1\""), &[], "listem"),
        ("[telemetry.exporters.a]\ntype = \"stdout\"\n".to_owned(), &[], "has no exporter with a page"),
        (
            format!("{ROUTER}[telemetry.exporters.b]\ntype = \"prometheus\"\nlisten = \"0.0.0.0:9091\"\n"),
            &[],
            "say by --exporter which: b, prometheus",
        ),
        (
            ROUTER.to_owned(),
            &["--exporter", "c"],
            "has no exporter of this name with a page; it has prometheus",
        ),
        (ROUTER.to_owned(), &["--name", "Shop"], "\"Shop\" is no name in a cluster"),
        (ROUTER.to_owned(), &["--namespace", "a b"], "give one by --namespace"),
        (ROUTER.to_owned(), &["--image", "a b"], "is no image"),
        (ROUTER.to_owned(), &["--port", "a=1", "--port", "a=2"], "two ports of one name"),
    ] {
        let config = file("wrong.toml", &config);
        let shop = shop();
        let mut arguments = vec!["k8s", "--binary", &*shop, "-c", &*config];
        for default in [["--name", "shop"], ["--image", "shop:1"]] {
            if !more.contains(&default[0]) {
                arguments.extend(default);
            }
        }
        arguments.extend(more);
        let ran = run(&arguments);
        assert_eq!((ran.status, &*ran.stdout), (1, ""), "{arguments:?}");
        assert!(
            ran.stderr.starts_with("error: ") && ran.stderr.contains(expected),
            "{arguments:?}: {}",
            ran.stderr
        );
    }
    for port in ["http", "http=0", "HTTP=1", "metrics=1", "a=70000", "12=1", "=1"] {
        assert_eq!(run(&["k8s", "--binary", "a", "--image", "a", "--port", port]).status, 2, "{port}");
    }
}
