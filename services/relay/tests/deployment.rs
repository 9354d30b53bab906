//! What is shipped beside the program runs as it is: the command of its README, and the container of its manifest.

use conformance::servers::{Postgres, Redis};
use conformance::use_programs;
use deployment::{Asked, Container};

#[test]
fn the_container_of_the_manifest_does_what_the_manifest_says() {
    let test = "the_container_of_the_manifest_does_what_the_manifest_says";
    if !use_programs(test, "postgres") || !use_programs(test, "redis-server") {
        return;
    }
    let (postgres, redis) = (Postgres::start(), Redis::start());
    Container::of("relay", "relay")
        .variable("DATABASE_URL", &postgres.url())
        .variable("REDIS_URL", &redis.url())
        .variable("BUZZ_PORT", "0")
        .variable("BUZZ_HEALTH_PORT", "0")
        .variable("BUZZ_METRICS_PORT", "0")
        // Nobody else is told.
        .variable("BUZZ_SHUTDOWN_GRACE_SECS", "0")
        .start(env!("CARGO_BIN_EXE_relay"))
        .holds(&Asked {
            ports: &[("clients", "relay: "), ("health", " health "), ("metrics", " metrics ")],
            requests: &[("clients", "GET", "/api/items/7", "")],
            ..Asked::default()
        });
}
