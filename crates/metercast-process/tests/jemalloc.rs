//! A program whose allocator is jemalloc, and what that says of its memory.
#![cfg(all(feature = "jemalloc", not(tokio_unstable)))]

use metercast::snapshot::Point;
use metercast::{InMemoryReader, Store};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const NAMES: [&str; 6] = ["allocated", "active", "metadata", "resident", "mapped", "retained"];

fn said(reader: &mut InMemoryReader) -> [i64; 6] {
    let snapshot = reader.collect();
    NAMES.map(|name| {
        let family = snapshot.family(&format!("jemalloc.{name}")).unwrap();
        assert_eq!(family.definition.unit(), "By");
        match family.series[0].point {
            Point::I64(value) => value,
            ref other => panic!("{other:?}"),
        }
    })
}

#[test]
fn memory_that_is_allocated_is_seen_at_the_next_reading_and_is_in_order() {
    let store = Store::new();
    let observation = store.scope(metercast_process::jemalloc).unwrap();
    let mut reader = InMemoryReader::new(store.clone());
    let before = said(&mut reader);
    let memory = vec![1_u8; 64 << 20];
    let with = said(&mut reader);
    assert!((64 << 20..72 << 20).contains(&(with[0] - before[0])), "{before:?} {with:?}");
    let [allocated, active, metadata, resident, mapped, retained] = with;
    // As its manual has it.
    assert!(allocated <= active && active <= resident && active <= mapped, "{with:?}");
    assert!(metadata > 0 && retained >= 0, "{with:?}");
    drop(std::hint::black_box(memory));
    let after = said(&mut reader);
    assert!(after[0] - before[0] < 8 << 20, "{before:?} {after:?}");
    drop(observation);
    assert!(store.collect().is_empty());
}
