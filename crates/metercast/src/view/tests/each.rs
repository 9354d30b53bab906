//! Two views of one metric that make a stream each, and both of the same name.

use super::*;
#[cfg(feature = "otlp")]
use crate::{OtlpEncoding, OtlpMessage, OtlpOptions};

fn each(views: impl IntoIterator<Item = View>) -> Projection {
    let projection = Projection::new().rule(Rule::Each).filter(Filter::new().include("views.o*"));
    views.into_iter().fold(projection, Projection::view)
}

/// What an OTLP message has, and what is said about it.
#[cfg(feature = "otlp")]
fn points(projection: Projection) -> (usize, Vec<String>) {
    let options = OtlpOptions::default().encoding(OtlpEncoding::Json);
    let mut message = OtlpMessage::with_projection(&[], options, projection);
    let points = message.encode(&orders(), &mut Vec::new());
    (points, message.warnings())
}

fn named_alike() -> Projection {
    each([
        View::of("*").drop_labels(["region"]),
        View::of("views.orders").drop_labels(["region"]).description("Other words"),
    ])
}

const ORDERS_BY_SIDE: [&str; 2] = [r#"views_orders{side="buy"} 5"#, r#"views_orders{side="sell"} 10"#];

#[test]
fn of_two_views_that_name_a_metric_alike_the_first_holds_and_the_other_is_said() {
    let pages = Pages::of(named_alike());
    let store = orders();
    for _ in 0..2 {
        let page = pages.lines(&store);
        assert_eq!((page.len(), &page[2..]), (4, &ORDERS_BY_SIDE.map(str::to_owned)[..]));
    }
    let said = pages.said();
    assert_eq!(said.len(), 1, "{said:?}");
    let expected = "are both views_orders on the page; what the second makes is left out: give one a name";
    assert!(
        said[0].contains("two views of metric \"views.orders\" (") && said[0].contains(expected),
        "{said:?}"
    );
}

#[test]
#[cfg(feature = "otlp")]
fn messages_of_otlp_have_only_the_first_of_two_streams_of_one_name_and_say_so() {
    let (points, said) = points(named_alike());
    assert_eq!((points, said.len()), (4, 1), "{said:?}");
    let expected = "make streams of the name \"views.orders\"; the second is left out: give one a name";
    assert!(
        said[0].contains("two views of metric \"views.orders\" (") && said[0].contains(expected),
        "{said:?}"
    );
}

#[test]
fn what_two_views_make_alike_is_let_out_once_and_nothing_is_said() {
    let projection = each([View::of("*"), View::of("views.orders"), View::of("views.open").drop()]);
    let pages = Pages::of(projection.clone());
    assert_eq!(pages.lines(&orders()).len(), 8);
    assert!(pages.said().is_empty(), "{:?}", pages.said());
    #[cfg(feature = "otlp")]
    assert_eq!(points(projection), (8, Vec::new()));
}

#[test]
fn two_streams_of_one_metric_are_not_added_up_beside_another_metric_either() {
    let projection = each([
        View::of("views.open").keep_labels([""; 0]).rename("views.all"),
        View::of("views.o*").kind(Kind::Counter).rename("views.same"),
        View::of("views.orders").keep_labels(["side"]).rename("views_same"),
    ]);
    let store = orders();
    store.scope(|| u64_counter!("views.other", "Others", 100, "side" => "buy", "region" => "eu"));
    let pages = Pages::of(projection);
    assert_eq!(
        pages.lines(&store),
        [
            "views_all -15",
            r#"views_same{side="buy",region="eu"} 101"#,
            r#"views_same{side="sell",region="eu"} 2"#,
            r#"views_same{side="buy",region="us"} 4"#,
            r#"views_same{side="sell",region="us"} 8"#,
        ]
    );
    assert_eq!(pages.said().len(), 2, "{:?}", pages.said());
}
