//! Whatever names come at run time, memory has a bound. Alone in its process, of which it uses all instruments up.

mod heap;

use metercast_core::{Instrument, InstrumentBuilder, InstrumentError, Kind, NumberType, Store, ValueRef};

fn counter(name: String) -> InstrumentBuilder {
    Instrument::builder(Kind::Counter, NumberType::U64, name)
}

#[test]
fn beyond_a_bound_there_are_no_more_instruments_and_no_more_memory() {
    let store = Store::new();
    store.scope(|| {
        let first = counter("bounded.first".into()).build().unwrap();
        // Texts end before instruments do.
        let long = "x".repeat(1 << 20);
        let described = |n: u64| counter(format!("bounded.described.n{n}")).description(format!("{n} {long}"));
        let fault = (0..32).find_map(|n| described(n).build().err()).unwrap();
        assert!(matches!(&fault, InstrumentError::Full { metric, .. } if metric == "bounded.described.n15"), "{fault}");
        assert!(fault.to_string().contains("16 MiB of texts"), "{fault}");

        let built = (0..20_000).take_while(|n| counter(format!("bounded.n{n}")).build().is_ok()).count();
        assert_eq!(built, 16_384 - 1 - 15);
        let more = |n: u64| assert!(counter(format!("bounded.more.n{n}")).build().is_err());
        // Until there are as many problems as are listed.
        (0..500).for_each(more);
        let before = heap::live();
        (500..20_000).for_each(more);
        assert_eq!(heap::live() - before, 0);
        assert_eq!(counter("bounded.first".into()).build(), Ok(first), "those that there are stay");
        let fault = counter("bounded.last".into()).build().unwrap_err();
        assert_eq!(
            fault.to_string(),
            "metric \"bounded.last\" is not made: 16384 instruments have been made at run time, as much as a process may; \
             put what varies into labels rather than into names"
        );

        // Nor do keys take more and more.
        store.set_limit("bounded.first", 100);
        for round in 0..2 {
            let before = heap::live();
            for n in 0..5_000 {
                let key = format!("key.{round}.{n}");
                first.add(1u64, [(&*key, ValueRef::from("v"))]);
            }
            assert!(round == 0 || heap::live() - before < 4 << 10, "{}", heap::live() - before);
        }
    });
    assert!(!store.problems().is_empty());
    let family =
        store.collect().into_iter().find(|family| family.definition.name() == "bounded.first").unwrap();
    assert_eq!(family.series.len(), 101);
}
