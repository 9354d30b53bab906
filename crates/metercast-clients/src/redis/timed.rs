//! A connection to Redis whose commands are timed.

use std::fmt;
use std::ops::{Deref, DerefMut};

use super::{command, errors};
use crate::error_type::ErrorType;
use crate::operations::Operations;
use crate::pool::InUse;

/// A connection to Redis whose commands are timed as `db.client.operation.duration`, by the name of the command. It is used as the
/// connection that it holds: a multiplexed one, a `ConnectionManager`, one of a pool, in the version of a feature.
///
/// Names of commands that are not known are `_OTHER`, so that nobody can make up series. A pipeline is one operation: `PIPELINE`, and a
/// transaction `MULTI`, with the command's name behind it if all its commands have the same.
#[cfg_attr(
    feature = "redis_1",
    doc = r##"
```
# use redis_1 as redis;
use metercast::{InMemoryReader, Store};
use metercast_clients::{Operations, TimedRedis};
# struct Server;
# impl redis::aio::ConnectionLike for Server {
#     fn req_packed_command<'a>(&'a mut self, _: &'a redis::Cmd) -> redis::RedisFuture<'a, redis::Value> {
#         Box::pin(async { Ok(redis::Value::Int(1)) })
#     }
#     fn req_packed_commands<'a>(
#         &'a mut self, _: &'a redis::Pipeline, _: usize, _: usize,
#     ) -> redis::RedisFuture<'a, Vec<redis::Value>> {
#         Box::pin(async { Ok(Vec::new()) })
#     }
#     fn get_db(&self) -> i64 { 0 }
# }

# #[tokio::main(flavor = "current_thread")] async fn main() {
# let connection = Server;
let operations = Operations::new("redis"); // kept, for all connections
let mut connection = TimedRedis::new(connection, &operations);
let orders: u64 = redis::cmd("INCR").arg("orders").query_async(&mut connection).await.unwrap();

let snapshot = InMemoryReader::new(Store::current()).collect();
let series = &snapshot.family("db.client.operation.duration").unwrap().series[0];
assert_eq!(series.labels.to_string(), r#"{db.operation.name="INCR",db.system.name="redis"}"#);
# assert_eq!(orders, 1);
# }
```
"##
)]
#[derive(Clone)]
pub struct TimedRedis<C> {
    connection: C,
    operations: Operations,
}

impl<C> TimedRedis<C> {
    /// The commands of a connection are timed as the operations of [`Operations::new("redis")`](Operations::new), with whatever else
    /// those say.
    pub fn new(connection: C, operations: &Operations) -> TimedRedis<C> {
        TimedRedis { connection, operations: operations.clone() }
    }

    /// The connection alone.
    pub fn into_inner(self) -> C {
        self.connection
    }
}

/// Shows no connection, which may say where it goes and as whom.
impl<C> fmt::Debug for TimedRedis<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimedRedis").field("operations", &self.operations).finish_non_exhaustive()
    }
}

impl<C> Deref for TimedRedis<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.connection
    }
}

impl<C> DerefMut for TimedRedis<C> {
    fn deref_mut(&mut self) -> &mut C {
        &mut self.connection
    }
}

/// The first argument of a command, which is its name.
macro_rules! first {
    ($redis:ident, $cmd:ident) => {
        match $cmd.args_iter().next() {
            Some($redis::Arg::Simple(name)) => name,
            _ => b"",
        }
    };
}

/// The type of the first error among the answers of a server, in which errors are values; those of a transaction are one array.
macro_rules! first_error {
    ($redis:ident, $values:expr) => {{
        use $redis::Value;
        let type_of = |value: &Value| match value {
            Value::ServerError(error) => Some(errors::known(error.code())),
            _ => None,
        };
        $values.iter().find_map(|value| match value {
            Value::Array(values) => values.iter().find_map(type_of),
            value => type_of(value),
        })
    }};
}

/// For each version the same. What is in use is a connection too, so that its commands can be timed.
macro_rules! connection {
    ($feature:literal, $redis:ident) => {
        #[cfg(feature = $feature)]
        impl<C: $redis::aio::ConnectionLike + Send> $redis::aio::ConnectionLike for TimedRedis<C> {
            fn req_packed_command<'a>(
                &'a mut self,
                cmd: &'a $redis::Cmd,
            ) -> $redis::RedisFuture<'a, $redis::Value> {
                Box::pin(async move {
                    let timer = self.operations.begin(command::known(first!($redis, cmd)).into());
                    let result = self.connection.req_packed_command(cmd).await;
                    timer.end_by(result.as_ref().map_or_else(
                        |error| Some(error.error_type()),
                        |value| first_error!($redis, std::slice::from_ref(value)),
                    ));
                    result
                })
            }

            fn req_packed_commands<'a>(
                &'a mut self,
                pipeline: &'a $redis::Pipeline,
                offset: usize,
                count: usize,
            ) -> $redis::RedisFuture<'a, Vec<$redis::Value>> {
                Box::pin(async move {
                    let names = pipeline.cmd_iter().map(|cmd| command::known(first!($redis, cmd)));
                    let timer = self.operations.begin(command::of_many(pipeline.is_transaction(), names));
                    let result = self.connection.req_packed_commands(pipeline, offset, count).await;
                    timer.end_by(result.as_ref().map_or_else(
                        |error| Some(error.error_type()),
                        |values| first_error!($redis, values),
                    ));
                    result
                })
            }

            fn get_db(&self) -> i64 {
                self.connection.get_db()
            }
        }

        #[cfg(feature = $feature)]
        impl<C: $redis::aio::ConnectionLike> $redis::aio::ConnectionLike for InUse<C> {
            fn req_packed_command<'a>(
                &'a mut self,
                cmd: &'a $redis::Cmd,
            ) -> $redis::RedisFuture<'a, $redis::Value> {
                C::req_packed_command(self, cmd)
            }

            fn req_packed_commands<'a>(
                &'a mut self,
                pipeline: &'a $redis::Pipeline,
                offset: usize,
                count: usize,
            ) -> $redis::RedisFuture<'a, Vec<$redis::Value>> {
                C::req_packed_commands(self, pipeline, offset, count)
            }

            fn get_db(&self) -> i64 {
                C::get_db(self)
            }
        }
    };
}

connection!("redis_0_32", redis_0_32);
connection!("redis_1", redis_1);
