//! What is recorded of commands, in each version of redis: the answers are made up, as no server would.

use metercast::{InMemoryReader, Store, StoreFutureExt, snapshot::Point};
use metercast_clients::{Operations, TimedRedis};

/// The names and errors of the operations that were recorded, and how many of each there were.
fn recorded(store: &Store) -> Vec<String> {
    let snapshot = InMemoryReader::new(store.clone()).collect();
    let family = snapshot.family("db.client.operation.duration").expect("it was recorded");
    let line = |series: &metercast::snapshot::Series| {
        let Point::Histogram(histogram) = &series.point else { panic!("{:?}", series.point) };
        let labels = series.labels.to_string().replace(",db.system.name=\"redis\"", "");
        format!("{labels} {}", histogram.count())
    };
    let mut lines: Vec<_> = family.series.iter().map(line).collect();
    lines.sort();
    lines
}

macro_rules! commands {
    ($feature:literal, $redis:ident) => {
        #[cfg(feature = $feature)]
        mod $redis {
            use super::*;
            use ::$redis::aio::ConnectionLike;
            use ::$redis::{Cmd, ErrorKind, Pipeline, RedisFuture, RedisResult, Value, cmd, pipe};

            /// Gives what it has to whoever asks: an answer, or for ever nothing.
            struct Answers(Option<RedisResult<Value>>);

            impl ConnectionLike for Answers {
                fn req_packed_command<'a>(&'a mut self, _: &'a Cmd) -> RedisFuture<'a, Value> {
                    Box::pin(async {
                        match self.0.take() {
                            Some(answer) => answer,
                            None => std::future::pending().await,
                        }
                    })
                }

                fn req_packed_commands<'a>(
                    &'a mut self,
                    _: &'a Pipeline,
                    _: usize,
                    count: usize,
                ) -> RedisFuture<'a, Vec<Value>> {
                    Box::pin(async move { Ok(vec![Value::Int(1); count]) })
                }

                fn get_db(&self) -> i64 {
                    7
                }
            }

            fn answering(answer: Option<RedisResult<Value>>) -> TimedRedis<Answers> {
                TimedRedis::new(Answers(answer), &Operations::new("redis"))
            }

            #[tokio::test(start_paused = true)]
            async fn every_end_of_a_command_is_recorded_once() {
                let store = Store::new();
                async {
                    let mut connection = answering(Some(Ok(Value::Int(7))));
                    assert_eq!(cmd("INCR").query_async::<i64>(&mut connection).await.expect("a number"), 7);
                    // It is measured that a server answered, not what the program makes of it.
                    let mut connection = answering(Some(Ok(Value::Nil)));
                    cmd("INCR").query_async::<i64>(&mut connection).await.expect_err("no number");
                    let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
                    let late = std::io::Error::from(std::io::ErrorKind::TimedOut);
                    for error in [refused.into(), late.into(), (ErrorKind::AuthenticationFailed, "no").into()]
                    {
                        let mut connection = answering(Some(Err(error)));
                        cmd("INCR").query_async::<i64>(&mut connection).await.expect_err("as it was given");
                    }
                    let waits = std::time::Duration::from_secs(3);
                    let mut connection = answering(None);
                    let command = cmd("INCR");
                    let never = command.query_async::<i64>(&mut connection);
                    tokio::time::timeout(waits, never).await.expect_err("it is broken off");
                    assert_eq!(connection.get_db(), 7);
                    let two: (i64, i64) =
                        pipe().incr("a", 1).incr("a", 1).query_async(&mut connection).await.unwrap();
                    assert_eq!(two, (1, 1));
                    let mut connection = answering(Some(Ok(Value::Int(1))));
                    Cmd::new().query_async::<i64>(&mut connection).await.expect("a command without a name");
                }
                .in_store(store.clone())
                .await;
                assert_eq!(
                    recorded(&store),
                    [
                        r#"{db.operation.name="INCR",error.type="authentication"} 1"#,
                        r#"{db.operation.name="INCR",error.type="cancelled"} 1"#,
                        r#"{db.operation.name="INCR",error.type="io"} 1"#,
                        r#"{db.operation.name="INCR",error.type="timeout"} 1"#,
                        r#"{db.operation.name="INCR"} 2"#,
                        r#"{db.operation.name="PIPELINE INCRBY"} 1"#,
                        r#"{db.operation.name="_OTHER"} 1"#,
                    ]
                );
            }
        }
    };
}

commands!("redis_0_32", redis_0_32);
commands!("redis_1", redis_1);
