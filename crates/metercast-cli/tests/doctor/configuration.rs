//! What a configuration comes to: where values are from, whom connections trust, who has an address.

use std::net::TcpListener;

use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use serde_json::Value;

use crate::server::{Answer, Server, date, http};
use crate::support::{Ran, file, run, run_with};

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", ran.stdout, ran.stderr))
}

fn finding<'a>(json: &'a Value, exporter: &str, what: &str) -> &'a Value {
    let exporters = json["exporters"].as_array().unwrap();
    let exporter = exporters.iter().find(|one| one["name"] == exporter).unwrap();
    let findings = exporter["findings"].as_array().unwrap();
    findings.iter().find(|one| one["what"] == what).unwrap_or_else(|| panic!("no {what} in {exporter}"))
}

#[test]
fn each_value_has_its_source_and_a_url_says_what_was_added() {
    let path = file(
        "sources.toml",
        "[telemetry.exporters.central]\ntype = \"otlp\"\nendpoint = \"http://collector:4318/base\"\nenv = true\n",
    );
    let variables =
        [("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://elsewhere:1/exact"), ("OTEL_SERVICE_NAME", "shop")];
    let ran = run_with(&["doctor", "-c", &path], &variables);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    let lines: Vec<Vec<&str>> = ran.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    let source = format!("{path}:3");
    for line in [
        vec!["telemetry.resource.\"service.name\"", "shop", "OTEL_SERVICE_NAME"],
        vec!["telemetry.exporters.central.interval", "60s", "default"],
        vec![
            "telemetry.exporters.central.endpoint",
            "http://elsewhere:1/exact",
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT,",
            "over",
            &source,
        ],
    ] {
        assert!(lines.contains(&line), "{line:?}\n{}", ran.stdout);
    }
    assert!(
        ran.stdout.contains(
            "url          http://elsewhere:1/exact (OTEL_EXPORTER_OTLP_METRICS_ENDPOINT; used as it is)"
        ),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.ends_with("nothing is wrong with the configuration; --send tries the exporters\n"));
    let ran = run(&["doctor", "--json", "-c", &path]);
    let json = json(&ran);
    let url = &finding(&json, "central", "url")["text"];
    assert_eq!(*url, format!("http://collector:4318/base/v1/metrics ({source}; /v1/metrics was added)"));
    let settings = json["settings"].as_array().unwrap();
    let endpoint = settings.iter().find(|one| one["key"] == "telemetry.exporters.central.endpoint").unwrap();
    assert_eq!((&endpoint["source"], &endpoint["remark"]), (&source.into(), &"/v1/metrics was added".into()));
}

#[test]
fn a_file_that_no_program_would_start_with_is_told_with_its_line() {
    let path = file("wrong.toml", "[telemetry.exporters.central]\ntype = \"otlp\"\nintervall = \"5s\"\n");
    let ran = run(&["doctor", "-c", &path]);
    assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
    assert!(ran.stderr.starts_with(&format!("error: {path}:3: ")), "{}", ran.stderr);
    assert!(ran.stderr.contains("did you mean \"interval\"?"), "{}", ran.stderr);
    let ran = run(&["doctor", "--json", "-c", &path]);
    let json = json(&ran);
    assert_eq!((ran.status, &json["ok"], &json["problems"][0]["line"]), (1, &false.into(), &3.into()));
    let ran = run(&["doctor", "-c", "there-is-none.toml"]);
    assert_eq!(ran.status, 1);
    assert!(ran.stderr.contains("there-is-none.toml"), "{}", ran.stderr);
    assert_eq!(run(&["doctor", "--sned"]).status, 2);
}

