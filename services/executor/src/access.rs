//! Who may ask: anybody, or tenants with a token each.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use serde::Deserialize;

/// The tenants by their tokens; none is whoever reaches the service.
#[derive(Clone)]
pub(crate) struct Access {
    tenants: Option<Arc<HashMap<String, Tenant>>>,
}

/// A tenant's name.
pub(crate) type Tenant = Arc<str>;

/// There is no such token.
#[derive(Debug)]
pub(crate) struct Denied;

#[derive(Deserialize)]
struct File {
    executor: Option<Executor>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Executor {
    /// Tokens by the names of tenants.
    tenants: BTreeMap<String, String>,
}

impl Access {
    /// The tenants of a file; open if there is no file, or none in it.
    pub(crate) fn from_file(path: Option<&Path>) -> Result<Access, String> {
        let Some(path) = path else { return Ok(Access { tenants: None }) };
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        // Where and what was expected, and nothing of what stands there: that may be a token.
        let file: File = toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            let message = error.message();
            let expected =
                message.split_once(", expected").map(|(_, expected)| format!("expected{expected}"));
            let message = if message.starts_with("invalid type") {
                expected.unwrap_or_else(|| "a value of another type is needed".to_owned())
            } else {
                message.to_owned()
            };
            format!("{}:{line}: {message}", path.display())
        })?;
        let Some(executor) = file.executor else { return Ok(Access { tenants: None }) };
        let mut tenants = HashMap::new();
        for (name, token) in executor.tenants {
            if name.is_empty() || token.is_empty() {
                return Err(format!("{}: executor.tenants: a name or a token is empty", path.display()));
            }
            if let Some(other) = tenants.insert(token, Tenant::from(&*name)) {
                return Err(format!(
                    "{}: executor.tenants: {other} and {name} have the same token",
                    path.display()
                ));
            }
        }
        Ok(Access { tenants: Some(Arc::new(tenants)) })
    }

    /// Whether anybody may ask.
    pub(crate) fn is_open(&self) -> bool {
        self.tenants.is_none()
    }

    /// The tenant who asks; none if anybody may.
    pub(crate) fn tenant(&self, headers: &HeaderMap) -> Result<Option<Tenant>, Denied> {
        let Some(tenants) = &self.tenants else { return Ok(None) };
        let (scheme, token) = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .ok_or(Denied)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Denied);
        }
        tenants.get(token.trim()).cloned().map(Some).ok_or(Denied)
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenants = self.tenants.as_ref().map(|tenants| tenants.len());
        f.debug_struct("Access").field("tenants", &tenants).finish()
    }
}
