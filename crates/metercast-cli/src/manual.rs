//! `metercast completions` and `metercast man`: made from the definition of the commands, so they cannot say anything else.

use std::io;
use std::path::{Path, PathBuf};

use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man as Page;

use crate::terminal::{Answer, data};

/// For which shell.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
  metercast completions bash > ~/.local/share/bash-completion/completions/metercast
  metercast completions zsh > ~/.zfunc/_metercast
  metercast completions fish > ~/.config/fish/completions/metercast.fish")]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Where to.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
  metercast man ~/.local/share/man/man1; man metercast-top")]
pub(crate) struct Man {
    /// A folder, which is made if it is not there
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// Prints what a shell needs.
pub(crate) fn complete(options: &Completions, mut command: Command) -> Answer {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut command, "metercast", &mut script);
    data(script)?;
    Ok(true)
}

/// Writes a page for the program and one for each of its commands.
pub(crate) fn write(options: &Man, mut command: Command) -> Answer {
    let folder = &options.folder;
    // So that the page of a command is called as the command is.
    command.build();
    let pages = std::iter::once(("metercast".to_owned(), command.clone()));
    let of_commands = command.get_subcommands().filter(|sub| sub.get_name() != "help");
    let pages = pages.chain(of_commands.map(|sub| (format!("metercast-{}", sub.get_name()), sub.clone())));
    let written = std::fs::create_dir_all(folder).map_err(|error| (folder.clone(), error)).and_then(|()| {
        pages.map(|(name, command)| page(folder, &name, command)).collect::<Result<Vec<_>, _>>()
    });
    written.map(|_| true).map_err(|(path, error)| format!("cannot write {}: {error}", path.display()))
}

fn page(folder: &Path, name: &str, command: Command) -> Result<(), (PathBuf, io::Error)> {
    let path = folder.join(format!("{name}.1"));
    let mut text = Vec::new();
    let rendered = Page::new(command)
        .title(name)
        .source(concat!("metercast ", env!("CARGO_PKG_VERSION")))
        .render(&mut text);
    rendered.and_then(|()| std::fs::write(&path, text)).map_err(|error| (path, error))
}
