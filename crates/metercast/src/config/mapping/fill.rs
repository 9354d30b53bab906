//! What the application's own texts refer to.

use std::path::Path;

use super::Mapping;
use super::translate::respell;
use crate::config::env::Variables;
use crate::config::error::{ConfigError, Findings};
use crate::config::files::Files;
use crate::config::place::Place;
use crate::config::substitute::{self, References};
use crate::config::tree::{Node, Value};

impl Mapping {
    /// A text of the application's own part of the file, with what it refers to filled in as in the part that is metercast's: in the same
    /// spelling, each text with the limits of a file, `$$` for the character `$`. Paths start at the folder of the file, variables are those of
    /// the process.
    ///
    /// The key, from the outside in, is for the error alone.
    ///
    /// ```
    /// use metercast::config::Mapping;
    ///
    /// let own = |text| Mapping::gateway().fill("gateway.yaml".as_ref(), &["upstreams", "shop"], text);
    /// assert_eq!(own("http://${env.NO_SUCH_HOST:-localhost}:8080")?, "http://localhost:8080");
    /// assert!(own("http://${env.NO_SUCH_HOST}:8080").unwrap_err().to_string().starts_with(
    ///     "gateway.yaml: upstreams.shop: refers to the variable NO_SUCH_HOST, which is not set; set it"
    /// ));
    /// # Ok::<(), metercast::config::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// It refers to what is not there, or cannot be read, or to nothing at all.
    pub fn fill(&self, file: &Path, key: &[&str], text: &str) -> Result<String, ConfigError> {
        let (mut findings, mut files) = (Findings::default(), Files::default());
        let place = Place::file(&file.display().to_string());
        let place = key.iter().fold(place, |place, key| place.child(key));
        let mut node = Node::new(1, Value::String(text.to_owned()));
        if self.has_dotted_references {
            respell(&mut node);
        }
        let mut references = References {
            variable: &Variables::named_in_process,
            folder: file.parent().map_or_else(Default::default, Path::to_path_buf),
            files: &mut files,
            left: substitute::MOST,
        };
        references.fill_node(&place, &mut node, &mut findings);
        findings.finish(false)?;
        // What could not be filled in is an error by now.
        Ok(if let Value::String(filled) = node.value { filled } else { text.to_owned() })
    }
}