#[test]
fn a_receiver_that_takes_it_is_well_and_gets_a_gauge_and_a_counter() {
    let answer = http("200 OK", &[("date", &date(0))], b"");
    let server = Server::start(Answer::Http(answer));
    let address = &server.address;
    let path = file(
        "well.toml",
        format!(
            "[telemetry.exporters.central]\ntype = \"otlp\"\nendpoint = \"http://{address}\"\nprotocol = \"http/json\"\ninclude = [\"http.*\"]\nauth = {{ bearer = \"t0ken\" }}\n"
        ),
    );
    let ran = run(&["doctor", "--send", "-c", &path]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    assert!(
        ran.stdout.contains(&format!("tried        http://{address}/v1/metrics takes 2 points, in ")),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("clock        as the receiver's"), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("\nall is well\n"), "{}", ran.stdout);
    let requests = server.requests.lock().unwrap();
    let (head, body) = &requests[0];
    assert!(head.contains("authorization: bearer t0ken"), "{head}");
    let body: Value = serde_json::from_slice(body).unwrap();
    let metrics = body["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].as_array().unwrap();
    let names: Vec<_> = metrics.iter().map(|metric| metric["name"].as_str().unwrap()).collect();
    assert_eq!((requests.len(), names), (1, vec!["metercast.doctor", "metercast.doctor.tries"]));
}

#[test]
fn a_clock_that_is_minutes_away_is_told() {
    for (seconds, says) in [(-600, "ahead of the receiver's"), (600, "behind the receiver's")] {
        let server = Server::start(Answer::Http(http("200 OK", &[("date", &date(seconds))], b"")));
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &*format!("http://{}", server.address)),
            ("OTEL_METRICS_EXPORTER", "otlp"),
        ];
        let ran = run_with(&["doctor", "--send", "--json"], &variables);
        let json = json(&ran);
        let clock = finding(&json, "otlp", "clock");
        assert_eq!((ran.status, &clock["state"]), (1, &"failed".into()), "{clock}");
        assert!(clock["text"].as_str().unwrap().contains(says), "{clock}");
    }
}

#[test]
fn traces_are_tried_by_an_empty_request() {
    let server = Server::start(Answer::Http(http("401 Unauthorized", &[], b"")));
    let variables =
        [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &*format!("http://{}/v1/traces", server.address))];
    let ran = run_with(
        &[
            "doctor",
            "--send",
            "--json",
            "-c",
            &file("traces.toml", "[telemetry.exporters.prometheus]\nenabled = false\n"),
        ],
        &variables,
    );
    let json = json(&ran);
    let tried = finding(&json, "traces", "tried");
    assert_eq!((ran.status, &tried["state"], &tried["error_type"]), (1, &"failed".into(), &"401".into()));
    assert!(server.requests.lock().unwrap()[0].1.is_empty());
}

#[test]
fn who_has_the_address_is_named_and_the_program_itself_is_no_trouble() {
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = held.local_addr().unwrap().to_string();
    let page = |listen: &str| {
        format!("[telemetry.exporters.scrape]\ntype = \"prometheus\"\nlisten = \"{listen}\"\n")
    };
    let ran = run(&["doctor", "--send", "-c", &file("held.toml", page(&listen))]);
    assert_eq!(ran.status, 1);
    let me = format!("(process {}) has it", std::process::id());
    assert!(ran.stdout.contains(&format!("FAILED: cannot listen on {listen}: ")), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("set telemetry.exporters.scrape.listen to another; ") && ran.stdout.contains(&me),
        "{}",
        ran.stdout
    );

    let own = http("200 OK", &[("content-type", "application/json")], b"{\"status\":\"ok\"}\n");
    let server = Server::start(Answer::Http(own));
    let ran = run(&["doctor", "--send", "-c", &file("own.toml", page(&server.address))]);
    assert_eq!(ran.status, 0, "{}", ran.stdout);
    assert!(
        ran.stdout.contains("listens there and says that it is well: the program runs already"),
        "{}",
        ran.stdout
    );

    let ran = run(&["doctor", "--send", "-c", &file("free.toml", page("127.0.0.1:0"))]);
    assert!(ran.stdout.contains("tried        127.0.0.1:0 is free\n"), "{}", ran.stdout);
    let ran = run(&["doctor", "-c", &file("open.toml", page("0.0.0.0:0"))]);
    assert!(
        ran.stdout.contains("read by      everybody who reaches the address, as it has no token (auth)\n"),
        "{}",
        ran.stdout
    );
}

