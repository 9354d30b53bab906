//! Configuration files at random: some that can be had, and some that cannot.

use std::fmt::Write;
use std::net::SocketAddr;

use crate::support::random::Random;

/// What stays the same all the time: where the receivers are, each at two addresses.
pub(crate) struct Places {
    pub(crate) cumulative: [String; 2],
    pub(crate) delta: [String; 2],
    /// Of those that are added and removed.
    pub(crate) other: String,
    /// Somebody else listens here.
    pub(crate) taken: SocketAddr,
}

/// A file that can be had.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setup {
    pub(crate) text: String,
    /// How the page is asked for.
    pub(crate) path: &'static str,
    pub(crate) token: String,
    /// What it has to say of the buckets of the page.
    pub(crate) buckets: String,
}

/// In seconds. All but the first are asked for late.
const BOUNDS: [&[f64]; 7] = [
    &[1.0, 5.0],
    &[0.5, 2.0],
    &[0.75],
    &[0.125, 0.25, 8.0],
    &[1.5, 3.0, 4.5, 6.0],
    &[0.25, 1.0, 2.5, 5.0, 7.5],
    &[9.0],
];

const HEAD: &str = "[telemetry]\n";

impl Setup {
    /// All exporters, and nothing is changed.
    pub(crate) fn plain(places: &Places) -> Setup {
        let text = format!(
            "{HEAD}{}{}{}",
            page("127.0.0.1:0", "/metrics", "plain", ""),
            push("cumulative", &places.cumulative[0], "a", ""),
            push("delta", &places.delta[0], "a", ""),
        );
        Setup { text, path: "/metrics", token: "plain".to_owned(), buckets: String::new() }
    }

    pub(crate) fn at_random(random: &mut Random, places: &Places) -> Setup {
        let mut text = HEAD.to_owned();
        if random.one_in(4) {
            text += "self_metrics = false\n";
        }
        let path = random.pick(&["/metrics", "/m"]);
        let token = format!("token-{}", random.below(3));
        let (views, buckets) = views(random);
        text += &page(random.pick(&["127.0.0.1:0", "localhost:0"]), path, &token, &views);
        let tokens = ["a", "b", "c"];
        if !random.one_in(4) {
            let endpoint = &places.cumulative[random.below(2)];
            text += &push("cumulative", endpoint, random.pick(&tokens), &views_of(random));
        }
        let endpoint = &places.delta[random.below(2)];
        text += &push("delta", endpoint, random.pick(&tokens), &views_of(random));
        for number in 0..random.below(3) {
            let views = views_of(random);
            let _ = match random.one_in(2) {
                true => writeln!(
                    text,
                    "[telemetry.exporters.z-{number}]\ntype = 'prometheus'\nlisten = '127.0.0.1:0'\n{views}"
                ),
                false => writeln!(
                    text,
                    "[telemetry.exporters.more-{number}]\ntype = 'otlp'\nendpoint = '{}'\ninterval = '1h'\n{views}",
                    places.other
                ),
            };
        }
        Setup { text, path, token, buckets }
    }

    /// A file that cannot be had, made of this one.
    pub(crate) fn broken(&self, random: &mut Random, places: &Places) -> String {
        let more = match random.below(8) {
            0 => "[telemetry".to_owned(),
            1 => "[telemetry.exporters.late]\ntype = 'otlp'\nintervall = '10s'\n".to_owned(),
            2 => "[[telemetry.exporters.page.views]]\nname = 'soak.wait'\nbuckets = [2, 1]\n".to_owned(),
            3 => format!(
                "[telemetry.exporters.late]\ntype = 'prometheus'\nlisten = '{}'\n",
                places.taken
            ),
            4 => "[telemetry.exporters.late]\ntype = 'otlp'\nauth = { bearer = '${file:no/such/secret}' }\n".to_owned(),
            5 => "[[telemetry.exporters.delta.views]]\nname = 'soak.*'\ncardinality_limit = 0\n".to_owned(),
            6 => "[telemetry.exporters.one]\ntype = 'prometheus'\nlisten = '127.0.0.1:7'\n[telemetry.exporters.two]\n\
                  type = 'prometheus'\nlisten = '127.0.0.1:7'\n"
                .to_owned(),
            _ => return self.text.replacen("[telemetry]\n", "[telemetry]\ninclude = ['soak.toml']\n", 1),
        };
        format!("{}{more}", self.text)
    }
}

fn page(listen: &str, path: &str, token: &str, views: &str) -> String {
    format!(
        "[telemetry.exporters.page]\ntype = 'prometheus'\nlisten = '{listen}'\npath = '{path}'\nreload = true\n\
         auth = {{ bearer = '{token}' }}\n{views}"
    )
}

fn push(name: &str, endpoint: &str, token: &str, views: &str) -> String {
    format!(
        "[telemetry.exporters.{name}]\ntype = 'otlp'\nendpoint = '{endpoint}'\ninterval = '20ms'\n\
         temporality = '{name}'\nauth = {{ bearer = '{token}' }}\n{views}"
    )
}

fn views_of(random: &mut Random) -> String {
    views(random).0
}

/// Keys of an exporter, and what they say of buckets. The label `side` stays.
fn views(random: &mut Random) -> (String, String) {
    let mut text = String::new();
    if random.one_in(3) {
        text += "exclude = ['soak.noise']\nvisibility = 'both'\n";
    }
    let mut views = Vec::new();
    if random.one_in(3) {
        views.push("{ name = 'soak.orders', rename = 'renamed.orders' }".to_owned());
    }
    if random.one_in(4) {
        views.push("{ name = 'soak.orders', alias = 'also.orders' }".to_owned());
    }
    match random.below(4) {
        0 => views.push("{ name = 'soak.*', drop_labels = ['region'] }".to_owned()),
        1 => views.push("{ name = 'soak.*', rename_labels = { region = 'zone' } }".to_owned()),
        2 => views.push("{ name = 'soak.o*', keep_labels = ['side', 'z*'] }".to_owned()),
        _ => {}
    }
    let scale = if random.one_in(3) {
        views.push("{ name = 'soak.wait', unit = 'ms' }".to_owned());
        1000.0
    } else {
        1.0
    };
    let buckets = match random.below(6) {
        0..3 => {
            let bounds: Vec<f64> = random.pick(&BOUNDS).iter().map(|bound| bound * scale).collect();
            format!("{{ name = 'soak.wait', buckets = {bounds:?} }}")
        }
        3 => "{ name = 'soak.wait', exponential = true }".to_owned(),
        _ => String::new(),
    };
    if !buckets.is_empty() {
        views.push(buckets.clone());
    }
    if random.one_in(5) {
        views.push("{ name = 'nobody.has.this', aggregation = 'drop' }".to_owned());
    }
    let _ = writeln!(text, "views = [{}]", views.join(", "));
    (text, buckets)
}
