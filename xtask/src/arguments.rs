//! What was asked for on the command line.

use crate::step::Step;

/// One command with its options.
#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    Help,
    Test(TestOptions),
    /// What the libraries show to others: compared with their lists, or written there.
    Api {
        write: bool,
    },
    /// The arguments as they are; the bench reads them itself.
    Bench(Vec<String>),
    /// The arguments as they are, too.
    Services(Vec<String>),
}

/// How `cargo xtask test` runs.
#[derive(Debug, PartialEq)]
pub(crate) struct TestOptions {
    pub(crate) long: bool,
    pub(crate) without_services: bool,
    /// In the order of [`Step::ALL`], whatever the order on the command line.
    pub(crate) steps: Vec<Step>,
}

const OPTIONS: &str = "--long, --without-services, --only STEP[,STEP]";

impl Command {
    /// Reads the arguments after the program's name.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Command, String> {
        let mut arguments = arguments.into_iter();
        match arguments.next().as_deref() {
            None | Some("help" | "--help" | "-h") => Ok(Command::Help),
            Some("test") => parse_test(arguments),
            Some("api") => match arguments.next().as_deref() {
                None => Ok(Command::Api { write: false }),
                Some("--write") => Ok(Command::Api { write: true }),
                Some(other) => Err(format!("unknown argument \"{other}\"; api takes --write")),
            },
            Some("bench") => Ok(Command::Bench(arguments.collect())),
            Some("services") => Ok(Command::Services(arguments.collect())),
            Some(other) => {
                Err(format!("unknown command \"{other}\"; the commands are help, test, api, bench, services"))
            }
        }
    }
}

fn parse_test(mut arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let mut options = TestOptions { long: false, without_services: false, steps: Vec::new() };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--long" => options.long = true,
            "--without-services" => options.without_services = true,
            "--only" => {
                let list = arguments.next().ok_or("--only: no step named; write --only STEP[,STEP]")?;
                add_steps(&mut options.steps, &list)?;
            }
            "--help" | "-h" => return Ok(Command::Help),
            other => match other.strip_prefix("--only=") {
                Some(list) => add_steps(&mut options.steps, list)?,
                None => return Err(format!("unknown argument \"{other}\"; test takes {OPTIONS}")),
            },
        }
    }
    let asked = |step: &Step| options.steps.is_empty() || options.steps.contains(step);
    options.steps = Step::ALL.into_iter().filter(asked).collect();
    Ok(Command::Test(options))
}

fn add_steps(steps: &mut Vec<Step>, list: &str) -> Result<(), String> {
    for name in list.split(',') {
        steps.push(Step::parse(name)?);
    }
    Ok(())
}

/// The text of `cargo xtask help`.
pub(crate) fn help() -> String {
    let mut text = String::from(
        "The one command of the workspace.

cargo xtask help    this text
cargo xtask test    everything that must hold before a change goes in; ends with `N passed, N failed, N skipped`
    --long                  run long soaks in full, not at a tenth, and look for new inputs of each fuzz target for 5 minutes
    --without-services      do without the real programs; the tests that need them are skipped by name and counted
    --only STEP[,STEP]      only these steps
cargo xtask api     what each published library shows to others, compared with its api.txt: what breaks somebody, and what is new
    --write                 write the lists anew; refused where a change breaks those who use a released version
cargo xtask bench   metercast measured beside its peers: --quick, --json FILE, --results FILE, and groups by name
cargo xtask services   all five services under load, with one Prometheus, until Ctrl-C: --seconds N, --port N, --rate N

Steps of test, in this order:
",
    );
    for step in Step::ALL {
        text += &format!("    {:<12}{}\n", step.name(), step.summary());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, String> {
        Command::parse(line.split_whitespace().map(str::to_owned))
    }

    fn test_options(line: &str) -> TestOptions {
        match parse(line) {
            Ok(Command::Test(options)) => options,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn no_arguments_print_the_help() {
        assert_eq!(parse(""), Ok(Command::Help));
        assert_eq!(parse("help"), Ok(Command::Help));
        assert_eq!(parse("test --help"), Ok(Command::Help));
    }

    #[test]
    fn a_plain_test_runs_every_step_with_the_real_programs() {
        let options = test_options("test");
        assert_eq!(options.steps, Step::ALL);
        assert!(!options.long && !options.without_services);
    }

    #[test]
    fn only_picks_steps_and_keeps_their_order() {
        assert_eq!(test_options("test --only docs,format").steps, [Step::Format, Step::Docs]);
        assert_eq!(test_options("test --only=docs --only lint").steps, [Step::Lint, Step::Docs]);
    }

    #[test]
    fn the_lists_of_what_is_public_are_written_only_if_asked() {
        assert_eq!(parse("api"), Ok(Command::Api { write: false }));
        assert_eq!(parse("api --write"), Ok(Command::Api { write: true }));
        assert!(parse("api --wirte").unwrap_err().ends_with("api takes --write"));
    }

    #[test]
    fn what_the_bench_is_told_is_passed_on() {
        let words = ["--quick", "record"].map(str::to_owned);
        assert_eq!(parse("bench --quick record"), Ok(Command::Bench(words.to_vec())));
    }

    #[test]
    fn what_the_services_are_told_is_passed_on() {
        let words = ["--seconds", "5"].map(str::to_owned);
        assert_eq!(parse("services --seconds 5"), Ok(Command::Services(words.to_vec())));
    }

    #[test]
    fn an_unknown_word_is_answered_with_what_there_is() {
        assert_eq!(
            parse("tset"),
            Err("unknown command \"tset\"; the commands are help, test, api, bench, services".to_owned())
        );
        assert!(parse("test --fast").unwrap_err().contains("--long, --without-services, --only"));
        assert!(parse("test --only fmt").unwrap_err().ends_with("sanitizers, miri, fuzz"));
        assert!(parse("test --only").unwrap_err().contains("no step named"));
    }

    #[test]
    fn the_help_names_every_step_and_option() {
        let text = help();
        for word in
            Step::ALL.map(Step::name).into_iter().chain(["--long", "--without-services", "--only", "--write"])
        {
            assert!(text.contains(word), "{word}");
        }
    }
}
