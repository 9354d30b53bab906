//! What has changed, told to all who look at once: one text a second, however many they are.

use std::collections::{BTreeMap, VecDeque};
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::Live;
use super::api::{Health, Shown, put_metric, put_overview, put_shown};
use super::history::{History, Name};
use super::json::Json;
use crate::scrape::ScrapeAnswer;

/// Who may look at once.
pub(super) const VIEWERS: usize = 8;

/// Events that one who comes again is told.
const KEPT: usize = 60;

/// Bytes of these at most: more can be asked for anew than be kept.
const KEPT_BYTES: usize = 4 << 20;

/// Events that wait for one who reads slowly, before that one is sent away.
const BEHIND: usize = 16;

/// Values of a metric's first line that a full event has.
const SPARK: usize = 60;

/// What is told, and to whom.
#[derive(Default)]
pub(super) struct Events {
    viewers: Vec<mpsc::Sender<Bytes>>,
    /// The number of the last event.
    id: u64,
    /// What was told last.
    shown: BTreeMap<Name, Shown>,
    health: Health,
    /// The last events, the newest last.
    kept: VecDeque<(u64, Bytes)>,
    /// What one who comes now is told first, if it was made already since the last event.
    full: Option<Bytes>,
    is_over: bool,
}

/// What one viewer is told, until it is dropped.
pub(crate) struct Viewing {
    first: VecDeque<Bytes>,
    then: mpsc::Receiver<Bytes>,
}

impl Viewing {
    /// The next text; `None` when there is no more.
    pub(crate) fn poll_next(
        &mut self,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Bytes>> {
        match self.first.pop_front() {
            Some(first) => std::task::Poll::Ready(Some(first)),
            None => self.then.poll_recv(context),
        }
    }
}

impl Live {
    /// Lets one more look, who knows what was told up to the event `last`.
    pub(super) fn view(&self, last: Option<u64>) -> Result<Viewing, ScrapeAnswer> {
        self.start();
        let health = super::api::health_now(&self.0);
        let mut state = self.0.state();
        let super::State { history, events } = &mut *state;
        events.view(history, health, last)
    }
}

impl Events {
    /// Whether anybody looks.
    pub(super) fn has_viewers(&mut self) -> bool {
        self.viewers.retain(|viewer| !viewer.is_closed());
        if self.viewers.is_empty() {
            self.kept.clear();
            self.full = None;
        }
        !self.viewers.is_empty()
    }

    /// Nobody is told anything any more.
    pub(super) fn end(&mut self) {
        self.is_over = true;
        self.viewers.clear();
    }

    fn view(
        &mut self,
        history: &History,
        health: Health,
        last: Option<u64>,
    ) -> Result<Viewing, ScrapeAnswer> {
        let had_viewers = self.has_viewers();
        if self.is_over {
            return Err(ScrapeAnswer::plain(503, "telemetry was shut down\n"));
        }
        if self.viewers.len() >= VIEWERS {
            let text =
                format!("{VIEWERS} viewers look at the live page, and there may be no more; close one\n");
            return Err(ScrapeAnswer::plain(503, text).with("retry-after", "10"));
        }
        if !had_viewers {
            // Numbers go on from those of a process before, so that nobody takes what this one says for the rest of what that one said.
            let since_1970 = history.time().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            self.id = self.id.max(since_1970.unwrap_or_default().as_secs());
            // Nobody was told what has changed meanwhile.
            self.shown = history.present().map(|(name, metric)| (name.clone(), Shown::of(metric))).collect();
            self.health = health;
            self.id += 1;
        }
        let first = self.missed(last).unwrap_or_else(|| VecDeque::from([self.full(history)]));
        // Whoever comes at the limit of what is kept has room for it.
        let (told, then) = mpsc::channel(BEHIND);
        self.viewers.push(told);
        Ok(Viewing { first, then })
    }

    /// What was told since the event `last`, if all of it is known.
    fn missed(&self, last: Option<u64>) -> Option<VecDeque<Bytes>> {
        let last = last.filter(|last| *last <= self.id)?;
        let missed = usize::try_from(self.id - last).ok()?;
        let is_known = missed <= self.kept.len() && !self.kept.is_empty();
        is_known
            .then(|| self.kept.iter().skip(self.kept.len() - missed).map(|(_, text)| text.clone()).collect())
    }

    fn full(&mut self, history: &History) -> Bytes {
        if let Some(full) = &self.full {
            return full.clone();
        }
        let health = &self.health;
        let json = Json::document(|json| {
            put_overview(json, history);
            json.key("health").raw(health);
            json.key("spark").list(|json| {
                for (_, metric) in history.present() {
                    let values = history.seconds(metric, SPARK);
                    json.list(|json| {
                        let first = values.lines.first();
                        first.iter().flat_map(|(_, values)| values).for_each(|value| json.rounded(*value));
                    });
                }
            });
        });
        let full = event("full", self.id, &json);
        self.full = Some(full.clone());
        full
    }

