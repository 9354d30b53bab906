//! The controller: takes jobs over HTTP and puts them into the queue, and knows which agents are there.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use metercast_jobs::Jobs;
use tokio::net::TcpListener;

use crate::component::{Ending, Error};
use crate::queue::Connection;
use crate::routes;
use crate::settings::Settings;
use crate::telemetry::Measured;
use crate::workers;

/// How long requests may go on after it is asked to end.
const DRAIN: Duration = Duration::from_secs(2);

/// How often health is looked at.
pub(crate) const CHECKED: Duration = Duration::from_secs(1);

/// What the routes need.
pub(crate) struct Controller {
    pub(crate) connection: Connection,
    pub(crate) jobs: Jobs,
}

/// Runs until it is asked to end.
pub(crate) async fn run(settings: &Settings, measured: &Measured, asked: Ending) -> Result<(), Error> {
    let host = (&*settings.controller.host, settings.controller.port);
    let listener = TcpListener::bind(host)
        .await
        .map_err(|error| format!("controller {}:{}: {error}; choose another port", host.0, host.1))?;
    let address = listener.local_addr()?;
    let connection = Connection::begin(settings).await?;
    let checks = measured.is_enabled().then(|| {
        let runtime = tokio::runtime::Handle::current();
        let of_check = connection.clone();
        let nats = measured.health().check("nats").interval(CHECKED);
        let nats = nats.run(move || runtime.block_on(of_check.check()));
        let api = measured.health().check("controller.api").interval(CHECKED);
        [nats, api.run(move || connect(address))]
    });
    let watching = workers::watch(connection.clone(), settings, measured)?;
    let controller = Arc::new(Controller { connection, jobs: measured.jobs()?.zeroes() });
    let app = routes::router(controller, measured, &settings.controller.host);
    announce(Some(address), measured);
    let ended = asked.clone();
    let server = axum::serve(listener, app).with_graceful_shutdown(async move { ended.asked().await });
    tokio::select! {
        done = server => done?,
        () = async {
            asked.asked().await;
            tokio::time::sleep(DRAIN).await;
        } => eprintln!("osapi: requests that took longer than {DRAIN:?} to end were cut off"),
    }
    watching.abort();
    drop(checks);
    Ok(())
}

/// Says where it is.
pub(crate) fn announce(api: Option<SocketAddr>, measured: &Measured) {
    let said = |address: Option<SocketAddr>| {
        address.map_or("none".to_owned(), |address| format!("http://{address}"))
    };
    println!("osapi: {} api {} metrics {}", measured.component(), said(api), said(measured.address()));
}

/// Whether somebody listens there.
fn connect(address: SocketAddr) -> Result<(), std::io::Error> {
    std::net::TcpStream::connect_timeout(&address, Duration::from_secs(1)).map(drop)
}