/// A certificate of its own authority, good from one day to the other, and its key.
fn certificate(name: &str, from: (i32, u8, u8), until: (i32, u8, u8)) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["shop.example".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.not_before = date_time_ymd(from.0, from.1, from.2);
    params.not_after = date_time_ymd(until.0, until.1, until.2);
    let certificate = params.self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

#[test]
fn certificates_are_told_with_their_end() {
    let (old, key) = certificate("old client", (2001, 2, 3), (2011, 12, 13));
    let (good, _) = certificate("our CA", (2001, 2, 3), (2999, 12, 31));
    let (old, key, good) = (file("old.pem", old), file("old.key", key), file("good.pem", good));
    let config = |tls: String| {
        format!(
            "[telemetry.exporters.central]\ntype = \"otlp\"\nendpoint = \"https://collector:4318\"\ntls = {{ {tls} }}\n"
        )
    };
    let path = file(
        "certificates.toml",
        config(format!("ca = \"{good}\", client_certificate = \"{old}\", client_key = \"{key}\"")),
    );
    let ran = run(&["doctor", "--json", "-c", &path]);
    let json = json(&ran);
    let trusts = finding(&json, "central", "trusts");
    assert_eq!(trusts["state"], "ok");
    let text = trusts["text"].as_str().unwrap();
    assert!(
        text.starts_with(&format!("{good}: CN=our CA")) && text.contains(", until 2999-12-31 ("),
        "{text}"
    );
    let shows = finding(&json, "central", "shows");
    assert_eq!((ran.status, &shows["state"]), (1, &"failed".into()));
    assert!(shows["text"].as_str().unwrap().ends_with("has expired on 2011-12-13; renew it"), "{shows}");

    let ran = run(&["doctor", "-c", &file("no-ca.toml", config(format!("ca = \"{key}\"")))]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stdout.contains(&format!(
            "trusts       FAILED: {key}: has no certificate in PEM; is it the right file?"
        )),
        "{}",
        ran.stdout
    );
    let ran = run(&[
        "doctor",
        "-c",
        &file(
            "bundle.toml",
            config(format!(
                "ca = \"{}\"",
                file("bundle.pem", std::fs::read_to_string(&good).unwrap().repeat(5))
            )),
        ),
    ]);
    assert!(ran.stdout.contains("bundle.pem: 5 certificates\n"), "{}", ran.stdout);
    let ran = run(&[
        "doctor",
        "-c",
        &file(
            "browsers.toml",
            "[telemetry.exporters.central]\ntype = \"otlp\"\nendpoint = \"https://collector:4318\"\n",
        ),
    ]);
    assert!(
        ran.stdout.contains(" CAs that browsers trust, built in; none of the system\n"),
        "{}",
        ran.stdout
    );
}

#[test]
fn certificates_are_found_beside_a_key_and_words_and_not_in_an_empty_file() {
    let (good, key) = certificate("our CA", (2001, 2, 3), (2999, 12, 31));
    for (name, text, says) in [
        ("beside.pem", format!("# ours\n{good}{key}# made by hand\n"), "beside.pem: CN=our CA"),
        ("empty.pem", String::new(), "empty.pem: has no certificate in PEM"),
    ] {
        let ca = file(name, text);
        let exporter = "type = \"otlp\"\nendpoint = \"https://collector:4318\"";
        let text = format!("[telemetry.exporters.central]\n{exporter}\ntls = {{ ca = \"{ca}\" }}\n");
        let ran = run(&["doctor", "-c", &file(&format!("{name}.toml"), text)]);
        assert_eq!(ran.stderr, "", "{name}");
        assert!(ran.stdout.contains(says), "{name}: {}", ran.stdout);
    }
}

#[test]
fn exporters_are_tried_at_once() {
    let server = Server::start(Answer::Silent);
    let exporters: String = (0..8)
        .map(|n| {
            format!(
                "[telemetry.exporters.e{n}]\ntype = \"otlp\"\nendpoint = \"http://{}\"\ntimeout = \"2s\"\n",
                server.address
            )
        })
        .collect();
    let ran = run(&["doctor", "--send", "--json", "-c", &file("many.toml", exporters)]);
    let json = json(&ran);
    let tried: Vec<_> =
        (0..8).map(|n| finding(&json, &format!("e{n}"), "tried")["text"].as_str().unwrap()).collect();
    assert!(tried.iter().all(|text| text.contains("no answer within 2s")), "{tried:?}");
}

#[test]
fn a_pushgateway_gets_a_group_of_its_own_that_is_deleted_again() {
    let server = Server::start(Answer::Http(http("202 Accepted", &[], b"")));
    let gateway = format!(
        "[telemetry.exporters.batch]\ntype = \"pushgateway\"\nurl = \"http://{}\"\njob = \"nightly\"\nauth = {{ bearer = \"t0ken\" }}\n",
        server.address
    );
    let ran = run(&["doctor", "--send", "-c", &file("gateway.toml", gateway)]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    let requests = server.requests.lock().unwrap();
    let lines: Vec<_> = requests.iter().map(|(head, _)| head.lines().next().unwrap()).collect();
    assert_eq!(
        lines,
        ["put /metrics/job/metercast_doctor http/1.1", "delete /metrics/job/metercast_doctor http/1.1"]
    );
    assert!(String::from_utf8_lossy(&requests[0].1).contains("metercast_doctor 1\n"));
}