    /// Tells everybody what is different now.
    pub(super) fn tell(&mut self, history: &History, health: &Health) {
        self.full = None;
        let before = std::mem::take(&mut self.shown);
        let mut gone: Vec<&Name> = before.keys().collect();
        gone.retain(|name| !history.metrics.get(*name).is_some_and(super::history::Metric::is_present));
        let mut changed = Vec::new();
        for (name, metric) in history.present() {
            let shown = Shown::of(metric);
            if before.get(name) != Some(&shown) {
                changed.push((name, metric, before.contains_key(name)));
            }
            self.shown.insert(name.clone(), shown);
        }
        let is_well = self.health == *health;
        let json = Json::document(|json| {
            json.key("time").time(history.time());
            json.key("series").whole(history.series);
            json.key("left_out").whole(history.lines().2);
            json.key("metrics").list(|json| {
                for (name, metric, is_known) in changed {
                    json.object(|json| match is_known {
                        false => put_metric(json, name, metric),
                        true => {
                            json.key("name").text(&name.0);
                            json.key("scope").text(&name.1);
                            put_shown(json, metric.definition.kind(), &Shown::of(metric));
                        }
                    });
                }
            });
            json.key("gone").list(|json| gone.iter().for_each(|(name, scope)| json.texts([name, scope])));
            if !is_well {
                json.key("health").raw(health);
            }
        });
        self.health.clone_from(health);
        self.id += 1;
        let text = event("change", self.id, &json);
        self.kept.push_back((self.id, text.clone()));
        let mut bytes: usize = self.kept.iter().map(|(_, text)| text.len()).sum();
        while self.kept.len() > KEPT || bytes > KEPT_BYTES {
            bytes -= self.kept.pop_front().map_or(bytes, |(_, text)| text.len());
        }
        self.send(&text);
    }

    /// Who does not take it is sent away: it may come again.
    fn send(&mut self, text: &Bytes) {
        self.viewers.retain(|viewer| viewer.try_send(text.clone()).is_ok());
    }
}

fn event(name: &str, id: u64, json: &[u8]) -> Bytes {
    let mut text = format!("event: {name}\nid: {id}\ndata: ").into_bytes();
    text.extend(json);
    text.extend(b"\n\n");
    text.into()
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    use metercast_core::{MockClock, Store, u64_counter};

    use super::*;

    /// All that is there for a viewer now, and whether there will be more.
    fn read(viewing: &mut Viewing) -> (Vec<Bytes>, bool) {
        let mut texts = Vec::new();
        loop {
            match viewing.poll_next(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Some(text)) => texts.push(text),
                Poll::Ready(None) => return (texts, false),
                Poll::Pending => return (texts, true),
            }
        }
    }

    #[test]
    fn a_viewer_that_never_reads_is_sent_away_and_holds_nothing_up() {
        let clock = MockClock::new();
        let store = Store::with_clock(&clock);
        let (mut history, mut events) = (History::new(10), Events::default());
        history.read(&store);
        let view = |events: &mut Events, history: &History| events.view(history, b"{}".to_vec(), None);
        let mut stalled = view(&mut events, &history).unwrap();
        let mut reads: Vec<_> = (1..VIEWERS).map(|_| view(&mut events, &history).unwrap()).collect();
        assert!(view(&mut events, &history).is_err());
        for _ in 0..BEHIND + 2 {
            store.scope(|| u64_counter!("events.jobs", "Jobs", 1));
            clock.advance(Duration::from_secs(1));
            assert!(history.read(&store) && events.has_viewers());
            events.tell(&history, &b"{}".to_vec());
            for viewing in &mut reads {
                let (texts, goes_on) = read(viewing);
                assert!(!texts.is_empty() && goes_on);
            }
        }
        assert!(view(&mut events, &history).is_ok(), "its place is another's");
        let (texts, goes_on) = read(&mut stalled);
        assert_eq!(
            (texts.len(), goes_on),
            (1 + BEHIND, false),
            "what was told before is there, and then it ends"
        );
    }

    #[test]
    fn who_was_told_by_a_process_before_is_told_everything() {
        let clock = MockClock::new();
        let store = Store::with_clock(&clock);
        let told_by_one_process = |restarts_after: u64, last: Option<u64>| {
            let (mut history, mut events) = (History::new(10), Events::default());
            history.read(&store);
            let mut other = events.view(&history, b"{}".to_vec(), None).unwrap();
            for _ in 0..restarts_after {
                clock.advance(Duration::from_secs(1));
                assert!(history.read(&store) && events.has_viewers());
                events.tell(&history, &b"{}".to_vec());
                read(&mut other);
            }
            let mut viewing = events.view(&history, b"{}".to_vec(), last).unwrap();
            let (texts, _) = read(&mut viewing);
            (events.id, String::from_utf8(texts.last().map_or(Vec::new(), |text| text.to_vec())).unwrap())
        };
        let (last, _) = told_by_one_process(3, None);
        clock.advance(Duration::from_secs(2)); // what a restart takes
        let (id, told) = told_by_one_process(5, Some(last));
        assert!(id > last && told.starts_with("event: full\n"), "{last} {id} {told}");
    }

    #[test]
    fn what_is_kept_for_who_comes_again_has_a_bound_in_bytes() {
        let store = Store::with_clock(&MockClock::new());
        let (mut history, mut events) = (History::new(10), Events::default());
        history.read(&store);
        let mut viewing = events.view(&history, b"{}".to_vec(), None).unwrap();
        let health = |n: usize| format!("\"{}{n}\"", "x".repeat(KEPT_BYTES / 10)).into_bytes();
        for n in 0..30 {
            events.tell(&history, &health(n));
            read(&mut viewing);
        }
        let bytes: usize = events.kept.iter().map(|(_, text)| text.len()).sum();
        assert!(bytes <= KEPT_BYTES && events.kept.len() == 9, "{}", events.kept.len());
        events.tell(&history, &"x".repeat(KEPT_BYTES).into_bytes());
        assert!(events.kept.is_empty(), "and one that is larger alone is not kept");
        assert!(events.missed(Some(events.id)).is_none(), "so who comes again is told everything");
    }

    #[test]
    fn all_viewers_have_the_same_memory() {
        let store = Store::with_clock(&MockClock::new());
        let (mut history, mut events) = (History::new(10), Events::default());
        history.read(&store);
        let views: Vec<_> = (0..2).map(|_| events.view(&history, b"{}".to_vec(), None).unwrap()).collect();
        assert_eq!(views[0].first[0].as_ptr(), views[1].first[0].as_ptr());
    }
}
