//! PostgreSQL and Redis, private instances of a test.

use conformance::servers::{Postgres, Redis};
use conformance::use_programs;
use sqlx::{Connection, PgConnection};
use tokio::runtime::{Builder, Runtime};

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

    /// Ends PostgreSQL.
    pub(crate) fn stop_postgres(&mut self) {
        self.postgres.stop();
    }

    /// Starts it again where it was, with what it had.
    pub(crate) fn start_postgres(&mut self) {
        self.postgres.start_again();
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

/// A connection to the database for what no client of the relay could do.
pub(crate) struct Statements {
    runtime: Runtime,
    connection: PgConnection,
}

impl Statements {
    pub(crate) fn connect(services: &Services) -> Statements {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let connection =
            runtime.block_on(PgConnection::connect(&services.postgres.url())).expect("a database");
        Statements { runtime, connection }
    }

    /// Executes statements, one after the other.
    pub(crate) fn execute(&mut self, statements: &'static str) {
        self.runtime
            .block_on(sqlx::raw_sql(statements).execute(&mut self.connection))
            .expect("they are right");
    }

    /// How many rows a table has.
    pub(crate) fn count(&mut self, table: &str) -> f64 {
        self.number(&format!("SELECT count(*)::float8 FROM {table}"))
    }

    /// How many connections wait for a lock.
    pub(crate) fn waiting(&mut self) -> f64 {
        self.number("SELECT count(*)::float8 FROM pg_locks WHERE NOT granted")
    }

    fn number(&mut self, statement: &str) -> f64 {
        let number = sqlx::query_scalar(statement).fetch_one(&mut self.connection);
        self.runtime.block_on(number).expect("it is right")
    }
}
