//! What `metercast k8s` can be told on the command line.

use std::path::PathBuf;

use crate::exported::Program;

/// Which program, and what is known of it.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Prints a Deployment, a Service and a ServiceMonitor that agree with each other, with probes, and with the annotation by
which the Datadog Agent finds the page. The file is read for its addresses alone: it is no part of what is printed,
but a Secret with the name of the program, which the head of the output says how to make.

  metercast k8s --binary target/release/shop --image shop:1.4.2 -c metercast.toml --port http=8080 | kubectl apply -f -

Status 0 if all went well, 1 if something cannot be read or would not work in a cluster; 2 for wrong options.")]
pub(crate) struct Options {
    #[command(flatten)]
    pub(super) program: Program,
    /// The image, with its tag
    #[arg(long, value_name = "IMAGE")]
    pub(super) image: String,
    /// What everything is called; without, as the program's file
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// Where in the cluster it is to be: the Datadog Agent is told where a token is
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(super) namespace: String,
    /// The configuration that the program reads: where its page is, and who may see it. Without, the page is on port 9464
    #[arg(short = 'c', long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Which of the configuration's exporters is scraped, if there are several that have a page
    #[arg(long, value_name = "NAME", requires = "config")]
    pub(super) exporter: Option<String>,
    /// Another port that the program listens on, as http=8080; may be given several times
    #[arg(long = "port", value_name = "NAME=NUMBER", value_parser = port)]
    pub(super) ports: Vec<(String, u16)>,
    /// An argument of the program; may be given several times. Without, `--config` and the file if there is one
    #[arg(long = "arg", value_name = "ARGUMENT", allow_hyphen_values = true)]
    pub(super) arguments: Vec<String>,
    /// A label of what the Prometheus operator looks for, as release=stable; may be given several times
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    pub(super) labels: Vec<(String, String)>,
    /// Add a ConfigMap with the dashboard, which Grafana's sidecar finds
    #[arg(long)]
    pub(super) dashboard: bool,
    /// Add a PrometheusRule with the rules of `metercast alerts`
    #[arg(long)]
    pub(super) alerts: bool,
    #[command(flatten)]
    pub(super) limits: crate::alerts::Limits,
}

fn port(text: &str) -> Result<(String, u16), String> {
    let (name, number) = text.split_once('=').ok_or("write it as http=8080")?;
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let has_letter = name.contains(|c: char| c.is_ascii_lowercase());
    if name.is_empty() || name.len() > 15 || !name.chars().all(is_letter) || !has_letter || name == "metrics"
    {
        return Err(format!(
            "{name:?} is no name of a port: up to 15 letters a-z, digits and dashes, and not metrics, which the page has"
        ));
    }
    let number = number.parse().ok().filter(|number| *number > 0);
    Ok((name.to_owned(), number.ok_or("the number is one from 1 to 65535")?))
}

fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it as release=stable")?;
    Ok((key.to_owned(), value.to_owned()))
}
