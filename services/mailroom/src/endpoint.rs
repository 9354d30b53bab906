//! Which endpoint a request is for: one of a few words, never an id.

use crate::id::Id;

/// The endpoint of a path.
pub(crate) fn endpoint(path: &str) -> &'static str {
    match path {
        "/" => "/",
        "/health" => "/health",
        "/ohttp-keys" => "/ohttp-keys",
        "/.well-known/ohttp-gateway" => "/.well-known/ohttp-gateway",
        _ if gateway(path).is_some() => "/{gateway}",
        _ if path.strip_prefix('/').and_then(Id::of).is_some() => "/{mailbox}",
        _ => "other",
    }
}

/// The `host:port` of the gateway that a path names by its URL.
pub(crate) fn gateway(path: &str) -> Option<&str> {
    let url = path.strip_prefix('/')?;
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    rest.split('/').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_client_asks_for_the_endpoint_is_one_of_a_few() {
        for (path, expected) in [
            ("/", "/"),
            ("/health", "/health"),
            ("/health/", "other"),
            ("/ohttp-keys", "/ohttp-keys"),
            ("/qqqqqqqqqqqqq", "/{mailbox}"),
            ("/QQQQQQQQQQQQQ", "/{mailbox}"),
            ("/qqqqqqqqqqqqq/", "other"),
            ("/qqqqqqqqqqqqb", "other"),
            ("/https://gateway.example:443/x", "/{gateway}"),
            ("/http://", "/{gateway}"),
            ("/ftp://gateway", "other"),
            ("*", "other"),
            ("", "other"),
        ] {
            assert_eq!(endpoint(path), expected, "{path}");
        }
        assert_eq!(gateway("/https://gateway.example:443/x"), Some("gateway.example:443"));
    }
}
