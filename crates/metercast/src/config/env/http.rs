//! The variable that says which methods of HTTP are told apart.

use super::{CONFIG_FILE, Variables};
use crate::config::error::Findings;

const NAME: &str = "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS";

impl Variables {
    fn known_http_methods(&self) -> Option<Vec<String>> {
        if self.get(CONFIG_FILE).is_some() {
            return None;
        }
        let methods = self.get(NAME)?.split(',').map(|method| method.trim().to_owned());
        Some(methods.filter(|method| !method.is_empty()).collect())
    }
}

/// The methods of HTTP that `OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS` says are to be told apart, a list with commas, in place
/// of those that are known; `None` if it is not set, or where `OTEL_CONFIG_FILE` says everything.
///
/// For what measures HTTP; the layers of `metercast-tower` ask here.
pub fn known_http_methods() -> Option<Vec<String>> {
    let mut findings = Findings::default();
    Variables::of_process(None, &mut findings).known_http_methods()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(variables: &[(&str, &str)]) -> Option<Vec<String>> {
        let owned = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        owned.collect::<Variables>().known_http_methods()
    }

    #[test]
    fn known_methods_are_a_list_with_commas() {
        assert_eq!(known(&[]), None);
        assert_eq!(known(&[(NAME, " ")]), None);
        assert_eq!(known(&[(NAME, "GET, purge ,,QUERY")]).unwrap(), ["GET", "purge", "QUERY"]);
        assert_eq!(known(&[(NAME, ",")]).unwrap(), [""; 0]);
    }

    #[test]
    fn a_declarative_file_leaves_the_variable_out() {
        assert_eq!(known(&[(NAME, "GET"), (CONFIG_FILE, "otel.yaml")]), None);
    }
}
