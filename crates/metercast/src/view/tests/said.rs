//! What is said of filters and views that do not do what they look like.

use std::time::{Duration, Instant};

use super::*;
use crate::view::unmatched::Unmatched;
use crate::view::warnings::Warnings;

/// What is said of a projection after so many pages.
fn said_after(pages: usize, projection: Projection) -> Vec<String> {
    let store = orders();
    let own = Pages::of(projection);
    (0..pages).for_each(|_| drop(own.lines(&store)));
    own.said().into_iter().map(|line| line.replace("exporter \"own\": ", "")).collect()
}

const LATER: &str = "matches no metric so far; check the pattern, unless such metrics come later";

#[test]
fn what_matches_nothing_is_said_at_the_third_reading_that_finds_metrics_and_never_again() {
    let projection =
        || Projection::new().filter(Filter::new().exclude("ordrs.*")).view(View::of("cost.*").drop());
    assert!(said_after(2, projection()).is_empty());
    let expected = [
        format!("exclude: \"ordrs.*\" {LATER}"),
        format!("view 1 of the exporter in code (of \"cost.*\") {LATER}"),
    ];
    assert_eq!(said_after(3, projection()), expected);
    assert_eq!(said_after(9, projection()), expected);
}

#[test]
fn what_matches_nothing_is_said_a_minute_after_the_first_reading_that_finds_metrics() {
    let projection = Projection::new().filter(Filter::new().exclude("ordrs.*"));
    let (mut unmatched, mut warnings) = (Unmatched::of(&projection), Warnings::of("own"));
    let first = Instant::now();
    orders().read(|reading| {
        let families: Vec<_> = reading.families().collect();
        for (seconds, expected) in [(0, 0), (60, 1), (600, 0)] {
            unmatched.say(
                first + Duration::from_secs(seconds),
                &projection,
                (None, &families),
                &mut warnings,
            );
            assert_eq!(warnings.take().len(), expected, "{seconds}");
        }
    });
}

#[test]
fn a_metric_that_is_observed_and_has_no_figure_yet_is_there_for_patterns_and_views() {
    metrics! {
        /// Of a week that is not over
        static SETTLED: ObservableGauge<u64> = "settled.weekly";
    }
    let store = orders();
    let observation = store.scope(|| SETTLED.observe(|_| {}));
    let projection = || {
        let filter = Filter::new().include("orders").include("settled.*").exclude("settled.dayly");
        Projection::new().filter(filter).view(View::of("settled.weekly").unit("{week}"))
    };
    let said = |projection: Projection| {
        let pages = Pages::of(projection);
        (0..3).for_each(|_| drop(pages.lines(&store)));
        pages.said().into_iter().filter(|line| line.contains("settled")).collect::<Vec<_>>()
    };
    assert_eq!(said(projection()), [format!("exporter \"own\": exclude: \"settled.dayly\" {LATER}")]);
    drop(observation);
    assert_eq!(said(projection()).len(), 3, "nobody observes it any more");
}

#[test]
fn a_filter_that_takes_nothing_is_said_with_the_views_that_it_leaves_without_metrics() {
    let filter = Filter::new().include("view.*").include_scope("nobody").exclude_scope("*");
    let projection =
        Projection::new().filter(filter).view(View::of("views.*").unit("ms").drop_labels(["regoin"]));
    assert_eq!(
        said_after(3, projection),
        [
            format!("include: \"view.*\" {LATER}"),
            format!("include_scopes: \"nobody\" {LATER}"),
            "view 1 of the exporter in code (of \"views.*\") matches only metrics that the filter of the exporter leaves out; \
             check the filter, or take the view out"
                .to_owned(),
        ]
    );
}

#[test]
fn a_pattern_of_metrics_that_are_not_visible_is_said_as_such() {
    let filter = Filter::new().visibility(Visibilities::Private).include("views.*");
    assert_eq!(
        said_after(3, Projection::new().filter(filter)),
        [
            "include: \"views.*\" matches only public metrics so far, and the exporter takes private ones; say another visibility, or \
          take the pattern out"
        ]
    );
}

