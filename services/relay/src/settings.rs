//! What the environment says.

use std::collections::HashSet;
use std::str::FromStr;
use std::time::Duration;

/// The settings, each a variable of the environment. What is empty or cannot be read is as if it were not there.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `BUZZ_HOST`: the address of all three listeners.
    pub(crate) host: String,
    /// `BUZZ_PORT`: clients.
    pub(crate) port: u16,
    /// `BUZZ_HEALTH_PORT`: whoever asks how it is.
    pub(crate) health_port: u16,
    /// `BUZZ_METRICS_PORT`: scrapers.
    pub(crate) metrics_port: u16,
    /// `DATABASE_URL`.
    pub(crate) database_url: String,
    /// `REDIS_URL`.
    pub(crate) redis_url: String,
    /// `BUZZ_POOL_METRICS_INTERVAL_SECS`: how often pools are asked how they stand. What is less than a second, the sampler makes one.
    pub(crate) pool_interval: Duration,
    /// `BUZZ_AUTH_TIMEOUT_SECS`: how long a client may take to say who he is.
    pub(crate) auth_timeout: Duration,
    /// `BUZZ_SEND_QUEUE`: how many messages may wait for a client.
    pub(crate) send_queue: usize,
    /// `BUZZ_AUDIT_QUEUE`: how many entries of the audit log may wait to be written.
    pub(crate) audit_queue: usize,
    /// `BUZZ_SHUTDOWN_GRACE_SECS`: how long clients still come after SIGTERM.
    pub(crate) grace: Duration,
    /// `BUZZ_ALLOWLIST`: who may come, with commas between; all if it is not there.
    pub(crate) allowlist: Option<HashSet<String>>,
    /// `BUZZ_MEMBERS_ONLY`: whether those must be in the table `members` too.
    pub(crate) members_only: bool,
    /// `BUZZ_OTEL_FILTER`: which spans are traced.
    pub(crate) traces_filter: Option<String>,
    /// `BUZZ_MEDIA_PER_MINUTE`: how many uploads are taken in a minute.
    pub(crate) media_per_minute: u32,
}

impl Settings {
    /// Those of this process.
    pub fn from_environment() -> Settings {
        Settings::from_variables(|name| std::env::var(name).ok())
    }

    /// Those of a process with these variables.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Settings {
        let variables = Variables(variable);
        let seconds = |name, unless| Duration::from_secs(variables.number(name, unless));
        Settings {
            host: variables.text("BUZZ_HOST", "0.0.0.0"),
            port: variables.number("BUZZ_PORT", 3000),
            health_port: variables.number("BUZZ_HEALTH_PORT", 8080),
            metrics_port: variables.number("BUZZ_METRICS_PORT", 9102),
            database_url: variables.text("DATABASE_URL", "postgres://relay@127.0.0.1:5432/relay"),
            redis_url: variables.text("REDIS_URL", "redis://127.0.0.1:6379"),
            pool_interval: seconds("BUZZ_POOL_METRICS_INTERVAL_SECS", 10),
            auth_timeout: seconds("BUZZ_AUTH_TIMEOUT_SECS", 30),
            send_queue: variables.number("BUZZ_SEND_QUEUE", 256).max(1),
            audit_queue: variables.number("BUZZ_AUDIT_QUEUE", 1024).max(1),
            grace: seconds("BUZZ_SHUTDOWN_GRACE_SECS", 5),
            allowlist: variables
                .get("BUZZ_ALLOWLIST")
                .map(|names| names.split(',').map(|name| name.trim().to_owned()).collect()),
            members_only: variables.number("BUZZ_MEMBERS_ONLY", false),
            traces_filter: variables.get("BUZZ_OTEL_FILTER"),
            media_per_minute: variables.number("BUZZ_MEDIA_PER_MINUTE", 60),
        }
    }
}

/// Variables of an environment, read.
struct Variables<F>(F);

impl<F: Fn(&str) -> Option<String>> Variables<F> {
    fn get(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    fn text(&self, name: &str, unless: &str) -> String {
        self.get(name).unwrap_or_else(|| unless.to_owned())
    }

    fn number<T: FromStr>(&self, name: &str, unless: T) -> T {
        self.get(name).and_then(|value| value.trim().parse().ok()).unwrap_or(unless)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_empty_or_cannot_be_read_is_as_if_it_were_not_there() {
        for value in ["", "x", "-1", "1.5"] {
            let settings = Settings::from_variables(|_| Some(value.to_owned()));
            assert_eq!((settings.port, settings.metrics_port), (3000, 9102), "{value}");
            assert_eq!(settings.pool_interval, Duration::from_secs(10), "{value}");
        }
        let settings = Settings::from_variables(|_| Some("0".to_owned()));
        assert_eq!((settings.metrics_port, settings.pool_interval), (0, Duration::ZERO));
    }
}
