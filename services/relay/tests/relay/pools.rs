//! The pools are asked at an interval, which nobody can make a busy loop or nothing of: step 11.

use crate::support::{Client, Relay, Services, until};

#[test]
fn an_interval_of_nothing_is_a_second_and_the_gauges_still_move() {
    let Some(services) = Services::start("an_interval_of_nothing_is_a_second_and_the_gauges_still_move")
    else {
        return;
    };
    let relay = Relay::start(&services, &[("BUZZ_POOL_METRICS_INTERVAL_SECS", "0")]);
    let size = || relay.page().value("buzz_db_pool_size").expect("a pool");
    let before = size();
    // Clients that all ask at once need connections of their own.
    let mut clients: Vec<Client> = (0..20).map(|_| Client::known(&relay.clients)).collect();
    until("the pool to grow", || {
        for client in &mut clients {
            client.say(&serde_json::json!(["COUNT", "n", {}]));
        }
        for client in &mut clients {
            assert_eq!(client.next().expect("an answer")[0], "COUNT");
        }
        (size() > before).then_some(())
    });
    assert!(size() <= 5.0);
}
