//! What is shipped beside the program runs as it is: the command of its README, and the container of its manifest.

use conformance::http::{self, Answer};
use deployment::{Asked, Container, Service, command_is_taken};

#[test]
fn the_command_of_the_readme_is_taken() {
    command_is_taken(Service::named("mailroom"), env!("CARGO_BIN_EXE_mailroom"));
}

#[test]
fn the_container_of_the_manifest_does_what_the_manifest_says() {
    let aggregator = http::serve(|_| Answer::ok("application/x-protobuf", ""));
    Container::of("mailroom", "mailroom")
        .variable("PJ_TELEMETRY__ENDPOINT", &aggregator)
        .variable("PJ_TELEMETRY__AUTH_TOKEN", "t0ken")
        .start(env!("CARGO_BIN_EXE_mailroom"))
        .holds(&Asked { ports: &[("http", "mailroom: ")], ..Asked::default() });
}
