//! A receiver that is too slow for all that a store holds is told of everything all the same, in turns.

use std::collections::HashSet;

use super::*;
use crate::config::TemporalityPreference;

metrics! {
    static SPLIT: Counter<u64> = "orders.split" { labels: { customer: i64 } };
}

impl Play {
    fn after(self, after: Duration) -> Play {
        Play { after, ..self }
    }
}

impl Sent {
    /// Whose orders it speaks of.
    fn customers(&self) -> Vec<String> {
        let request = self.decoded();
        let metrics = request.resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics);
        let points = metrics.flat_map(|scope| scope.metrics).flat_map(|metric| match metric.data {
            Some(Data::Sum(sum)) => sum.data_points,
            _ => panic!("it is a counter"),
        });
        points.map(|point| format!("{:?}", point.attributes[0].value)).collect()
    }
}

const CUSTOMERS: i64 = 1900;

fn record(stage: &Stage) {
    stage.store.scope(|| (0..CUSTOMERS).for_each(|customer| SPLIT.add(1, (customer,))));
}

fn in_parts(temporality: TemporalityPreference) -> Settings {
    let mut settings = settings();
    settings.options.max_request_bytes = 16 << 10;
    settings.options.temporality = temporality;
    settings
}

#[tokio::test(start_paused = true)]
async fn pushes_that_never_get_to_the_end_begin_where_the_last_one_stopped() {
    for temporality in [TemporalityPreference::Cumulative, TemporalityPreference::Delta] {
        // Two requests fit into the timeout of ten seconds, and the third comes to nothing.
        let script = (0..200).map(|_| taken().after(4 * SECOND));
        play(in_parts(temporality), script, async |stage| {
            record(stage);
            let mut told = HashSet::new();
            let mut pushes = 0;
            while told.len() < CUSTOMERS as usize {
                pushes += 1;
                assert!(pushes <= 8, "{} of {CUSTOMERS} after as many pushes as suffice", told.len());
                // Everything changes all the time.
                record(stage);
                stage.flush(60 * SECOND).await.unwrap_err();
                told.extend(stage.sent().iter().flat_map(Sent::customers));
            }
            assert!(pushes > 2, "it does not fit into one push");
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_push_that_gets_to_the_end_is_followed_by_one_that_begins_at_the_beginning() {
    let script = [taken(), taken().after(20 * SECOND)];
    play(in_parts(TemporalityPreference::Cumulative), script, async |stage| {
        record(stage);
        stage.flush(60 * SECOND).await.unwrap_err();
        stage.flush(60 * SECOND).await.unwrap();
        let turned = stage.sent().len();
        stage.flush(60 * SECOND).await.unwrap();
        let sent = stage.sent();
        let first = sent[0].customers();
        // The second is sent once more, and the reading that follows begins behind it.
        assert!(sent[2].body == sent[1].body);
        assert_ne!(sent[3].customers(), first);
        assert!(sent[3..turned].iter().any(|sent| sent.customers() == first), "the rest comes round");
        assert_eq!(sent[turned].customers(), first);
    })
    .await;
}
