//! A plan that takes the place of another: no sum is less than it was since the same start.

use std::collections::BTreeMap;

use metercast_core::reading::PointView;
use metercast_core::{f64_counter, f64_counter_with_unit, f64_histogram};

use super::*;

const ORDERS: &str = "views.reload.orders";

/// An exporter that is reloaded.
struct Reloaded {
    store: Store,
    plan: Plan,
}

/// By labels, how much there is and since when.
type Sums = BTreeMap<String, (f64, u64)>;

impl Reloaded {
    fn new(views: impl IntoIterator<Item = View>) -> Reloaded {
        let store = Store::new();
        let plan = bound(&store, views);
        Reloaded { store, plan }
    }

    fn add(&self, region: &'static str, amount: u64) {
        self.store.scope(
            || u64_counter!("views.reload.orders", "Orders", amount, "region" => region.to_owned(), "n" => 1),
        );
    }

    fn end(&self, region: &'static str) {
        assert!(self.store.remove(ORDERS, [KeyValue::new("region", region), KeyValue::new("n", 1)]));
    }

    fn reload(&mut self, views: impl IntoIterator<Item = View>) {
        let mut plan = bound(&self.store, views);
        plan.succeed(self.plan.estate());
        self.plan = plan;
    }

    /// The series of the stream of this name.
    fn sums_of(&mut self, name: &str) -> Sums {
        let mut sums = Sums::new();
        self.store.read(|reading| {
            let streams = self.plan.streams(reading);
            for view in &streams {
                view.each(|series| {
                    if view.stream().name() != name {
                        return;
                    }
                    let labels = series.labels.to_set();
                    let labels: Vec<String> =
                        labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
                    let amount = match &series.value {
                        PointView::U64(value) => *value as f64,
                        PointView::F64(value) => *value,
                        PointView::Histogram(buckets) => buckets.count() as f64,
                        other => panic!("{other:?}"),
                    };
                    sums.insert(labels.join(","), (amount, series.started_unix_nanos));
                });
            }
        });
        sums
    }

    fn sums(&mut self) -> Sums {
        self.sums_of(ORDERS)
    }

    /// Four regions, of which `eu` was read and then ended.
    fn with_ended_eu(views: impl IntoIterator<Item = View>) -> Reloaded {
        let mut it = Reloaded::new(views);
        for (region, amount) in [("eu", 100), ("us", 200), ("as", 300), ("af", 400)] {
            it.add(region, amount);
        }
        it.sums();
        it.end("eu");
        it
    }
}

fn bound(store: &Store, views: impl IntoIterator<Item = View>) -> Plan {
    let projection = views.into_iter().fold(Projection::new(), Projection::view);
    let mut plan = Plan::new(Arc::new(projection), "own");
    plan.commit(store);
    plan
}

fn dropped() -> View {
    View::of(ORDERS).drop_labels(["region"])
}

fn other() -> View {
    View::of("views.other").rename("z")
}

#[test]
fn what_has_ended_stays_in_a_sum_whose_view_did_not_change() {
    // Also if nobody has read since it ended.
    for reads in 0..2 {
        let mut it = Reloaded::with_ended_eu([dropped()]);
        let before = (0..reads).map(|_| it.sums()).last();
        it.reload([dropped(), other()]);
        let after = it.sums();
        assert_eq!(after["n=1"].0, 1000.0);
        assert!(before.is_none_or(|before| before == after));
        it.reload([other(), dropped().description("Said otherwise")]);
        it.add("us", 1);
        assert_eq!(it.sums()["n=1"], (1001.0, after["n=1"].1));
    }
}

#[test]
fn who_had_a_place_keeps_it_and_the_others_stay_together() {
    let limited = || View::of(ORDERS).limit(2);
    let mut it = Reloaded::with_ended_eu([limited()]);
    let before = it.sums();
    let amounts =
        |sums: &Sums| sums.iter().map(|(labels, sum)| format!("{labels} {}", sum.0)).collect::<Vec<_>>();
    assert_eq!(amounts(&before), ["n=1,region=us 200", "otel.metric.overflow=true 700"]);
    it.reload([limited(), other()]);
    assert_eq!(it.sums(), before);
    // With another limit places are given anew. What has become less has begun anew.
    it.reload([limited().limit(3)]);
    let after = it.sums();
    assert_eq!(amounts(&after), ["n=1,region=af 400", "n=1,region=as 300", "n=1,region=us 200"]);
    assert_eq!(after["n=1,region=us"], before["n=1,region=us"]);
    it.add("sa", 500);
    let overflow = "otel.metric.overflow=true";
    it.reload([limited().limit(1)]);
    let begun = it.sums()[overflow];
    assert_eq!(begun.0, 1200.0);
    it.reload([limited()]);
    let less = it.sums()[overflow];
    // As long as the limit was that before, and since then, who came last was never among the others.
    assert_eq!(less.0, 700.0);
    assert!(less.1 > begun.1);
    it.add("af", 1);
    assert_eq!(it.sums()[overflow], (701.0, less.1), "and goes on from there");
}

