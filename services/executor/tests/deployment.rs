//! What is shipped beside the program runs as it is: the command of its README, and the container of its manifest.

use deployment::{Asked, Container, Service, command_is_taken};

#[test]
fn the_command_of_the_readme_is_taken() {
    command_is_taken(Service::named("executor"), env!("CARGO_BIN_EXE_executor"));
}

#[test]
fn the_container_of_the_manifest_does_what_the_manifest_says() {
    Container::of("executor", "executor")
        .file("/etc/executor/executor.toml", "[executor.tenants]\nacme = \"t0ken\"\n")
        .start(env!("CARGO_BIN_EXE_executor"))
        .holds(&Asked {
            ports: &[("http", "executor: ")],
            headers: "Authorization: Bearer t0ken\r\n",
            requests: &[("http", "POST", "/api/executions", r#"{"trigger":"manual","calls":["a.b"]}"#)],
            ..Asked::default()
        });
}
