//! What an application says of all requests of a layer, whatever is recorded of them: which are left out, what errors are called.

use std::fmt;
use std::sync::Arc;

use super::error::{self, ErrorRule};
use super::head::RequestHead;

type Predicate = Arc<dyn Fn(&RequestHead<'_>) -> bool + Send + Sync>;

/// The rules of a layer. Nothing is allocated, and nothing is asked, where there are none.
#[derive(Clone, Default)]
pub(super) struct Rules(Option<Arc<Lists>>);

#[derive(Clone, Default)]
struct Lists {
    paths: Vec<Box<str>>,
    prefixes: Vec<Box<str>>,
    predicates: Vec<Predicate>,
    errors: Vec<ErrorRule>,
}

impl Rules {
    fn lists(&mut self) -> &mut Lists {
        Arc::make_mut(self.0.get_or_insert_default())
    }

    pub(super) fn skip_path(&mut self, path: &str) {
        self.lists().paths.push(path.into());
    }

    pub(super) fn skip_prefix(&mut self, prefix: &str) {
        self.lists().prefixes.push(prefix.into());
    }

    pub(super) fn skip_if(&mut self, predicate: Predicate) {
        self.lists().predicates.push(predicate);
    }

    pub(super) fn error(&mut self, rule: ErrorRule) {
        self.lists().errors.push(rule);
    }

    /// Whether nothing is to be recorded of this request.
    pub(super) fn skip(&self, request: &RequestHead<'_>) -> bool {
        let Some(lists) = &self.0 else { return false };
        let path = request.path();
        lists.paths.iter().any(|skipped| **skipped == *path)
            || lists.prefixes.iter().any(|prefix| path.starts_with(&**prefix))
            || lists.predicates.iter().any(|predicate| predicate(request))
    }

    pub(super) fn error_type<E: 'static>(&self, error: &E) -> &'static str {
        error::error_type(self.0.as_ref().map_or(&[], |lists| &lists.errors), error)
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(lists) = &self.0 else { return f.write_str("Rules") };
        f.debug_struct("Rules")
            .field("paths", &lists.paths)
            .field("prefixes", &lists.prefixes)
            .field("predicates", &lists.predicates.len())
            .field("errors", &lists.errors.len())
            .finish()
    }
}
