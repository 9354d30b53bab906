//! An exporter that keeps the group of a long-running program at a Pushgateway up to date.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use metercast_core::{MockClock, Value};

use super::Pushgateway;
use crate::config::PushgatewayConfig;
use crate::export::ending::{Ending, reading_panicked};
use crate::export::timer::Work;
use crate::reader::Reader;
use crate::view::When;

/// Puts the page of a store, so that the gateway always shows the last one whole.
pub(crate) struct Push {
    name: String,
    gateway: Pushgateway,
    timeout: Duration,
    reader: Reader,
}

impl Push {
    /// The work of the exporter of this name.
    pub(crate) fn of(
        name: &str,
        config: &PushgatewayConfig,
        reader: Reader,
        resource: &[(String, Value)],
    ) -> Push {
        let gateway = Pushgateway::of(name, config, resource, &reader);
        Push { name: name.to_owned(), gateway, timeout: config.timeout(), reader }
    }

    /// What lines about its failures are about: another exporter may have had the name.
    fn subject(&self) -> String {
        format!("{} (pushgateway)", self.name)
    }
}

impl Work for Push {
    fn clock(&self) -> Option<MockClock> {
        self.reader.store().clock().cloned()
    }

    fn begin(&mut self) {
        self.gateway.page.commit(self.reader.store());
    }

    fn conclude(&mut self) {
        self.gateway.page.conclude(When::AtTheEnd);
    }

    fn succeed(&mut self, other: &Push) {
        self.gateway.succeed(&other.gateway);
        // What the new settings come to is worth a line, whatever was said about the old ones.
        self.reader.log().settle(&self.subject());
    }

    fn work(&mut self, deadline: Option<Instant>) -> Result<(), String> {
        let started = Instant::now();
        let left = deadline.map(|deadline| deadline.saturating_duration_since(started));
        let timeout = left.map_or(self.timeout, |left| left.min(self.timeout));
        let Push { gateway, reader, .. } = &*self;
        // The reading calls into the application.
        let put = catch_unwind(AssertUnwindSafe(|| {
            let body = reader.read(|store| gateway.body(store));
            gateway.put_body(body, timeout)
        }));
        let outcome = match put {
            Ok(answered) => answered.map_err(|error| (error.error_type(), error.to_string())),
            Err(panic) => {
                let (kind, says) = reading_panicked(&*panic);
                Err((kind.to_owned(), says))
            }
        };
        let (name, subject) = (&self.name, &self.subject());
        Ending { reader, name, subject, again: "push works again" }.of(started, outcome)
    }
}