#[test]
fn what_has_ended_stays_where_other_rules_make_the_same_labels() {
    let mut it = Reloaded::with_ended_eu([dropped()]);
    let before = it.sums();
    it.reload([View::of(ORDERS).drop_labels(["region", "nothing"])]);
    assert_eq!(it.sums(), before);
}

#[test]
fn a_view_that_goes_and_comes_back_goes_on_where_it_was() {
    let mut it = Reloaded::with_ended_eu([dropped()]);
    let before = it.sums();
    let kept = View::of(ORDERS).keep_labels(["region"]);
    let others: [&[View]; 4] = [&[], &[View::of(ORDERS).drop()], &[kept], &[View::of(ORDERS).limit(50)]];
    let mut amount = before["n=1"].0;
    for views in others {
        it.reload(views.to_vec());
        assert_ne!(it.sums(), before);
        it.add("us", 1);
        amount += 1.0;
        it.sums();
        it.reload([dropped()]);
        assert_eq!(it.sums()["n=1"], (amount, before["n=1"].1));
    }
}

#[test]
fn a_stream_that_is_renamed_and_an_alias_go_on_and_a_new_alias_has_what_there_is() {
    let alias = || View::of(ORDERS).alias("views.reload.copy");
    let mut it = Reloaded::with_ended_eu([dropped(), alias()]);
    assert_eq!([it.sums()["n=1"].0, it.sums_of("views.reload.copy")["n=1"].0], [1000.0, 1000.0]);
    it.reload([View::of(ORDERS).rename("views.reload.first"), dropped(), alias().alias("b"), alias()]);
    let names = ["views.reload.first", "views.reload.copy", "b"];
    assert_eq!(names.map(|name| it.sums_of(name)["n=1"].0), [1000.0, 1000.0, 900.0]);
}

#[test]
fn a_series_that_shows_less_since_nothing_is_put_with_it_any_more_begins_anew() {
    let mixed = "views.reload.mixed";
    let more = |store: &Store| {
        store.scope(|| {
            u64_counter!("views.reload.mixed", "Mixed", 200, "n" => 1);
            u64_counter!("views.reload.mixed", "Mixed", 100, "n" => 1, "region" => "eu".to_owned());
            u64_counter!("views.reload.mixed", "Mixed", 50, "n" => 2);
        });
    };
    let together = || View::of(mixed).drop_labels(["region"]);
    let mut it = Reloaded::new([together()]);
    more(&it.store);
    let before = it.sums_of(mixed);
    assert_eq!((before["n=1"].0, before["n=2"].0), (300.0, 50.0));
    // Also if it is shown in another way meanwhile, and nobody reads then.
    for views in
        [vec![], vec![View::of(mixed).description("Said otherwise")], vec![View::of(mixed).limit(50)]]
    {
        it.reload([together()]);
        let before = it.sums_of(mixed);
        it.reload(views);
        let after = it.sums_of(mixed);
        assert_eq!((after["n=1"].0, after["n=1,region=eu"].0), (200.0, 100.0));
        assert!(after["n=1"].1 > before["n=1"].1);
        assert_eq!(after["n=2"], before["n=2"]);
        assert_eq!(it.sums_of(mixed), after, "it began once");
    }
    it.reload([]);
    let after = it.sums_of(mixed);
    more(&it.store);
    let sum = |n| (after[n].0, after[n].1);
    assert_eq!(it.sums_of(mixed)["n=1"], (400.0, sum("n=1").1));
    assert_eq!(it.sums_of(mixed)["n=2"], (100.0, sum("n=2").1));
}

