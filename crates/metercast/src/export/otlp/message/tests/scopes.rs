//! What several libraries measure under one name stands under each of them.

use metercast_core::{Instrument, Kind, NumberType, ValueRef};

use super::json::both;
use super::*;

#[test]
fn scopes_that_differ_only_in_attributes_or_schema_are_several() {
    let of = |plugin: Option<&'static str>, schema: &'static str| {
        let builder = Instrument::builder(Kind::Counter, NumberType::U64, "scoped.calls").scope("lib", "1");
        let attributes = plugin.map(|plugin| [KeyValue::new("plugin", plugin), KeyValue::new("n", 7)]);
        builder.scope_attributes(attributes.into_iter().flatten()).scope_schema(schema).build().unwrap()
    };
    let store = Store::new();
    store.scope(|| {
        of(Some("b"), "").add(1u64, []);
        of(Some("a"), "http://schema/1").add(2u64, []);
        of(None, "").add(4u64, [("k", ValueRef::from("v"))]);
        of(None, "http://schema/1").add(8u64, []);
    });
    let (text, request) = both(&store, &[]);
    let scopes: Vec<_> = request.resource_metrics[0]
        .scope_metrics
        .iter()
        .map(|of_scope| {
            let InstrumentationScope { name, version, attributes, .. } = of_scope.scope.clone().unwrap();
            assert_eq!((&*name, &*version, of_scope.metrics.len()), ("lib", "1", 1));
            let keys: Vec<String> = attributes.iter().map(|label| label.key.clone()).collect();
            let Some(Data::Sum(sum)) = &of_scope.metrics[0].data else { panic!("{of_scope:?}") };
            let Some(NumberValue::AsInt(value)) = sum.data_points[0].value else { panic!("{sum:?}") };
            (keys.join(","), of_scope.schema_url.clone(), value)
        })
        .collect();
    let scope = |keys: &str, schema: &str, value| (keys.to_owned(), schema.to_owned(), value);
    assert_eq!(
        scopes,
        [
            scope("", "", 4),
            scope("n,plugin", "", 1),
            scope("", "http://schema/1", 8),
            scope("n,plugin", "http://schema/1", 2)
        ]
    );
    assert!(text.contains(
        r#"{"scope":{"name":"lib","version":"1","attributes":[{"key":"n","value":{"intValue":"7"}},{"key":"plugin","value":{"stringValue":"a"}}]},"schemaUrl":"http://schema/1","metrics":["#
    ), "{text}");
}