#[test]
fn a_pattern_of_labels_that_matches_none_is_said() {
    let view = View::of("views.o*")
        .keep_labels(["s*", "region", "http.*"])
        .drop_labels(["regoin"])
        .rename_label("zone", "area")
        .rename_label("region", "place");
    // What another view renames is there.
    let other = View::of("views.price").drop_labels(["place", "side"]);
    let of = |what: &str| {
        format!(
            "view 1 of the exporter in code (of \"views.o*\") {what}, which matches no label of its metrics so far; check the \
             pattern, unless such labels come later"
        )
    };
    assert_eq!(
        said_after(3, Projection::new().view(view).view(other)),
        [
            of("keeps labels by \"http.*\""),
            of("drops labels by \"regoin\""),
            of("renames labels by \"zone\"")
        ]
    );
}

#[test]
fn of_two_metrics_that_get_one_name_the_first_view_has_its_way_and_both_are_named() {
    let projection = || {
        Projection::new()
            .filter(Filter::new().include("views.o*"))
            .view(View::of("views.orders").rename("x"))
            .view(View::of("views.open").rename("x"))
    };
    let mut plan = Plan::new(Arc::new(projection()), "own");
    orders().read(|reading| {
        let kinds: Vec<_> = plan.streams(reading).iter().map(|view| view.stream().kind()).collect();
        assert_eq!(kinds, [Kind::Counter]);
    });
    let own = Pages::of(projection());
    let page = own.page.render(&orders());
    assert!(page.contains("# TYPE x counter") && !page.contains("# TYPE x gauge"), "{page}");
    for said in [plan.warnings(), own.said()] {
        let [said] = &said[..] else { panic!("{said:?}") };
        let first = said.find("(view 1 of the exporter in code gives \"views.orders\" this name, ").unwrap();
        let second = said.find("(view 2 of the exporter in code gives \"views.open\" this name, ").unwrap();
        assert!(first < second && said.contains("the second is left out"), "{said}");
    }
}

#[test]
fn of_two_labels_that_a_view_makes_one_the_first_is_renamed() {
    let store = orders();
    let view = View::of("views.orders").rename_label("region", "x").rename_label("side", "x");
    let own = Pages::of(Projection::new().filter(Filter::new().include("views.orders")).view(view));
    let page = own.lines(&store);
    assert_eq!(page.len(), 4, "{page:?}");
    assert!(page.iter().all(|line| line.contains("x=\"") && line.contains("side=\"")), "{page:?}");
    own.lines(&store);
    assert_eq!(
        own.said(),
        [
            "exporter \"own\": view 1 of the exporter in code (of \"views.orders\") renames both \"region\" and \"side\" to \"x\", \
          and labels that differ are not one; \"side\" keeps its key: rename it to another"
        ]
    );
}

#[test]
fn a_name_that_no_metric_can_have_is_left_out() {
    let projection = Projection::new()
        .filter(Filter::new().include("views.orders"))
        .view(View::of("views.orders").rename("9 bad näme"))
        .view(View::of("views.orders").alias("a b").drop_labels(["*"]));
    let own = Pages::of(projection);
    assert!(own.lines(&orders()).iter().all(|line| line.starts_with("views_orders{")));
    let [first, second] = &own.said()[..] else { panic!("{:?}", own.said()) };
    assert!(
        first.contains("view 1") && first.contains("the rename \"9 bad näme\", which does not begin"),
        "{first}"
    );
    assert!(
        second.contains("view 2") && second.contains("the alias \"a b\", which has a character"),
        "{second}"
    );
}

#[cfg(feature = "config")]
#[test]
fn a_view_of_a_file_is_named_by_its_file_and_line() {
    let text = "[telemetry]\nviews = [{ name = 'views.b*', unit = 'ms' }]\n\
                [telemetry.exporters.own]\ntype = 'prometheus'\ninclude = ['views.o*']\nviews = [\n\
                { name = 'cost.*', aggregation = 'drop' },\n{ name = 'views.price', unit = 'ms' }]\n";
    let config = crate::config::Config::builder().environment(false).text("main.toml", text).build().unwrap();
    let store = orders();
    store.scope(|| BYTES.add(1));
    let own = Pages::of(config.exporter("own").unwrap().projection().clone());
    (0..4).for_each(|_| drop(own.lines(&store)));
    let place = "exporter \"own\": main.toml:";
    assert_eq!(
        own.said(),
        [
            format!("{place}7: telemetry.exporters.own.views[0] (of \"cost.*\") {LATER}"),
            format!(
                "{place}8: telemetry.exporters.own.views[1] (of \"views.price\") matches only metrics that the filter of the \
                 exporter leaves out; check the filter, or take the view out"
            ),
        ]
    );
}
