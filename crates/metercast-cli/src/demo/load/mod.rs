//! The load generator: customers who send real requests over loopback, and count exactly what they sent and what
//! came back.
//!
//! ```text
//! pace -> ticket -> action -> customer -> tally
//! ```

mod action;
mod customer;
mod pace;
mod random;

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::service::Service;
use super::tally::SharedTally;
use customer::Customer;
use pace::Pace;

/// Running customers.
#[derive(Debug)]
pub(crate) struct Load {
    stop: watch::Sender<bool>,
    customers: JoinSet<()>,
}

/// Customers at once, each with a connection.
const CUSTOMERS: usize = 16;

impl Load {
    /// Sends `per_second` requests each second (0: as many as are answered), and counts them in `tally`.
    pub(crate) fn start(service: &Service, per_second: u32, tally: &Arc<SharedTally>) -> Load {
        let (stop, stopped) = watch::channel(false);
        let pace = Arc::new(Pace::new(per_second));
        let customers = (0..CUSTOMERS)
            .map(|_| {
                let customer = Customer::new(service.address(), service.waiting().clone(), Arc::clone(tally));
                act(customer, Arc::clone(&pace), stopped.clone())
            })
            .collect();
        Load { stop, customers }
    }

    /// Sends no more requests, and waits for the answers that are still to come.
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(true);
        self.customers.join_all().await;
    }
}

async fn act(mut customer: Customer, pace: Arc<Pace>, mut stopped: watch::Receiver<bool>) {
    loop {
        let ticket = tokio::select! {
            biased;
            _ = stopped.wait_for(|stopped| *stopped) => return,
            ticket = pace.ticket() => ticket,
        };
        customer.act(ticket).await;
    }
}
