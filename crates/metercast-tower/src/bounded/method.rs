//! The methods that are told apart; all others are `_OTHER`.

use std::sync::{Arc, OnceLock};

use http::Method;

use super::OTHER;

/// The methods that are known. Semantic conventions, `http.request.method`: those of RFC 9110, `PATCH` of RFC 5789 and
/// `QUERY` of RFC 10008, unless there is another list.
#[derive(Clone, Debug)]
pub(crate) struct Methods(Option<Arc<[Method]>>);

impl Default for Methods {
    /// Those that the environment says, which is asked once.
    fn default() -> Methods {
        static SAID: OnceLock<Methods> = OnceLock::new();
        SAID.get_or_init(|| metercast::config::known_http_methods().map_or(Methods(None), Methods::only))
            .clone()
    }
}

impl Methods {
    /// These and no others. What cannot be a method is passed over.
    pub(crate) fn only(names: impl IntoIterator<Item = impl AsRef<str>>) -> Methods {
        let methods = names.into_iter().filter_map(|name| Method::from_bytes(name.as_ref().as_bytes()).ok());
        Methods(Some(methods.collect()))
    }

    pub(crate) fn known(&self, method: &Method) -> KnownMethod {
        let is_known = match &self.0 {
            None => is_standard(method),
            Some(methods) => methods.contains(method),
        };
        KnownMethod(is_known.then(|| method.clone()))
    }
}

fn is_standard(method: &Method) -> bool {
    const QUERY: &str = "QUERY";
    match *method {
        Method::GET
        | Method::POST
        | Method::PUT
        | Method::DELETE
        | Method::HEAD
        | Method::OPTIONS
        | Method::PATCH
        | Method::CONNECT
        | Method::TRACE => true,
        _ => method.as_str() == QUERY,
    }
}

/// A method that is known, or `_OTHER`.
#[derive(Clone, Debug)]
pub(crate) struct KnownMethod(Option<Method>);

impl KnownMethod {
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_ref().map_or(OTHER, Method::as_str)
    }
}
