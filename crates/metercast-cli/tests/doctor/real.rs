//! The servers themselves, where they can be had, instead of what is known of them.

use std::process::Command;

use conformance::oracle::prometheus::Prometheus;
use conformance::program::{Folder, Program, free_address};
use conformance::use_programs;

use crate::support::{file, run};

#[test]
fn debians_prometheus_answers_as_one_that_takes_no_otlp() {
    if !use_programs("debians_prometheus_answers_as_one_that_takes_no_otlp", "prometheus") {
        return;
    }
    let prometheus = Prometheus::start("127.0.0.1:1", &[("none".to_owned(), "/metrics".to_owned())]);
    let url = prometheus.url();
    let exporter = format!(
        "[telemetry.exporters.central]\ntype = \"otlp\"\npreset = \"prometheus\"\nendpoint = \"{url}\"\n"
    );
    let ran = run(&["doctor", "--send", "-c", &file("prometheus.toml", exporter)]);
    assert_eq!(ran.status, 1);
    let mend = "Prometheus takes OTLP only if it is started with --web.enable-otlp-receiver";
    assert!(ran.stdout.contains(mend), "{}", ran.stdout);
}

#[test]
fn debians_pushgateway_is_left_as_it_was() {
    if !use_programs("debians_pushgateway_is_left_as_it_was", "prometheus-pushgateway") {
        return;
    }
    let address = free_address();
    let mut command = Command::new("prometheus-pushgateway");
    command.arg(format!("--web.listen-address={address}")).arg("--persistence.file=");
    let mut gateway = Program::start(command, Folder::new());
    gateway.wait_until_ready(&format!("http://{address}/-/ready"));
    let exporter = format!(
        "[telemetry.exporters.batch]\ntype = \"pushgateway\"\nurl = \"http://{address}\"\njob = \"nightly\"\n"
    );
    let ran = run(&["doctor", "--send", "-c", &file("real-gateway.toml", exporter)]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    let says = format!("http://{address} takes a group, and forgets it again");
    assert!(ran.stdout.contains(&says), "{}", ran.stdout);
    let page =
        ureq::get(&format!("http://{address}/metrics")).call().unwrap().into_body().read_to_string().unwrap();
    assert!(page.contains("pushgateway_build_info") && !page.contains("doctor"), "{page}");
}
