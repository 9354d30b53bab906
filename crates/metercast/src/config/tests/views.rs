//! Filters and views in a file.

use metercast_core::{Kind, Visibility};

use super::*;
use crate::view::{Aggregation, Filter, GaugeMerge, Projection, Selector, View, Visibilities};

fn projection(text: &str) -> Projection {
    let config = bare().text("a.toml", text).build().unwrap();
    config.exporter("it").unwrap().projection().clone()
}

/// What is said of this view in the table of an exporter, without its place.
fn refusal(view: &str) -> String {
    let text = format!("[telemetry.exporters.it]\ntype = 'otlp'\nviews = [{view}]\n");
    let error = bare().text("a.toml", &text).build().unwrap_err().to_string();
    error
        .strip_prefix("a.toml:3: telemetry.exporters.it.views[0]")
        .unwrap_or_else(|| panic!("{error}"))
        .to_owned()
}

#[test]
fn every_key_of_a_filter_arrives() {
    let found = projection(
        "[telemetry.exporters.it]\ntype = 'prometheus'\nvisibility = 'both'\ninclude = ['http.*', 'rpc.*']\n\
         exclude = ['*.size']\ninclude_scopes = ['shop*']\nexclude_scopes = ['hyper']\n\
         buckets = [0.5, 1, 2]\ncardinality_limit = 50\n",
    );
    let filter = Filter::new()
        .visibility(Visibilities::Both)
        .include("http.*")
        .include("rpc.*")
        .exclude("*.size")
        .include_scope("shop*")
        .exclude_scope("hyper");
    assert_eq!(found, Projection::new().filter(filter).limit(50).default_buckets([0.5, 1.0, 2.0]));
}

#[test]
fn every_key_of_a_view_arrives() {
    let found = projection(
        "[telemetry.exporters.it]\ntype = 'stdout'\n\
         [[telemetry.exporters.it.views]]\nname = 'a.*'\nkind = 'histogram'\nobservable = false\n\
         unit_is = 's'\nscope = 'shop'\nscope_version = '1'\nvisibility = 'private'\n\
         description = 'd'\nunit = 'ms'\nrename_labels = { 'http.route' = 'route' }\n\
         drop_labels = ['user.*']\nkeep_labels = ['http.*', 'user.*']\nbuckets = [1, 2.5]\n\
         exemplar_labels = true\ngauges = 'max'\ncardinality_limit = 7\n\
         [[telemetry.exporters.it.views]]\nname = 'b'\nrename = 'c'\nexponential = { max_size = 20, max_scale = -2 }\n\
         [[telemetry.exporters.it.views]]\nname = 'b'\nalias = 'd'\nexponential = true\n\
         [[telemetry.exporters.it.views]]\nkind = 'gauge'\naggregation = 'drop'\n\
         [[telemetry.exporters.it.views]]\naggregation = 'default'\nexponential = false\n",
    );
    let selector = Selector {
        name: Some("a.*".into()),
        kind: Some(Kind::Histogram),
        observable: Some(false),
        unit: Some("s".to_owned()),
        scope: Some("shop".into()),
        scope_version: Some("1".to_owned()),
        visibility: Some(Visibility::Private),
    };
    let first = View::select(selector)
        .description("d")
        .unit("ms")
        .keep_labels(["http.*", "user.*"])
        .drop_labels(["user.*"])
        .rename_label("http.route", "route")
        .exemplar_labels(true)
        .buckets([1.0, 2.5])
        .gauges(GaugeMerge::Max)
        .limit(7);
    let exponential = Aggregation::Exponential { max_size: 20, max_scale: -2 };
    let expected = Projection::new()
        .view(first)
        .view(View::of("b").rename("c").aggregation(exponential))
        .view(View::of("b").alias("d").exponential())
        .view(View::select(Selector::default()).kind(Kind::Gauge).drop())
        .view(View::select(Selector::default()).keep());
    assert_eq!(found, expected);
}

#[test]
fn what_holds_for_all_lies_below_what_an_exporter_says_and_reaches_no_private_one() {
    let text = "[telemetry]\nbuckets = [1]\ncardinality_limit = 10\nviews = [{ name = 'a', unit = 's' }]\n\
                [telemetry.exporters.it]\ntype = 'otlp'\ncardinality_limit = 20\n\
                views = [{ name = 'a', unit = 'ms' }]\n[telemetry.exporters.other]\ntype = 'otlp'\n";
    let private = View::of("a").unit("h");
    let config = bare()
        .private_exporter("vendor", Otlp::default().view(private.clone()))
        .exporter("it", Otlp::default().view(View::of("b").drop()))
        .text("a.toml", text)
        .build()
        .unwrap();
    let (seconds, millis) = (View::of("a").unit("s"), View::of("a").unit("ms"));
    let all = Projection::new().default_buckets([1.0]).view(seconds);
    assert_eq!(*otlp(&config, "other").projection(), all.clone().limit(10));
    assert_eq!(*otlp(&config, "it").projection(), all.limit(20).view(millis).view(View::of("b").drop()));
    let mut of_vendor = Projection::new().view(private);
    of_vendor.filter.refuses_configured = true;
    assert_eq!(*otlp(&config, "vendor").projection(), of_vendor);
}

