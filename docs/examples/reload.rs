//! Settings change while the program runs, and no count begins anew. What is wrong is refused as a whole, with its line.
//!
//! ```text
//! $ cargo run -q -p docs --example reload
//! orders_placed_total 1
//! scrape: views changed
//! shop_orders_total 2
//! shop.toml:4: telemetry.exporters.scrape.veiws: is not a key that is known here; did you mean "views"?
//! shop_orders_total 3
//! scrape: views changed
//! orders_placed_total 3
//! ```

// A program talks to its terminal.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::Path;

use metercast::config::ConfigError;
use metercast::{Config, Telemetry, u64_counter};

const PAGE: &str = "[telemetry.exporters.scrape]\ntype = \"prometheus\"\nlisten = \"127.0.0.1:0\"\n";
const RENAMED: &str = "views = [{ name = \"orders.placed\", rename = \"shop.orders\" }]\n";
const WRONG: &str = "veiws = []\n";

fn read(file: &Path) -> Result<Config, ConfigError> {
    Config::builder().environment(false).self_metrics(false).file(file).build()
}

/// What Prometheus would see.
async fn scrape(telemetry: &Telemetry) -> Result<(), Box<dyn Error>> {
    let page = reqwest::get(telemetry.scrape_url().ok_or("there is no page")?).await?.text().await?;
    page.lines()
        .filter(|line| line.contains("orders") && !line.starts_with('#'))
        .for_each(|line| println!("{line}"));
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::temp_dir().join(format!("metercast-example-{}.toml", std::process::id()));
    std::fs::write(&file, PAGE)?;
    let telemetry = Telemetry::start(read(&file)?)?;
    for change in [RENAMED, WRONG, ""] {
        u64_counter!("orders.placed", "Orders accepted", 1);
        scrape(&telemetry).await?;
        std::fs::write(&file, format!("{PAGE}{change}"))?;
        // In most programs `TelemetryBuilder::watch` or `reload_on_sighup` does this.
        match telemetry.reread() {
            Ok(reloaded) => println!("{reloaded}"),
            Err(refused) => {
                println!("{}", refused.to_string().replace(&*file.to_string_lossy(), "shop.toml"));
            }
        }
    }
    scrape(&telemetry).await?;
    std::fs::remove_file(file)?;
    drop(telemetry);
    Ok(())
}
