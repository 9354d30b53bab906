//! Requests of at most so many bytes.

use super::random::{Random, sorted};
use super::*;

metrics! {
    static SMALL: Counter<u64> = "size.small" { labels: { number: u32 } };
    static LARGE: Counter<u64> = "size.large" { labels: { text: &str } };
}

/// The points of requests that were decoded one by one, sorted.
fn points_of(requests: &[Request]) -> Vec<String> {
    let mut all = Vec::new();
    for request in requests {
        let decoded = decoded(request.body());
        assert_eq!(decoded.resource_metrics.len(), 1);
        assert!(decoded.resource_metrics[0].resource.is_some());
        let scopes = &decoded.resource_metrics[0].scope_metrics;
        assert!(scopes.iter().all(|scope| scope.scope.is_some() && !scope.metrics.is_empty()));
        let sorted = sorted(metrics_of(&decoded));
        assert!(sorted.values().all(|points| !points.is_empty()), "no metric is there without a point");
        let points: Vec<_> = sorted
            .iter()
            .flat_map(|(name, points)| points.iter().map(move |point| format!("{name} {point}")))
            .collect();
        assert_eq!(points.len() as u64, request.points());
        all.extend(points);
    }
    all.sort();
    all
}

#[test]
fn what_is_split_is_what_was_whole_and_no_request_is_too_long() {
    let mut random = Random(31);
    for _ in 0..12 {
        let store = Store::new();
        let records = random.below(300) + 1;
        store.scope(|| (0..records).for_each(|_| random.record()));
        let time = SystemTime::now();
        let resource = [("service.name".to_owned(), "random".into())];
        let whole = OtlpMessage::new(&resource).requests_at(time, &store, usize::MAX);
        assert_eq!(whole.len(), 1);
        let mut limit = whole[0].body().len() + 1;
        let all = points_of(&whole);
        while limit > 40 {
            let mut message = OtlpMessage::new(&resource);
            // Twice, since what is kept from the first must not harm the second.
            for _ in 0..2 {
                let requests = message.requests_at(time, &store, limit);
                assert!(requests.iter().all(|request| (1..=limit).contains(&request.body().len())));
                let points = points_of(&requests);
                assert_eq!(points.len() as u64 + message.left_out(), all.len() as u64);
                if message.left_out() == 0 {
                    assert_eq!(points, all);
                }
            }
            limit = limit * 2 / 3;
        }
    }
}

#[test]
fn a_message_that_just_fits_is_not_split() {
    let store = Store::new();
    store.scope(|| (0..500).for_each(|number| SMALL.add(1, (number,))));
    let time = SystemTime::now();
    let whole = OtlpMessage::new(&[]).requests_at(time, &store, usize::MAX);
    let length = whole[0].body().len();
    assert_eq!(OtlpMessage::new(&[]).requests_at(time, &store, length).len(), 1);
    assert_eq!(OtlpMessage::new(&[]).requests_at(time, &store, length - 1).len(), 2);
}

#[test]
fn a_point_that_is_too_large_is_left_out_and_counted_and_the_others_are_sent() {
    let store = Store::new();
    store.scope(|| {
        LARGE.add(1, (&"x".repeat(600),));
        LARGE.add(2, ("short",));
        SMALL.add(3, (1,));
    });
    let mut message = OtlpMessage::new(&[]);
    let requests = message.requests(&store, 400);
    assert_eq!((points_of(&requests).len(), message.left_out()), (2, 1));
    assert_eq!(message.requests(&store, usize::MAX).len(), 1);
    assert_eq!(message.left_out(), 0);
    assert!(message.requests(&store, 3).is_empty());
    assert_eq!(message.left_out(), 3);
}
