//! `/live/api/health`: how exporters are, why, and how to mend it.

use super::put_texts;
use crate::live::facts::{ExporterFacts, Facts};
use crate::live::json::Json;
use crate::live::{Inner, Live};
use crate::outcome::Ended;

/// The part of the health that is told when it changes; the rest says when it was looked at.
pub(in crate::live) type Health = Vec<u8>;

/// How an exporter is, from well to worst.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Status {
    Ok,
    Waiting,
    Failing,
    Stopped,
}

impl Status {
    fn of(exporter: &ExporterFacts, ended: &Ended) -> Status {
        match ended {
            _ if exporter.stopped.is_some() => Status::Stopped,
            Ended { error: Some(_), .. } => Status::Failing,
            Ended { last_success: None, .. } => Status::Waiting,
            _ => Status::Ok,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Waiting => "waiting",
            Status::Failing => "failing",
            Status::Stopped => "stopped",
        }
    }
}

/// The document.
pub(super) fn document(live: &Live) -> Vec<u8> {
    let time = live.store().time();
    Json::document(|json| {
        json.key("time").time(Some(time));
        put(json, &live.0);
    })
}

/// The health as it is now, without the time.
pub(in crate::live) fn now(inner: &Inner) -> Health {
    Json::document(|json| put(json, inner))
}

fn put(json: &mut Json, inner: &Inner) {
    let facts = (inner.facts)();
    let exporters = facts.as_ref().map_or(&[][..], |facts| &facts.exporters);
    let with_outcome = |exporter: &ExporterFacts| {
        let ended = inner.reader.outcome(&exporter.name);
        (Status::of(exporter, &ended), ended)
    };
    let all: Vec<_> = exporters.iter().map(|exporter| (exporter, with_outcome(exporter))).collect();
    // Who keeps an exporter to itself looks after it itself, and whoever waits may be about to be asked for the first time.
    let shared = all.iter().filter(|(exporter, _)| !exporter.is_private).map(|(_, (status, _))| *status);
    let worst = if facts.is_none() { Status::Stopped } else { shared.max().unwrap_or(Status::Ok) };
    json.key("status").text(worst.word());
    json.key("exporters").list(|json| {
        for (exporter, (status, ended)) in &all {
            json.object(|json| put_exporter(json, exporter, *status, ended));
        }
    });
    put_reload(json.key("reload"), facts.as_ref());
    let readiness = inner.health.as_ref().map(crate::health::Health::readiness);
    json.key("ready").truth(readiness.as_ref().is_none_or(|readiness| readiness.is_ready()));
    match readiness.as_ref().and_then(|readiness| readiness.error()) {
        Some(error) => json.key("not_ready").text(error),
        None => json.key("not_ready").null(),
    }
    json.key("problems").texts(inner.reader.store().problems().iter().map(ToString::to_string));
    let attributes = facts.iter().flat_map(|facts| facts.config.resource().attributes());
    put_texts(json.key("identity"), attributes.map(|(key, value)| (&**key, value.to_string())));
}

fn put_exporter(json: &mut Json, exporter: &ExporterFacts, status: Status, ended: &Ended) {
    json.key("name").text(&exporter.name);
    json.key("type").text(exporter.kind);
    json.key("private").truth(exporter.is_private);
    json.key("status").text(status.word());
    if exporter.is_private {
        return;
    }
    json.key("target").text(&exporter.target);
    json.key("every").length(exporter.every);
    json.key("last_success").time(ended.last_success);
    json.key("last_attempt").time(ended.last_attempt);
    json.key("took").length(ended.took);
    json.key("successes").whole(ended.successes);
    json.key("failures").whole(ended.failures);
    json.key("failures_in_a_row").whole(ended.failures_in_a_row);
    json.key("points").whole(ended.points);
    json.key("error");
    match (&exporter.stopped, &ended.error) {
        (Some(why), _) => json.object(|json| {
            json.key("class").text("stopped");
            json.key("text").text(why);
            json.key("since").null();
        }),
        (None, Some(error)) => json.object(|json| {
            json.key("class").text(&error.class);
            json.key("text").text(&error.text);
            json.key("since").time(Some(error.since));
        }),
        (None, None) => json.null(),
    }
}

fn put_reload(json: &mut Json, facts: Option<&Facts>) {
    let Some((successful, text, time)) = facts.and_then(|facts| facts.reload.as_ref()) else {
        return json.null();
    };
    json.object(|json| {
        json.key("successful").truth(*successful);
        json.key("text").text(text);
        json.key("time").time(Some(*time));
    });
}
