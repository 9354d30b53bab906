//! What a command says to whoever started it: its answer on standard output, and what is wrong on the other.

use std::io::{self, Write};
use std::process::ExitCode;

/// Whether all is well, or why a command could not do what it was asked for.
pub(crate) type Answer = Result<bool, String>;

/// Says why it did not work if it did not, and gives the status for scripts: 0 only if all is well.
pub(crate) fn end(answer: &Answer) -> ExitCode {
    match answer {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(trouble) => {
            say(&format!("error: {trouble}"));
            ExitCode::FAILURE
        }
    }
}

/// Prints an answer at once; whether anybody still reads. Whoever has seen enough closes it, as `head` does.
pub(crate) fn print(text: impl AsRef<[u8]>) -> Result<bool, String> {
    let mut output = io::stdout().lock();
    match output.write_all(text.as_ref()).and_then(|()| output.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(format!("cannot write to standard output: {error}")),
    }
}

/// Says something beside the answer; that nobody listens is no trouble.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
