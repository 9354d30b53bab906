//! PostgreSQL: events, members, files, and who did what.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgArguments, PgPool, PgPoolOptions, PgRow, Postgres};
use sqlx::query::Query;
use sqlx::{Error, Row};
use tracing::{Instrument, Span, info_span};

use crate::filter::Filter;
use crate::message::Event;

const MAX_CONNECTIONS: u32 = 5;

/// How long anybody waits for a connection.
const WAIT: Duration = Duration::from_secs(2);

/// The tables. Two nodes that start together must not make them both, hence the lock until the end of the transaction.
const TABLES: [&str; 6] = [
    "SELECT pg_advisory_xact_lock(9102)",
    "CREATE TABLE IF NOT EXISTS events (id text PRIMARY KEY, kind bigint NOT NULL, content text NOT NULL, \
     channel text, at timestamptz NOT NULL DEFAULT now())",
    "CREATE TABLE IF NOT EXISTS members (pubkey text PRIMARY KEY)",
    "CREATE TABLE IF NOT EXISTS channels (name text, pubkey text, PRIMARY KEY (pubkey, name))",
    "CREATE TABLE IF NOT EXISTS media (id bigserial PRIMARY KEY, mime text NOT NULL, bytes bytea NOT NULL)",
    "CREATE TABLE IF NOT EXISTS audit \
     (id bigserial PRIMARY KEY, what text NOT NULL, at timestamptz NOT NULL DEFAULT now())",
];

/// The conditions of a filter: `$1` ids, `$2` kinds, `$3` a part of the content, each null if all are asked for; `$4` the channels that
/// may be read.
const CONDITIONS: &str = "($1::text[] IS NULL OR id = ANY($1)) AND ($2::bigint[] IS NULL OR kind = ANY($2)) \
                          AND ($3::text IS NULL OR strpos(content, $3) > 0) \
                          AND (channel IS NULL OR channel = ANY($4))";

type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// A database with its tables.
#[derive(Clone, Debug)]
pub(crate) struct Database(PgPool);

impl Database {
    /// Connects, and makes tables that are not there.
    pub(crate) async fn connect(url: &str) -> Result<Database, Error> {
        let options = PgPoolOptions::new().max_connections(MAX_CONNECTIONS).acquire_timeout(WAIT);
        let pool = options.connect(url).await?;
        let mut transaction = pool.begin().await?;
        for statement in TABLES {
            sqlx::query(statement).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(Database(pool))
    }

    /// Its connections.
    pub(crate) fn pool(&self) -> &PgPool {
        &self.0
    }

    /// Whether it answers.
    pub(crate) async fn ping(&self) -> Result<(), Error> {
        sqlx::query("SELECT 1").execute(&self.0).await.map(drop)
    }

    /// Keeps an event; `false` if it is there already.
    pub(crate) async fn insert(&self, event: &Event) -> Result<bool, Error> {
        let statement =
            "INSERT INTO events (id, kind, content, channel) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
        let query = sqlx::query(statement).bind(&event.id).bind(i64::from(event.kind)).bind(&event.content);
        Ok(query
            .bind(&event.channel)
            .execute(&self.0)
            .instrument(span("INSERT events"))
            .await?
            .rows_affected()
            == 1)
    }

    /// The latest events that a filter takes, the oldest of them first.
    pub(crate) async fn events(&self, filter: &Filter) -> Result<Vec<Event>, Error> {
        let statement = format!(
            "SELECT id, kind, content, channel FROM events WHERE {CONDITIONS} ORDER BY at DESC LIMIT $5"
        );
        let query = conditions(sqlx::query(&statement), filter).bind(filter.limit());
        let rows = query.fetch_all(&self.0).instrument(span("SELECT events")).await?;
        rows.iter().rev().map(event).collect()
    }

    /// How many events a filter takes.
    pub(crate) async fn count(&self, filter: &Filter) -> Result<i64, Error> {
        let statement = format!("SELECT count(*) FROM events WHERE {CONDITIONS}");
        let query = conditions(sqlx::query(&statement), filter);
        query.fetch_one(&self.0).instrument(span("SELECT events")).await?.try_get(0)
    }

    pub(crate) async fn is_member(&self, pubkey: &str) -> Result<bool, Error> {
        let query = sqlx::query("SELECT 1 FROM members WHERE pubkey = $1").bind(pubkey);
        Ok(query.fetch_optional(&self.0).instrument(span("SELECT members")).await?.is_some())
    }

    pub(crate) async fn add_member(&self, pubkey: &str) -> Result<(), Error> {
        let query =
            sqlx::query("INSERT INTO members (pubkey) VALUES ($1) ON CONFLICT DO NOTHING").bind(pubkey);
        query.execute(&self.0).await.map(drop)
    }

    /// The channels that somebody may read.
    pub(crate) async fn channels(&self, pubkey: &str) -> Result<Arc<[String]>, Error> {
        let query =
            sqlx::query_scalar("SELECT name FROM channels WHERE pubkey = $1 ORDER BY name").bind(pubkey);
        let names: Vec<String> = query.fetch_all(&self.0).instrument(span("SELECT channels")).await?;
        Ok(names.into())
    }

    /// From now on somebody may read a channel.
    pub(crate) async fn add_reader(&self, channel: &str, pubkey: &str) -> Result<(), Error> {
        let statement = "INSERT INTO channels (name, pubkey) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        sqlx::query(statement).bind(channel).bind(pubkey).execute(&self.0).await.map(drop)
    }

    /// Keeps a file, and returns its number.
    pub(crate) async fn add_media(&self, mime: &str, bytes: &[u8]) -> Result<i64, Error> {
        let query = sqlx::query("INSERT INTO media (mime, bytes) VALUES ($1, $2) RETURNING id").bind(mime);
        query.bind(bytes).fetch_one(&self.0).await?.try_get(0)
    }

    /// Writes down what was done.
    pub(crate) async fn audit(&self, what: &str) -> Result<(), Error> {
        sqlx::query("INSERT INTO audit (what) VALUES ($1)").bind(what).execute(&self.0).await.map(drop)
    }
}

/// The span of a statement, named as the semantic conventions name it.
fn span(name: &'static str) -> Span {
    info_span!("db", otel.name = name, otel.kind = "client", db.system.name = "postgresql")
}

/// A statement with what a filter puts into [`CONDITIONS`].
fn conditions<'q>(query: Statement<'q>, filter: &'q Filter) -> Statement<'q> {
    let kinds = filter.kinds.as_ref().map(|kinds| kinds.iter().copied().map(i64::from).collect::<Vec<_>>());
    query.bind(&filter.ids).bind(kinds).bind(&filter.search).bind(&*filter.channels)
}

fn event(row: &PgRow) -> Result<Event, Error> {
    let kind = u32::try_from(row.try_get::<i64, _>(1)?).unwrap_or(u32::MAX);
    Ok(Event { id: row.try_get(0)?, kind, content: row.try_get(2)?, channel: row.try_get(3)? })
}
