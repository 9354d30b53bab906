//! What is shipped beside the program runs as it is: the command of its README, and the container of its manifest.

use conformance::servers::Nats;
use conformance::use_programs;
use deployment::{Asked, Container, Service, command_is_taken};

/// What views call it on the page, and what is there if the program has another allocator.
const MORE: &[&str] = &["osapi_component_up", "osapi_subsystem_up", "jemalloc_"];

#[test]
fn the_command_of_the_readme_is_taken() {
    command_is_taken(Service::named("osapi"), env!("CARGO_BIN_EXE_osapi"));
}

#[test]
fn the_containers_of_the_manifest_do_what_the_manifest_says() {
    if !use_programs("the_containers_of_the_manifest_do_what_the_manifest_says", "nats-server") {
        return;
    }
    let nats = Nats::start();
    let (host, port) = nats.url().trim_start_matches("nats://").rsplit_once(':').map(own).expect("a port");
    let container = |deployment| {
        Container::of("osapi", deployment)
            .variable("OSAPI_NATS_SERVER_HOST", &host)
            .variable("OSAPI_NATS_SERVER_PORT", &port)
    };
    let program = env!("CARGO_BIN_EXE_osapi");
    container("osapi-controller")
        .variable("OSAPI_CONTROLLER_PORT", "0")
        .variable("OSAPI_CONTROLLER_METRICS_PORT", "0")
        .start(program)
        .holds(&Asked {
            ports: &[("http", "osapi: controller api "), ("metrics", " metrics ")],
            requests: &[("http", "POST", "/job", r#"{"op":"ok"}"#)],
            more: MORE,
            ..Asked::default()
        });
    container("osapi-agent").variable("OSAPI_AGENT_METRICS_PORT", "0").start(program).holds(&Asked {
        ports: &[("metrics", " metrics ")],
        more: MORE,
        ..Asked::default()
    });
}

fn own((host, port): (&str, &str)) -> (String, String) {
    (host.to_owned(), port.to_owned())
}
