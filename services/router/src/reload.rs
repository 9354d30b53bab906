//! Everything that a reload replaces, and how: first all that may fail, then the change, then what was there before retires.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use metercast_tower::Telemetry;

use crate::configuration::Configuration;
use crate::pipeline::Pipeline;
use crate::stages::Measured;
use crate::telemetry;

/// The service at work.
#[derive(Debug)]
pub(crate) struct Service {
    file: PathBuf,
    pub(crate) measured: Measured,
    pipeline: Mutex<Arc<Pipeline>>,
    /// Held while a reload is under way. `None` once it was shut down.
    telemetry: Mutex<Option<Telemetry>>,
}

impl Service {
    pub(crate) fn new(
        file: PathBuf,
        configuration: &Configuration,
        instruments: usize,
        measured: Measured,
        telemetry: Telemetry,
    ) -> Result<Service, String> {
        let pipeline = Mutex::new(Arc::new(Pipeline::new(configuration, instruments)?));
        Ok(Service { file, measured, pipeline, telemetry: Mutex::new(Some(telemetry)) })
    }

    /// What new connections are served by.
    pub(crate) fn pipeline(&self) -> Arc<Pipeline> {
        Arc::clone(&self.pipeline.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the configuration again.
    ///
    /// # Errors
    ///
    /// Why it cannot be used; then everything is as before.
    pub(crate) async fn reload(self: &Arc<Self>) -> Result<String, String> {
        let service = Arc::clone(self);
        // Files are read, and exporters are built.
        let reloaded = tokio::task::spawn_blocking(move || service.reload_now()).await;
        reloaded.unwrap_or_else(|error| Err(error.to_string()))
    }

    fn reload_now(&self) -> Result<String, String> {
        let telemetry = self.telemetry.lock().unwrap_or_else(PoisonError::into_inner);
        let telemetry = telemetry.as_ref().ok_or("the router is shutting down")?;
        let mut next = None;
        let reloaded = telemetry.reload_with(|| {
            let configuration = Configuration::read(&self.file)?;
            let config = telemetry::configure(&self.file, &configuration, &self.measured)?;
            next = Some(Arc::new(Pipeline::new(&configuration, config.instruments())?));
            Ok::<_, crate::Error>(config)
        });
        let reloaded = reloaded.map_err(|error| error.to_string())?;
        let next = next.ok_or("there is no configuration")?;
        let mut pipeline = self.pipeline.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *pipeline, next);
        drop(pipeline);
        before.retire();
        Ok(reloaded.to_string())
    }

    /// Pushes for the last time.
    pub(crate) fn shut_down(&self) {
        let telemetry = self.telemetry.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The service did its work; that the last numbers are missing somewhere is no reason to call it failed.
        if let Some(Err(error)) = telemetry.map(Telemetry::shutdown) {
            eprintln!("router: {error}");
        }
    }
}
