//! What is shipped beside the program runs as it is: the command of its README, and the container of its manifest.

use deployment::{Asked, Container, Service, command_is_taken};

#[test]
fn the_command_of_the_readme_is_taken() {
    command_is_taken(Service::named("router"), env!("CARGO_BIN_EXE_router"));
}

#[test]
fn the_container_of_the_manifest_does_what_the_manifest_says() {
    Container::of("router", "router").start(env!("CARGO_BIN_EXE_router")).holds(&Asked {
        ports: &[("http", "router: "), ("admin", " admin "), ("metrics", " metrics ")],
        requests: &[("http", "GET", "/accounts/17", "")],
        ..Asked::default()
    });
}