#[test]
fn the_resource_of_an_exporter_is_all_none_or_a_list() {
    let resource = |value| {
        let text = format!("[telemetry.exporters.it]\ntype = 'otlp'\nresource = {value}\n");
        bare().text("a.toml", &text).build().map(|config| otlp(&config, "it").resource().clone())
    };
    assert_eq!(resource("'all'").unwrap(), ResourceAttributes::All);
    assert_eq!(resource("'none'").unwrap(), ResourceAttributes::None);
    assert_eq!(resource("['a', 'b']").unwrap(), ResourceAttributes::only(["a", "b"]));
    assert_eq!(
        resource("'some'").unwrap_err().to_string(),
        "a.toml:3: telemetry.exporters.it.resource: expected \"all\", \"none\" or a list of attributes such as \
         [\"service.name\"], found \"some\""
    );
}

#[test]
fn bounds_that_do_not_increase_are_refused() {
    assert_eq!(
        refusal("{ name = 'a', buckets = [1, 2, 2] }"),
        ".buckets: has the bound 2 behind 2; write bounds in increasing order, each once"
    );
    assert_eq!(
        refusal("{ name = 'a', buckets = [inf] }"),
        ".buckets: has the bound inf, which is not finite; leave it out: the last bucket has no bound anyway"
    );
    assert_eq!(refusal("{ buckets = ['1'] }"), ".buckets: expected a number such as 0.5, found a string");
}

#[test]
fn a_limit_of_nothing_is_refused() {
    let zero = ".cardinality_limit: 0 leaves no series at all; write at least 1, or leave the metric out";
    assert_eq!(refusal("{ name = 'a', cardinality_limit = 0 }"), zero);
    assert_eq!(
        refusal("{ name = 'a', cardinality_limit = -1 }"),
        ".cardinality_limit: -1 is less than nothing; write at least 1"
    );
    let error = bare().text("a.toml", "[telemetry]\ncardinality_limit = 0\n").build().unwrap_err();
    assert_eq!(error.to_string(), format!("a.toml:2: telemetry{zero}"));
}

#[test]
fn a_pattern_that_nothing_matches_is_refused() {
    let empty = "is an empty pattern, which nothing matches; write for example \"http.*\"";
    assert_eq!(refusal("{ name = '', unit = 's' }"), format!(".name: {empty}"));
    assert_eq!(refusal("{ drop_labels = ['a', ''] }"), format!(".drop_labels: {empty}"));
    let text = "[telemetry.exporters.it]\ntype = 'otlp'\ninclude = ['']\n";
    let error = bare().text("a.toml", text).build().unwrap_err();
    assert_eq!(error.to_string(), format!("a.toml:3: telemetry.exporters.it.include: {empty}"));
}

#[test]
fn a_view_that_changes_nothing_is_refused() {
    let idle = ": changes nothing; say what to make of the metrics that it selects";
    assert_eq!(refusal("{ name = 'a' }"), idle);
    assert_eq!(refusal("{ name = 'a', exponential = false }"), idle);
    assert_eq!(refusal("{}"), idle);
}

#[test]
fn a_view_that_contradicts_itself_is_refused() {
    assert_eq!(
        refusal("{ name = 'a', rename = 'b', alias = 'c' }"),
        ": has a rename beside an alias; an alias is a name of its own, so write two views or keep one of them"
    );
    assert_eq!(
        refusal("{ name = 'a', buckets = [1], aggregation = 'drop' }"),
        ": has more than one of buckets, exponential and aggregation; keep one of them"
    );
}

#[test]
fn a_view_that_gives_several_metrics_one_name_is_refused() {
    for view in ["{ name = 'a.*', alias = 'b' }", "{ alias = 'b' }"] {
        assert_eq!(
            refusal(view),
            ": has the alias \"b\" for every metric that it selects, and one name is for one metric; select a \
             metric by its whole name"
        );
    }
}

