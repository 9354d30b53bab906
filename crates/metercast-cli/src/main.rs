//! The `metercast` program: what it can do, one command each.

#![forbid(unsafe_code)]

mod admin;
mod alerts;
mod compare;
mod demo;
mod diff;
mod docs;
mod doctor;
mod exported;
mod fetch;
mod grafana;
mod k8s;
mod lint;
mod manual;
mod names;
mod page;
mod preview;
mod query;
mod reload;
mod signals;
mod spelling;
mod terminal;
mod top;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// Meter once, cast everywhere.
#[derive(Debug, Parser)]
#[command(name = "metercast", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print recording and alert rules of Prometheus for a program: that it is gone, fails, is slow, or cannot hand over its metrics
    Alerts(alerts::Options),
    /// Say what two metrics pages differ in, as before and after a migration
    Compare(compare::Options),
    /// Run an order service under load, and compare what was sent with what is scraped and pushed
    Demo(demo::Options),
    /// Say what changed between two versions of a program, and whether it breaks those who read its metrics
    Diff(diff::Options),
    /// Say what a configuration comes to and where each value is from; try its exporters, and explain why one does not work
    Doctor(doctor::Options),
    /// Print the reference of a program's metrics, which is read from its file, or check that a file still says the same
    Docs(docs::Options),
    /// Print a Grafana dashboard of a program's metrics: golden signals first, then a panel for each metric by its kind and unit
    Grafana(grafana::Options),
    /// Print the manifest of a program for Kubernetes, in which ports, paths and names of its metrics agree
    K8s(k8s::Options),
    /// Say what is wrong with a metrics page although it works, by the rules of promlint and ours
    Lint(lint::Options),
    /// Print what a shell needs to complete the commands
    Completions(manual::Completions),
    /// Write the manual pages into a folder
    Man(manual::Man),
    /// Say what an exporter lets out: metrics, their names there, units, attributes and the resource
    Preview(preview::Options),
    /// Let a program read its configuration again, or say what that would change
    Reload(reload::Options),
    /// Show a metrics page as it changes: rates, quantiles, health; ours or any other
    Top(top::Options),
}

fn main() -> ExitCode {
    let answer = match Arguments::parse().command {
        Command::Alerts(options) => alerts::run(&options),
        Command::Compare(options) => compare::run(&options),
        Command::Completions(options) => manual::complete(&options, Arguments::command()),
        Command::Demo(options) => demo::run(&options),
        Command::Diff(options) => diff::run(&options),
        Command::Docs(options) => docs::run(&options),
        Command::Grafana(options) => grafana::run(&options),
        Command::K8s(options) => k8s::run(&options),
        Command::Doctor(options) => doctor::run(&options),
        Command::Lint(options) => lint::run(&options),
        Command::Man(options) => manual::write(&options, Arguments::command()),
        Command::Preview(options) => preview::run(&options),
        Command::Reload(options) => reload::run(&options),
        Command::Top(options) => top::run(&options),
    };
    terminal::end(&answer)
}
