//! Where everything listens: on loopback, on ports that are free, or on those from a number on.

use std::net::TcpListener;

use conformance::program::free_address;

/// What listens, in the order of ports.
const ALL: [&str; 13] = [
    "Prometheus",
    "the mailroom",
    "the relay",
    "the relay's health",
    "the relay's page",
    "the executor",
    "the controller",
    "the controller's page",
    "the agent's page",
    "the router",
    "the router's admin address",
    "the router's page",
    "the page of the load",
];

/// Addresses for all that listens.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    first: Option<u16>,
}

impl Ports {
    /// Whichever are free.
    pub fn free() -> Ports {
        Ports { first: None }
    }

    /// Those from this one on, which are the same from run to run.
    ///
    /// # Errors
    ///
    /// If one of them is taken: which, and for what it was meant.
    pub fn from(first: u16) -> Result<Ports, String> {
        for (number, what) in (u32::from(first)..).zip(ALL) {
            let port =
                u16::try_from(number).map_err(|_| format!("--port {first}: there is no port {number}"))?;
            TcpListener::bind(("127.0.0.1", port)).map_err(|error| {
                format!("--port {first}: port {port}, for {what}, cannot be had: {error}; choose another number, or none")
            })?;
        }
        Ok(Ports { first: Some(first) })
    }

    /// The address of what says where it is once it listens.
    pub(crate) fn of(self, what: &str) -> String {
        self.known(what).unwrap_or_else(|| "127.0.0.1:0".to_owned())
    }

    /// The address of what cannot be asked.
    pub(crate) fn fixed(self, what: &str) -> String {
        self.known(what).unwrap_or_else(free_address)
    }

    fn known(self, what: &str) -> Option<String> {
        let number = ALL.into_iter().position(|known| known == what).expect("it is in the list");
        self.first.map(|first| format!("127.0.0.1:{}", usize::from(first) + number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_is_named_with_what_it_was_meant_for() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = Ports::from(port).unwrap_err();
        assert!(error.contains(&format!("port {port}, for Prometheus, cannot be had")), "{error}");
        assert!(Ports::from(65_530).unwrap_err().contains("65536"), "there are not enough behind it");
    }

    #[test]
    fn whichever_is_free_is_asked_for_by_nought() {
        assert_eq!(Ports::free().of("the router"), "127.0.0.1:0");
        assert_ne!(Ports::free().fixed("Prometheus"), "127.0.0.1:0");
        assert_eq!(Ports { first: Some(9300) }.of("the executor"), "127.0.0.1:9305");
    }
}