#[test]
fn a_view_with_a_wrong_word_says_which_there_are() {
    let cases = [
        ("'a'", ": expected a table such as { name = \"http.*\", unit = \"ms\" }, found a string"),
        ("{ nmae = 'a' }", ".nmae: is not a key that is known here; did you mean \"name\"?"),
        (
            "{ kind = 'counters', unit = 's' }",
            ".kind: expected \"counter\", \"up_down_counter\", \"gauge\", \"histogram\" or \"summary\", found \
             \"counters\"; did you mean \"counter\"?",
        ),
        ("{ gauges = 'avg' }", ".gauges: expected \"newest\", \"sum\", \"min\" or \"max\", found \"avg\""),
        ("{ exponential = { max_size = 1 } }", ".exponential: has 1 for max_size; write 2 to 160"),
        ("{ exponential = { max_scale = 1000 } }", ".exponential: has 127 for max_scale; write -10 to 20"),
        (
            "{ exponential = { size = 1 } }",
            ".exponential.size: is not a key that is known here; expected \"max_size\" or \"max_scale\"",
        ),
        ("{ rename_labels = { a = '' } }", ": renames a label without a key; write both keys"),
    ];
    for (view, message) in cases {
        assert_eq!(refusal(view), message, "{view}");
    }
}

#[test]
fn a_name_that_no_metric_can_have_is_refused() {
    let rule = "(a name is a letter, then up to 254 of letters, digits and _ . - /)";
    let cases = [
        (
            "rename = '9 bad näme'",
            "rename \"9 bad näme\", which does not begin with a letter; begin it with one of A-Z a-z",
        ),
        (
            "alias = 'a b'",
            "alias \"a b\", which has a character other than letters, digits and _ . - /; replace it",
        ),
        ("alias = ''", "alias \"\", which is empty; give it a name such as \"orders.placed\""),
    ];
    for (key, message) in cases {
        assert_eq!(refusal(&format!("{{ name = 'a', {key} }}")), format!(": has the {message} {rule}"));
    }
}

#[test]
fn two_labels_that_a_view_gives_one_key_are_refused() {
    assert_eq!(
        refusal("{ name = 'a', rename_labels = { region = 'x', side = 'x' } }"),
        ": renames both \"region\" and \"side\" to \"x\", and labels that differ are not one; rename \"side\" to another"
    );
}

#[test]
fn two_metrics_that_views_give_one_name_are_refused_with_both_places() {
    let built = |views: &[&str]| {
        let views = views.join(",\n");
        let text = format!(
            "[telemetry]\nviews = [\n{views}]\n[telemetry.exporters.it]\ntype = 'otlp'\n\
                            [telemetry.exporters.other]\ntype = 'otlp'\n"
        );
        bare().text("a.toml", &text).build().map_err(|error| error.to_string())
    };
    let (a, b) = ("{ name = 'a', rename = 'x' }", "{ name = 'b', rename = 'x' }");
    let refused = "a.toml:4: telemetry.views[1]: gives \"a\" the name \"x\", which a.toml:3: telemetry.views[0] gives \"b\"; \
                   give each a name of its own";
    assert_eq!(built(&[b, a]).unwrap_err(), refused);
    assert!(built(&["{ name = 'a', alias = 'x' }", a]).is_err());
    let fine: [&[&str]; 4] = [
        &[a, a],
        &[a, "{ name = 'a', rename = 'y' }", b],
        &[a, "{ name = 'a*', aggregation = 'drop' }", b],
        &[a, "{ name = 'b', alias = 'y' }"],
    ];
    for views in fine {
        built(views).unwrap_or_else(|error| panic!("{error}"));
    }
    // One exporter takes only one of them.
    let text = format!("[telemetry.exporters.it]\ntype = 'otlp'\nexclude = ['a']\nviews = [{a}, {b}]\n");
    assert!(bare().text("a.toml", &text).build().is_ok());
    let text = format!("[telemetry.exporters.it]\ntype = 'otlp'\nviews = [{b}]\n");
    let in_code =
        bare().exporter("it", Otlp::default().view(View::of("a").rename("x"))).text("a.toml", &text);
    assert_eq!(
        in_code.build().unwrap_err().to_string(),
        "telemetry.exporters.it.views[0]: gives \"a\" the name \"x\", which a.toml:3: telemetry.exporters.it.views[0] gives \
         \"b\"; give each a name of its own"
    );
}

#[test]
fn a_view_knows_where_it_was_said() {
    let text = "[telemetry]\nviews = [{ name = 'a', unit = 's' }]\n[telemetry.exporters.it]\ntype = 'otlp'\n\
                views = [\n{ name = 'b', unit = 's' }]\n";
    let config = bare()
        .default_exporter("it", Otlp::default().view(View::of("c").drop()))
        .exporter("it", Otlp::default().view(View::of("d").drop()))
        .text("a.toml", text)
        .build()
        .unwrap();
    let views = &otlp(&config, "it").projection().views;
    let said: Vec<_> = views.iter().map(|view| (view.said.to_string(), view.said.is_for_all())).collect();
    let said: Vec<_> = said.iter().map(|(text, is_for_all)| (text.as_str(), *is_for_all)).collect();
    assert_eq!(
        said,
        [
            ("a.toml:2: telemetry.views[0]", true),
            ("view 1 of the default exporter in code", false),
            ("a.toml:6: telemetry.exporters.it.views[0]", false),
            ("view 1 of the exporter in code", false),
        ]
    );
}
