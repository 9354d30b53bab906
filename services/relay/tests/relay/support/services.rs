//! PostgreSQL and Redis, private instances of a test.

use conformance::servers::{Postgres, Redis};
use conformance::use_programs;

/// A PostgreSQL and a Redis, until they are dropped.
pub(crate) struct Services {
    postgres: Postgres,
    redis: Redis,
}

impl Services {
    /// Both, or none if the tests do without real programs: then `test` is noted as skipped.
    pub(crate) fn start(test: &str) -> Option<Services> {
        if !use_programs(test, "postgres") || !use_programs(test, "redis-server") {
            return None;
        }
        Some(Services { postgres: Postgres::start(), redis: Redis::start() })
    }

    /// The variables by which a relay finds them.
    pub(crate) fn variables(&self) -> [(&'static str, String); 2] {
        [("DATABASE_URL", self.postgres.url()), ("REDIS_URL", self.redis.url())]
    }

    /// Ends Redis.
    pub(crate) fn stop_redis(&mut self) {
        self.redis.stop();
    }

    /// Starts it again where it was.
    pub(crate) fn start_redis(&mut self) {
        self.redis.start_again();
    }
}
