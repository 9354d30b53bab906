//! What the metrics are called.

use std::collections::BTreeSet;
use std::time::Duration;

use metercast::testing::isolated;
use metercast::{InMemoryReader, Kind};
use metercast_jobs::{Delivery, Heartbeat, JobMetrics, Workers};

use super::lines;

#[test]
fn a_prefix_gives_the_names_of_the_job_server() {
    isolated(|store| {
        let jobs = JobMetrics::prefixed("osapi").buckets(&[0.1]).build().unwrap().zeroes();
        let workers = Workers::within(Duration::from_secs(3)).observe("osapi.workers.connected").unwrap();
        let _heartbeat = Heartbeat::observe("osapi.heartbeat.age").unwrap();
        workers.heard("a1");
        jobs.created();
        jobs.worker("a1").begin(Delivery::first().created_at(store.time())).complete();
        let names: BTreeSet<_> =
            lines().iter().map(|line| line[..line.rfind(' ').unwrap()].to_owned()).collect();
        let expected = r#"
            osapi_heartbeat_age_seconds
            osapi_job_duration_seconds_bucket{le="+Inf"}
            osapi_job_duration_seconds_bucket{le="0.1"}
            osapi_job_duration_seconds_count
            osapi_job_duration_seconds_sum
            osapi_job_wait_seconds_bucket{le="+Inf"}
            osapi_job_wait_seconds_bucket{le="0.1"}
            osapi_job_wait_seconds_count
            osapi_job_wait_seconds_sum
            osapi_jobs_active
            osapi_jobs_attempts_total{outcome="aborted"}
            osapi_jobs_attempts_total{outcome="completed"}
            osapi_jobs_attempts_total{outcome="failed"}
            osapi_jobs_attempts_total{outcome="panicked"}
            osapi_jobs_attempts_total{outcome="skipped"}
            osapi_jobs_completed_total{status="completed"}
            osapi_jobs_completed_total{status="failed"}
            osapi_jobs_completed_total{status="skipped"}
            osapi_jobs_created_total
            osapi_jobs_redelivered_total
            osapi_worker_jobs_processed_total{worker="a1"}
            osapi_workers_connected"#;
        let expected: BTreeSet<_> =
            expected.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
        assert_eq!(names, expected);
    });
}

#[test]
fn messages_are_measured_as_the_semantic_conventions_say() {
    isolated(|store| {
        let jobs = JobMetrics::messaging("nats", "orders").build().unwrap();
        jobs.created();
        metercast::labels! { enum Fault { Timeout } }
        jobs.begin(Delivery::first()).because(Fault::Timeout).fail();
        let snapshot = InMemoryReader::new(store.clone()).collect();
        let found: Vec<_> = snapshot
            .families
            .iter()
            .map(|family| {
                let of = &family.definition;
                (of.name().to_owned(), of.kind(), of.unit().to_owned(), family.series[0].labels.to_string())
            })
            .collect();
        let labels = |operation| {
            format!(
                r#"messaging.destination.name="orders",messaging.operation.name="{operation}",messaging.system="nats"}}"#
            )
        };
        let expected = [
            (
                "messaging.client.consumed.messages",
                Kind::Counter,
                "{message}",
                format!("{{{}", labels("receive")),
            ),
            (
                "messaging.client.sent.messages",
                Kind::Counter,
                "{message}",
                format!("{{{}", labels("publish")),
            ),
            (
                "messaging.process.duration",
                Kind::Histogram,
                "s",
                format!("{{error.type=\"timeout\",{}", labels("process")),
            ),
        ]
        .map(|(name, kind, unit, labels)| (name.to_owned(), kind, unit.to_owned(), labels));
        assert_eq!(found, expected);
    });
}

#[test]
fn names_and_buckets_that_are_not_valid_are_errors() {
    isolated(|_| {
        for (metrics, said) in [
            (JobMetrics::prefixed("1st"), "1st.jobs.created"),
            (JobMetrics::new().duration("job.took").buckets(&[2.0, 1.0]), "job.took"),
        ] {
            let error = metrics.build().unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
        }
        assert!(Heartbeat::observe("no blanks").is_err());
        assert!(Workers::within(Duration::ZERO).observe("no blanks").is_err());
    });
}
