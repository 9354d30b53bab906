//! No secret is in anything that is printed, whatever a receiver does with it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use metercast_tower::config::{Config, Prometheus};
use metercast_tower::{Log, Store, Telemetry};

use crate::server::{Answer, Server};
use crate::support::{file, run_with};

fn exporters(address: &str, key: &str) -> Vec<(String, Vec<&'static str>)> {
    let push = |more: &str| {
        format!("[telemetry.exporters.one]\ntype = \"otlp\"\nendpoint = \"http://{address}\"\n{more}\n")
    };
    let https =
        push(&format!("tls = {{ ca = \"{key}\", client_certificate = \"{key}\", client_key = \"{key}\" }}"))
            .replace("http://", "https://");
    vec![
        (push("auth = { bearer = \"tok-in-bearer\" }"), vec!["tok-in-bearer"]),
        (push("auth = { basic = { user = \"user\", password = \"word-in-basic\" } }"), vec!["word-in-basic", "dXNlcjp3b3JkLWluLWJhc2lj"]),
        (push("").replacen("\"\n", "?token=key-in-query\"\n", 2).replacen("otlp?token=key-in-query", "otlp", 1), vec!["key-in-query"]),
        (push("headers = { \"x-key\" = \"value-of-header\" }"), vec!["value-of-header"]),
        (push("headers = { \"x-key\" = \"a ${env:DOCTOR_TOKEN} b\" }"), vec!["from-variable"]),
        (push(&format!("proxy = \"http://me:pass-of-proxy@{address}\"")), vec!["pass-of-proxy"]),
        (push("preset = \"honeycomb\"\nauth = { token = \"tok-in-bearer\" }\ndataset = \"dataset-s3cret\""), vec!["tok-in-bearer", "dataset-s3cret"]),
        (https, vec!["MII-in-key-file"]),
        (push("").replace("http://", "http://me:word-in-basic@"), vec!["word-in-basic"]),
        (push("").replace("\"http://", "\"me:word-in-basic@http://"), vec!["word-in-basic"]),
        (push("headers = { \"x key\" = \"value-of-header\" }"), vec!["value-of-header"]),
        (push("headers = { \"x-key\" = \"value-of-header\\n\" }\nnonsense = 1"), vec!["value-of-header"]),
        (push("auth = { bearer = \"${env:NOT_THERE}tok-in-bearer\" }"), vec!["tok-in-bearer"]),
        ("[telemetry.exporters.one]\ntype = \"prometheus\"\nlisten = \"127.0.0.1:0\"\nauth = { bearer = \"tok-of-page\" }\n".to_owned(), vec!["tok-of-page"]),
        (format!("[telemetry.exporters.one]\ntype = \"pushgateway\"\nurl = \"http://{address}\"\njob = \"a\"\nauth = {{ basic = {{ user = \"user\", password = \"word-in-basic\" }} }}\n"), vec!["word-in-basic", "dXNlcjp3b3JkLWluLWJhc2lj"]),
        (format!("[telemetry.traces]\nendpoint = \"http://{address}\"\nauth = {{ bearer = \"tok-in-bearer\" }}\n"), vec!["tok-in-bearer"]),
    ]
}

#[test]
fn no_secret_is_printed_whatever_is_answered() {
    let server = Server::start(Answer::Echo);
    let key = file("secret.key", "-----BEGIN PRIVATE KEY-----\nMII-in-key-file\n-----END PRIVATE KEY-----\n");
    let variables = [("DOCTOR_TOKEN", "from-variable")];
    for (n, (text, secrets)) in exporters(&server.address, &key).into_iter().enumerate() {
        let path = file(&format!("secrets-{n}.toml"), &text);
        for arguments in [
            vec!["doctor", "-c", &path],
            vec!["doctor", "--send", "-c", &path],
            vec!["doctor", "--send", "--json", "-c", &path],
        ] {
            let ran = run_with(&arguments, &variables);
            let printed = ran.stdout + &ran.stderr;
            for secret in &secrets {
                assert!(!printed.contains(secret), "{secret} in {arguments:?} of\n{text}\n{printed}");
            }
            assert!(!printed.is_empty());
        }
    }
    let tried = server.requests.lock().unwrap().len();
    assert!(tried >= 16, "the secrets were sent, and came back: {tried}");
}

#[test]
fn no_secret_of_the_environment_is_printed() {
    let server = Server::start(Answer::Echo);
    let (endpoint, proxy) = (
        format!("http://{}?token=key-in-query", server.address),
        format!("http://me:pass-of-proxy@{}", server.address),
    );
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20tok-in-bearer,x-key=value-of-header"),
        ("HTTP_PROXY", &proxy),
        ("SHOP__EXPORTERS__OTLP__HEADERS__X_OTHER", "from-variable"),
    ];
    for arguments in [
        ["doctor", "--send", "--env-prefix=SHOP", "--json"].as_slice(),
        &["doctor", "--send", "--env-prefix=SHOP"],
    ] {
        let ran = run_with(arguments, &variables);
        let printed = ran.stdout + &ran.stderr;
        assert!(printed.contains("answered 401"), "{printed}");
        for secret in ["tok-in-bearer", "value-of-header", "key-in-query", "pass-of-proxy", "from-variable"] {
            assert!(!printed.contains(secret), "{secret}: {printed}");
        }
    }
}

/// The same of a program: its log, and what its page tells.
#[test]
fn no_secret_is_in_a_log_or_on_the_live_page() {
    let server = Server::start(Answer::Echo);
    let key =
        file("secret-log.key", "-----BEGIN PRIVATE KEY-----\nMII-in-key-file\n-----END PRIVATE KEY-----\n");
    let mut started = 0;
    for (text, secrets) in exporters(&server.address, &key) {
        let lines = Arc::new(Mutex::new(String::new()));
        let log = Log::to({
            let lines = Arc::clone(&lines);
            move |_, line| lines.lock().unwrap().push_str(line)
        });
        let variables = [("DOCTOR_TOKEN".to_owned(), "from-variable".to_owned())];
        let config = Config::builder().variables(variables).text("shop.toml", &text);
        let config = config
            .exporter("page", Prometheus::listen("127.0.0.1:0"))
            .shutdown_timeout(Duration::from_millis(1));
        let told = match config.build().map_err(|error| error.to_string()).and_then(|config| {
            let builder = Telemetry::builder(config).store(Store::new()).log(log);
            builder.start().map_err(|error| error.to_string())
        }) {
            Err(error) => error,
            Ok(telemetry) => {
                started += 1;
                telemetry.store().scope(|| metercast_tower::u64_counter!("orders", "Orders.", 1));
                let flushed = telemetry.flush(Duration::from_secs(30));
                let address = telemetry.scrape_address().unwrap();
                let told = ["health", "config", "exporters/one/preview"].map(|path| {
                    let url = format!("http://{address}/live/api/{path}");
                    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
                    agent.get(&url).call().unwrap().into_body().read_to_string().unwrap()
                });
                format!("{flushed:?} {}", told.join(" "))
            }
        };
        let told = told + &lines.lock().unwrap();
        for secret in secrets {
            assert!(!told.contains(secret), "{secret} of\n{text}\n{told}");
        }
    }
    assert!(started >= 8, "{started}");
}