#[test]
fn series_of_which_none_is_less_are_what_they_are_after_one_reading() {
    let mut it = Reloaded::with_ended_eu([View::of(ORDERS).limit(50)]);
    let before = it.sums();
    it.reload([]);
    assert_eq!(it.sums(), before);
    it.store.read(|reading| {
        let streams = it.plan.streams(reading);
        let orders = streams.iter().find(|view| view.stream().name() == ORDERS).unwrap();
        assert!(orders.is_uniform(), "nothing is put together any more");
    });
}

#[test]
fn values_in_another_unit_or_other_buckets_begin_anew() {
    let mut it = Reloaded::new([View::of("views.reload.*").drop_labels(["side"])]);
    let record = |store: &Store, side: &'static str| {
        store.scope(|| {
            f64_histogram!("views.reload.size", "Sizes", 3.0, "side" => side.to_owned());
        });
    };
    record(&it.store, "a");
    record(&it.store, "b");
    let size = "views.reload.size";
    it.sums_of(size);
    assert!(it.store.remove(size, [KeyValue::new("side", "a")]));
    let before = it.sums_of(size)[""];
    assert_eq!(before.0, 2.0);
    it.reload([View::of("views.reload.*").drop_labels(["side"]).buckets([1.0, 2.0])]);
    let after = it.sums_of(size)[""];
    // The cells had no such buckets.
    assert_eq!(after.0, 0.0);
    assert!(after.1 > before.1);
    record(&it.store, "b");
    assert_eq!(it.sums_of(size)[""], (1.0, after.1));
}

#[test]
fn a_sum_of_doubles_is_not_less_since_it_was_added_up_in_another_order() {
    let name = "views.reload.busy";
    let mut it = Reloaded::new([View::of(name).drop_labels(["worker"])]);
    let tenths = [0.1, 0.2, 0.3, 0.7, 1.1, 0.6];
    for (at, amount) in tenths.into_iter().enumerate() {
        it.store
            .scope(|| f64_counter!("views.reload.busy", "Time at work", amount, "worker" => at.to_string()));
    }
    let mut before = it.sums_of(name)[""];
    for at in [0, 3, 1, 4, 2] {
        assert!(it.store.remove(name, [KeyValue::new("worker", at.to_string())]));
        it.reload([View::of(name).drop_labels(["worker"]), other()]);
        let now = it.sums_of(name)[""];
        assert!(now.0 >= before.0 && now.1 == before.1, "{now:?} after {before:?}");
        before = now;
    }
}

#[test]
fn a_sum_in_another_unit_has_another_start_and_what_it_comes_to_in_that_unit() {
    let name = "views.reload.waited";
    let mut it = Reloaded::new([View::of(name).drop_labels(["worker"])]);
    it.store.scope(|| f64_counter_with_unit!("views.reload.waited", "Time idle", "s", 1.5, "worker" => "a"));
    let before = it.sums_of(name)[""];
    it.reload([View::of(name).drop_labels(["worker"]).unit("ms")]);
    let after = it.sums_of(name)[""];
    assert_eq!(after.0, 1500.0);
    assert!(after.1 > before.1);
    it.reload([View::of(name).drop_labels(["worker"])]);
    let back = it.sums_of(name)[""];
    assert_eq!(back.0, 1.5);
    assert!(back.1 > after.1);
}

#[test]
fn another_store_inherits_nothing_and_neither_does_a_metric_that_was_gone() {
    let mut it = Reloaded::with_ended_eu([dropped()]);
    it.sums();
    let old = std::mem::replace(&mut it, Reloaded::with_ended_eu([dropped(), other()]));
    it.plan.succeed(old.plan.estate());
    assert_eq!(it.sums()["n=1"].0, 1000.0);
    for region in ["us", "as", "af"] {
        it.end(region);
    }
    it.reload([dropped()]);
    assert!(it.sums().is_empty());
    it.add("us", 1);
    assert_eq!(it.sums()["n=1"].0, 1.0);
}

#[test]
fn a_page_that_takes_the_place_of_another_has_what_it_had() {
    let it = Reloaded::new([]);
    for region in ["eu", "us"] {
        it.add(region, 2);
    }
    let page = |views: Vec<View>| Pages::of(views.into_iter().fold(Projection::new(), Projection::view));
    let old = page(vec![dropped()]);
    let expected = ["views_reload_orders{n=\"1\"} 4"];
    assert_eq!(old.lines(&it.store), expected);
    it.end("eu");
    assert_eq!(old.lines(&it.store), expected);
    let new = page(vec![dropped(), other()]);
    new.page.commit(&it.store);
    new.page.succeed(&old.page);
    assert_eq!(new.lines(&it.store), expected);
}
