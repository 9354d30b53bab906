//! What views make of the series of one tenant.

use super::*;
use crate::{Scrape, ScrapeRequest};

const JOBS: &str = "views.share";

fn add(store: &Store, tenant: &str, host: &str, amount: u64) {
    store.scope(|| {
        u64_counter!("views.share", "By tenant", amount, "tenant" => tenant.to_owned(), "host" => host.to_owned());
    });
}

fn end(store: &Store, tenant: &'static str, host: &'static str) {
    assert!(store.remove(JOBS, [KeyValue::new("tenant", tenant), KeyValue::new("host", host)]));
}

/// Three series of each of two tenants.
fn jobs() -> Store {
    let store = Store::new();
    for (host, amount) in [("a", 1), ("b", 2), ("c", 4)] {
        add(&store, "acme", host, amount);
        add(&store, "other", host, amount);
    }
    store
}

fn scrape(store: &Store, view: View) -> Scrape {
    let page = PrometheusPage::new("own", Log::default()).projection(Projection::new().view(view));
    Scrape::new(store.clone(), page)
}

fn samples(scrape: &Scrape) -> Vec<String> {
    let answer = scrape.answer_blocking(&ScrapeRequest::new("GET"));
    let page = String::from_utf8(answer.body().to_vec()).unwrap();
    page.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

fn together() -> View {
    View::of(JOBS).drop_labels(["host"])
}

#[test]
fn the_page_of_one_tenant_has_views_and_disturbs_no_other() {
    let store = jobs();
    let all = scrape(&store, together());
    let acme = all.tenant("tenant", "acme");
    for _ in 0..2 {
        assert_eq!(samples(&acme), ["views_share_total 7"]);
        let both = [r#"views_share_total{tenant="acme"} 7"#, r#"views_share_total{tenant="other"} 7"#];
        assert_eq!(samples(&all), both);
    }
}

#[test]
fn the_sums_of_a_tenant_do_not_go_down_when_a_series_ends() {
    let store = jobs();
    let all = scrape(&store, together());
    let [acme, other] = ["acme", "other"].map(|tenant| all.tenant("tenant", tenant));
    assert_eq!([samples(&acme), samples(&other)].concat(), ["views_share_total 7", "views_share_total 7"]);
    end(&store, "acme", "a");
    for _ in 0..2 {
        assert_eq!(
            [samples(&acme), samples(&other)].concat(),
            ["views_share_total 7", "views_share_total 7"]
        );
    }
    // Another scrape for the tenant is the same page.
    add(&store, "acme", "b", 10);
    assert_eq!(samples(&all.tenant("tenant", "acme")), ["views_share_total 17"]);
    end(&store, "acme", "c");
    let reloaded = scrape(&store, together().description("Said otherwise"));
    reloaded.succeed(&all);
    assert_eq!(samples(&reloaded.tenant("tenant", "acme")), ["views_share_total 17"]);
    end(&store, "acme", "b");
    assert!(samples(&acme).is_empty(), "where none is left there is no sum");
    assert_eq!(samples(&other), ["views_share_total 7"]);
}

#[test]
fn a_limit_of_a_view_is_for_the_series_of_each_tenant_and_who_had_a_place_keeps_it() {
    let store = jobs();
    let all = scrape(&store, View::of(JOBS).limit(1));
    let acme = all.tenant("tenant", "acme");
    let of = |host: &str, amount: u64| format!("views_share_total{{host=\"{host}\"}} {amount}");
    let overflow = |amount: u64| format!("views_share_total{{otel_metric_overflow=\"true\"}} {amount}");
    assert_eq!(samples(&acme), [of("a", 1), overflow(6)]);
    end(&store, "acme", "b");
    assert_eq!(samples(&acme), [of("a", 1), overflow(6)]);
    assert_eq!(
        samples(&all),
        [
            "views_share_total{tenant=\"acme\",host=\"a\"} 1".to_owned(),
            // All that is there, but for the first.
            overflow(1 + 2 + 4 + 4),
        ]
    );
}

#[test]
fn what_the_store_has_no_room_for_is_on_the_page_of_all_and_on_that_of_no_tenant() {
    let store = Store::new();
    store.set_limit(JOBS, 2);
    for (tenant, host) in [("acme", "a"), ("other", "a"), ("acme", "b"), ("other", "b")] {
        add(&store, tenant, host, 1);
    }
    let all = scrape(&store, together());
    let overflow = "views_share_total{otel_metric_overflow=\"true\"} 2";
    assert_eq!(samples(&all).last().unwrap(), overflow);
    for tenant in ["acme", "other"] {
        assert_eq!(samples(&all.tenant("tenant", tenant)), ["views_share_total 1"]);
    }
}
