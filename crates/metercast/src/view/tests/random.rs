//! Pages of two exporters over one store, compared with an aggregation of the raw measurements that knows nothing of views.

use std::collections::BTreeMap;

use super::*;

/// What was recorded: into which metric, under which labels, and what.
type Raw = (&'static str, &'static str, &'static str, f64);

const SIDES: [&str; 3] = ["buy", "sell", "swap"];
const REGIONS: [&str; 5] = ["eu", "us", "ap", "af", "sa"];

/// Records at random. Values are multiples of 1/64, so that sums are the same in any order.
fn record(store: &Store, random: &mut impl FnMut() -> u64, raw: &mut Vec<Raw>) {
    let side = SIDES[random() as usize % SIDES.len()];
    let region = REGIONS[random() as usize % REGIONS.len()];
    let value = (random() % 640) as f64 / 64.0;
    let metric = ["orders", "open", "price", "settle", "sizes"][random() as usize % 5];
    store.scope(|| match metric {
        "orders" => ORDERS.add(value as u64, (side, region)),
        "open" => OPEN.add(value as i64 - 5, (side, region)),
        "price" => PRICE.set(value, (side, region)),
        "settle" => SETTLE.record(value, (side,)),
        _ => SIZES.record(value, (side,)),
    });
    raw.push((metric, side, region, value));
}

/// The samples that are to be there: name with labels, and value.
type Samples = BTreeMap<String, f64>;

/// By side, in milliseconds, under other names; of gauges the sum.
fn by_side(raw: &[Raw]) -> Samples {
    let mut samples = Samples::new();
    let mut prices = BTreeMap::new();
    for (metric, side, region, value) in raw {
        let mut add = |name: &str, value| {
            *samples.entry(format!("{name}{{direction=\"{side}\"}}")).or_default() += value;
        };
        match *metric {
            "orders" => add("taken", value.trunc()),
            "open" => add("views_open", value.trunc() - 5.0),
            "price" => drop(prices.insert((side, region), *value)),
            "settle" => {
                for bound in [1000.0, 2500.0, f64::INFINITY] {
                    let le = if bound.is_finite() { bound.to_string() } else { "+Inf".to_owned() };
                    let name = format!("views_settle_bucket{{direction=\"{side}\",le=\"{le}\"}}");
                    *samples.entry(name).or_default() += f64::from(value * 1000.0 <= bound);
                }
                let mut add = |name: &str, value| {
                    *samples.entry(format!("{name}{{direction=\"{side}\"}}")).or_default() += value;
                };
                add("views_settle_sum", value * 1000.0);
                add("views_settle_count", 1.0);
            }
            _ => {
                add("views_sizes_sum", *value);
                add("views_sizes_count", 1.0);
            }
        }
    }
    for ((side, _), value) in prices {
        *samples.entry(format!("views_price{{direction=\"{side}\"}}")).or_default() += value;
    }
    samples
}

/// All in one, but prices, of which there is the highest in each region.
fn in_one(raw: &[Raw]) -> Samples {
    let mut samples = Samples::new();
    let mut prices = BTreeMap::new();
    for (metric, side, region, value) in raw {
        let mut add = |name: &str, value| *samples.entry(name.to_owned()).or_default() += value;
        match *metric {
            "orders" => add("views_orders", value.trunc()),
            "open" => add("views_open", value.trunc() - 5.0),
            "price" => drop(prices.insert((region, side), *value)),
            "settle" => {
                for bound in ["0.005", "0.07", "1", "+Inf"] {
                    let is_below = bound.parse().is_ok_and(|bound: f64| *value <= bound);
                    add(&format!("views_settle_bucket{{le=\"{bound}\"}}"), f64::from(is_below));
                }
                add("views_settle_sum", *value);
                add("views_settle_count", 1.0);
            }
            _ => {
                add("views_sizes_sum", *value);
                add("views_sizes_count", 1.0);
            }
        }
    }
    for ((region, _), value) in prices {
        let highest = samples.entry(format!("views_price{{region=\"{region}\"}}")).or_insert(value);
        *highest = highest.max(value);
    }
    samples
}

fn samples(pages: &Pages, store: &Store) -> Samples {
    let lines = pages.lines(store).into_iter();
    // The bounds of exponential buckets are chosen by the page.
    let lines = lines.filter(|line| !line.starts_with("views_sizes_bucket"));
    lines
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

fn same_as_raw(operations: u32) {
    let store = Store::new();
    let one = Pages::of(
        Projection::new()
            .view(View::of("views.*").drop_labels(["reg*"]).rename_label("side", "direction"))
            .view(View::of("views.price").gauges(GaugeMerge::Sum))
            .view(View::of("views.s*").unit("ms").buckets([1000.0, 2500.0]))
            .view(View::of("views.sizes").unit("By").keep())
            .view(View::of("views.orders").rename("taken")),
    );
    let other = Pages::of(
        Projection::new()
            .view(View::of("views.*").keep_labels(["nothing"]))
            .view(View::of("views.price").keep_labels(["region"]).gauges(GaugeMerge::Max)),
    );
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state >> 11
    };
    let mut raw = Vec::new();
    for operation in 0..operations {
        record(&store, &mut random, &mut raw);
        if operation.is_power_of_two() || operation + 1 == operations {
            assert_eq!(samples(&one, &store), by_side(&raw), "after {operation}");
            assert_eq!(samples(&other, &store), in_one(&raw), "after {operation}");
        }
    }
}

#[test]
fn two_exporters_show_what_an_aggregation_of_all_measurements_comes_to() {
    same_as_raw(10_000);
}
