//! Whatever a compiler and a linker make of a program, its metrics are all there.

use std::process::Command;

use crate::arguments;
use crate::support::{SHOP, metrics, printed};

const OURS: [&str; 8] = [
    "shop.never",
    "shop.orders",
    "shop.payment",
    "stock.counted",
    "stock.generic",
    "stock.goods",
    "stock.never",
    "stock.unheard",
];

#[test]
fn every_metric_is_in_every_build() {
    for program in SHOP.all() {
        let json = printed(arguments!["--binary", program, "--json", "--crate", "shop", "--crate", "stock"]);
        let names: Vec<String> =
            metrics(&json).iter().map(|metric| metric["name"].as_str().unwrap().to_owned()).collect();
        assert_eq!(names, OURS, "{}", program.display());
    }
}

#[test]
fn all_builds_say_the_same() {
    let [first, others @ ..] = &*SHOP.all() else { panic!() };
    let expected = printed(arguments!["--binary", first]);
    for program in others {
        assert_eq!(printed(arguments!["--binary", program]), expected, "{}", program.display());
    }
}

#[test]
fn the_process_says_what_its_file_says() {
    for program in SHOP.all() {
        let output = Command::new(program).arg("catalogue").output().unwrap();
        let file = printed(arguments!["--binary", program, "--json"]);
        assert_eq!(String::from_utf8(output.stdout).unwrap(), file, "{}", program.display());
    }
}

#[test]
fn places_are_those_of_the_packages_wherever_they_were_built() {
    let json = printed(arguments!["--binary", SHOP.release, "--json", "--crate", "stock"]);
    let goods = metrics(&json).into_iter().find(|metric| metric["name"] == "stock.goods").unwrap();
    let place = &goods["places"][0];
    assert_eq!((&place["package"], &place["version"]), (&"stock".into(), &"1.2.3".into()));
    assert_eq!((&place["file"], &place["module"]), (&"src/lib.rs".into(), &"stock".into()));
    let folder = SHOP.file("here", "");
    let folder = folder.parent().unwrap().to_str().unwrap();
    assert!(!json.contains(folder), "where it was built is nobody's business");
}

#[test]
fn the_reference_has_both_names_and_what_labels_can_be() {
    let markdown = printed(arguments!["--binary", SHOP.release, "--crate", "shop", "--crate", "stock"]);
    let expected = "\
# Metrics

<!-- metercast: what follows is made from the program, up to the line that says so. -->

## shop

| Metric | Prometheus | Type | Unit | Labels | Description | Source |
| --- | --- | --- | --- | --- | --- | --- |
| `shop.never` | `shop_never_total` | counter |  |  | In a function that nobody calls | src/main.rs |
| `shop.orders` | `shop_orders_total` | counter | `{order}` |  | Orders accepted. | src/main.rs |
| `shop.payment` | `shop_payment_seconds` | histogram | `s` |  | Time to pay.<br>Buckets: 0.1, 1. | src/main.rs |

## stock

| Metric | Prometheus | Type | Unit | Labels | Description | Source |
| --- | --- | --- | --- | --- | --- | --- |
| `stock.counted` | `stock_counted_total` | counter |  |  | In a function that is called | src/lib.rs |
| `stock.generic` | `stock_generic_total` | counter |  | `kind`: `generic` | In a generic function | src/lib.rs |
| `stock.goods` | `stock_goods` | gauge | `{item}` | `warehouse`: `north`, `south`, else `other` | Goods in stock, of which nobody here says how many. | src/lib.rs |
| `stock.never` | `stock_never_total` | counter |  |  | In a function that nobody calls | src/lib.rs |
| `stock.unheard` | `stock_unheard_total` | counter |  |  | Private. | src/lib.rs |

<!-- metercast: end of what is made from the program. -->
";
    assert_eq!(markdown, expected);
}

#[test]
fn names_are_spelled_as_the_exporter_is_told_to() {
    let of = |option: &str, value: &str| {
        printed(arguments!["--binary", SHOP.debug, "--crate", "shop", option, value])
    };
    assert!(
        of("--strategy", "UnderscoreEscapingWithoutSuffixes").contains("| `shop.payment` | `shop_payment` |")
    );
    assert!(
        of("--strategy", "NoUTF8EscapingWithSuffixes")
            .contains("| `shop.payment` | `shop.payment_seconds` |")
    );
    assert!(of("--profile", "metrics-rs").contains("| `shop.orders` | `shop_orders` |"));
}
