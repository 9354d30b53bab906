//! Random series that come and end, under random views that come and go: no sum is less than it was since the same start.

use std::collections::HashMap;

use metercast_core::reading::{PointView, Reading};

use super::*;
use crate::view::archive::Shelf;

const NAME: &str = "views.sums";

/// Random numbers, the same for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) % end
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}

/// A series: its side, its region and its number, if it has them.
#[derive(Clone, Copy, Debug)]
struct Series(&'static str, Option<&'static str>, Option<&'static str>);

impl Series {
    fn at_random(random: &mut Random) -> Series {
        let region = random.pick(&[None, Some("eu"), Some("us"), Some("as")]);
        Series(random.pick(&["buy", "sell"]), region, random.pick(&[None, None, Some("0"), Some("1")]))
    }

    fn add(self, store: &Store, amount: u64) {
        let Series(side, region, number) = self;
        let side = side.to_owned();
        store.scope(|| match (region.map(str::to_owned), number.map(str::to_owned)) {
            (None, None) => u64_counter!("views.sums", "Sums", amount, "side" => side),
            (Some(region), None) => {
                u64_counter!("views.sums", "Sums", amount, "side" => side, "region" => region);
            }
            (None, Some(n)) => u64_counter!("views.sums", "Sums", amount, "side" => side, "n" => n),
            (Some(region), Some(n)) => {
                u64_counter!("views.sums", "Sums", amount, "side" => side, "region" => region, "n" => n);
            }
        });
    }

    fn end(self, store: &Store) {
        let Series(side, region, number) = self;
        let region = region.map(|region| KeyValue::new("region", region));
        let number = number.map(|number| KeyValue::new("n", number));
        store.remove(NAME, [KeyValue::new("side", side)].into_iter().chain(region).chain(number));
    }
}

fn view(random: &mut Random) -> View {
    let view = View::of(NAME);
    match random.below(12) {
        0 => view.drop_labels(["region"]),
        1 => view.drop_labels(["n"]),
        2 => view.keep_labels(["side"]),
        3 => view.keep_labels(["region"]),
        4 => view.drop_labels(["*"]),
        5 => view.limit(3),
        6 => view.limit(6),
        7 => view.drop_labels(["n"]).limit(2),
        8 => view.drop(),
        9 => view.rename_label("region", "zone"),
        10 => view.alias("views.sums.too").drop_labels(["region"]),
        _ => view.description("As it is"),
    }
}

/// What a receiver has heard of each series, by its stream and its labels: how much, and since when.
#[derive(Default)]
struct Heard(HashMap<String, (u64, u64)>);

impl Heard {
    fn read(&mut self, plan: &mut Plan, reading: &Reading<'_>, case: &str) {
        for view in &plan.streams(reading) {
            if !view.stream().name().starts_with(NAME) {
                continue;
            }
            view.each(|series| {
                let PointView::U64(now) = series.value else { panic!("{:?}", series.value) };
                let labels = series.labels.to_set();
                let mut labels: Vec<_> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
                labels.sort();
                let (series, start) =
                    (format!("{}{labels:?}", view.stream().name()), series.started_unix_nanos);
                if let Some((before, since)) = self.0.insert(series.clone(), (now, start)) {
                    let says = || format!("{series} was {before} and is {now} since {start}: {case}");
                    assert!(now >= before || start != since, "{}", says());
                }
            });
        }
    }
}

/// An exporter that is reloaded, or removed and added again; as often as it remembers what it was.
struct Changes {
    store: Store,
    shelf: Shelf,
    plan: Plan,
    left: u32,
}

impl Changes {
    fn plan(store: &Store, shelf: &Shelf, random: &mut Random) -> Plan {
        let views = (0..random.below(3)).map(|_| view(random));
        let projection = views.fold(Projection::new(), Projection::view);
        let mut plan = Plan::new(Arc::new(projection), "own").remembering(shelf);
        plan.commit(store);
        plan
    }

    fn change(&mut self, random: &mut Random, is_removed: bool) {
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        let mut plan = Changes::plan(&self.store, &self.shelf, random);
        if !is_removed {
            plan.succeed(self.plan.estate());
        }
        self.plan = plan;
    }
}

#[test]
fn no_sum_is_less_than_it_was_since_the_same_start() {
    for seed in 0..200 {
        let random = &mut Random(seed);
        let (store, shelf) = (Store::new(), Shelf::default());
        let plan = Changes::plan(&store, &shelf, random);
        let mut changes = Changes { store: store.clone(), shelf, plan, left: 4 };
        let (mut all, mut buyers) = (Heard::default(), Heard::default());
        for step in 0..60 {
            let case = format!("seed {seed}, step {step}");
            match random.below(10) {
                0..4 => {
                    for _ in 0..random.below(6) {
                        Series::at_random(random).add(&store, 1 + random.below(100));
                    }
                }
                4 => Series::at_random(random).end(&store),
                5 => changes.change(random, false),
                6 => changes.change(random, true),
                7 => store.read_share("side", "buy", |reading| {
                    buyers.read(&mut changes.plan, reading, &case);
                }),
                _ => store.read(|reading| all.read(&mut changes.plan, reading, &case)),
            }
        }
    }
}
