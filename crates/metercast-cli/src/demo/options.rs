//! What the demo can be told on the command line.

use std::path::PathBuf;

/// How the demo runs.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Port 0 is any free port. --json --hold also prints a line for each value that was sent.
Status 0 if everything is equal; 1 if not, or if the demo cannot start; 2 for wrong options.")]
pub(crate) struct Options {
    /// Where the order service listens
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:3000", value_parser = address)]
    pub(crate) listen: String,
    /// Where the metrics page is served [default: 127.0.0.1:9464]
    #[arg(long, value_name = "HOST:PORT", value_parser = address)]
    pub(crate) admin: Option<String>,
    /// Push to this OTLP receiver, not to the one that is built in
    #[arg(long, value_name = "URL")]
    pub(crate) otlp: Option<String>,
    /// Configure metercast by this TOML file; the options win over it
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Requests per second; 0 is as fast as possible
    #[arg(long, value_name = "N", default_value_t = 2000)]
    pub(crate) rate: u32,
    /// Seconds of load; 0 is until Ctrl-C
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub(crate) seconds: u64,
    /// Print the result as one line of JSON; progress goes to standard error
    #[arg(long)]
    pub(crate) json: bool,
    /// Keep serving the metrics afterwards, until Ctrl-C or the end of input
    #[arg(long)]
    pub(crate) hold: bool,
}

/// Looks like `host:port`; whether it can be listened on turns out when it is tried.
fn address(text: &str) -> Result<String, String> {
    let port =
        text.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
    match port {
        Some(Ok(_)) => Ok(text.to_owned()),
        Some(Err(_)) => Err("the port is a number from 0 to 65535".to_owned()),
        None => Err("write host:port, such as 127.0.0.1:0 for any free port".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn an_address_has_a_host_and_a_port() {
        for good in ["127.0.0.1:3000", "localhost:0", "[::1]:65535"] {
            assert_eq!(address(good).as_deref(), Ok(good));
        }
        for bad in ["3000", ":3000", "localhost"] {
            assert_eq!(address(bad).unwrap_err(), "write host:port, such as 127.0.0.1:0 for any free port");
        }
        assert_eq!(address("localhost:http").unwrap_err(), "the port is a number from 0 to 65535");
        assert_eq!(address("localhost:65536").unwrap_err(), "the port is a number from 0 to 65535");
    }
}
