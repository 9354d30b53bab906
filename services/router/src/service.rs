//! The service at work: what requests are served by, and how a reload replaces it: first all that may fail, then the change,
//! then what was there before retires.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use metercast_tower::{Config, Telemetry};

use crate::Error;
use crate::configuration::Configuration;
use crate::pipeline::Pipeline;
use crate::stages::Measured;
use crate::telemetry;

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// What requests are served by, and how they are measured.
#[derive(Debug)]
pub(crate) struct Service {
    file: PathBuf,
    pub(crate) measured: Measured,
    pipeline: RwLock<Arc<Pipeline>>,
}

impl Service {
    /// Reads the file and starts what it asks for. From then on it is read again on SIGHUP, when it changes, and by
    /// [`Telemetry::reread`].
    ///
    /// # Errors
    ///
    /// What is wrong with the file, or why an exporter cannot start.
    pub(crate) fn start(file: &Path) -> Result<(Arc<Service>, Telemetry), Error> {
        let measured = Measured::default();
        let (config, configuration) = read(file, &measured)?;
        let pipeline = RwLock::new(Arc::new(Pipeline::new(&configuration, config.instruments())?));
        let service = Arc::new(Service { file: file.to_owned(), measured, pipeline });
        let reloaded = Arc::clone(&service);
        let telemetry = Telemetry::builder(config).watch(LOOK).reload_on_sighup();
        let telemetry = telemetry.reread_by(move || {
            let (config, next) = reloaded.next()?;
            let service = Arc::clone(&reloaded);
            Ok((config, move || next.into_iter().for_each(|next| service.replace(next))))
        });
        Ok((service, telemetry.start()?))
    }

    /// What new connections are served by.
    pub(crate) fn pipeline(&self) -> Arc<Pipeline> {
        Arc::clone(&self.pipeline.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the file says now, and another pipeline if it says something else.
    fn next(&self) -> Result<(Config, Option<Pipeline>), Error> {
        let (config, configuration) = read(&self.file, &self.measured)?;
        if self.pipeline().hash() == configuration.hash {
            return Ok((config, None));
        }
        let pipeline = Pipeline::new(&configuration, config.instruments())?;
        Ok((config, Some(pipeline)))
    }

    fn replace(&self, next: Pipeline) {
        let mut pipeline = self.pipeline.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *pipeline, Arc::new(next));
        drop(pipeline);
        before.retire();
    }
}

fn read(file: &Path, measured: &Measured) -> Result<(Config, Configuration), Error> {
    let configuration = Configuration::read(file)?;
    Ok((telemetry::configure(file, &configuration, measured)?, configuration))
}
