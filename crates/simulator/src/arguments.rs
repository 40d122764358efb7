//! The command line of the simulator on its own, and its configuration file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Parser;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use simulator::{Clock, Options, Pricing, Product, Switches};

/// Simulates AWS Marketplace for any AWS SDK, on this machine only.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// Port on the loopback address; 0 takes any free one.
    #[arg(long, default_value_t = 4510)]
    pub(crate) port: u16,
    /// File that keeps all state over restarts; without it, state is in memory.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// TOML file with any of: seed, product, `more_products`, accounts, switches.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Sets a switch; can be repeated.
    #[arg(long = "switch", value_name = "NAME=VALUE")]
    switches: Vec<String>,
    /// Seed of all ids and random faults.
    #[arg(long)]
    seed: Option<u64>,
    /// Pricing of the product: usage, contract or contract-with-consumption.
    #[arg(long)]
    pricing: Option<Pricing>,
    /// Code of the product.
    #[arg(long)]
    product_code: Option<String>,
    /// URL that every due notification is posted to until it answers 2xx (http only).
    #[arg(long, value_name = "URL")]
    pub(crate) deliver_to: Option<String>,
    /// `wall`, or a time such as `2026-11-24T08:00:00Z` at which the clock stands still until it
    /// is moved.
    #[arg(long, default_value = "wall")]
    clock: String,
}

/// The configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    seed: Option<u64>,
    product: Option<Product>,
    more_products: Vec<Product>,
    accounts: BTreeMap<String, String>,
    fulfilment_url: Option<String>,
    switches: Map<String, Value>,
}

impl Arguments {
    /// What to start the simulator with; the command line wins over the file.
    pub(crate) fn options(&self) -> Result<Options, String> {
        let config = self.config()?;
        let mut switches = Switches::default();
        switches.merge(config.switches).map_err(|error| format!("--config: {error}"))?;
        for switch in &self.switches {
            let (name, value) = switch
                .split_once('=')
                .ok_or_else(|| format!("--switch {switch}: expected NAME=VALUE"))?;
            switches.set(name, value).map_err(|error| format!("--switch {switch}: {error}"))?;
        }
        let mut product = match (self.pricing, config.product) {
            (Some(pricing), _) => Product::sample(pricing),
            (None, Some(product)) => product,
            (None, None) => Product::default(),
        };
        if let Some(code) = &self.product_code {
            product.code.clone_from(code);
        }
        let clock = match self.clock.as_str() {
            "wall" => Clock::wall(),
            time => Clock::manual(
                time.parse::<Timestamp>().map_err(|error| format!("--clock {time}: {error}"))?,
            ),
        };
        let defaults = Options::default();
        Ok(Options {
            product,
            more_products: config.more_products,
            clock,
            switches,
            seed: self.seed.or(config.seed).unwrap_or(defaults.seed),
            storage: self.data.clone(),
            accounts: config.accounts,
            fulfilment_url: config.fulfilment_url.unwrap_or(defaults.fulfilment_url),
            stopwatch: defaults.stopwatch,
            ..Options::default()
        })
    }

    fn config(&self) -> Result<Config, String> {
        let Some(path) = &self.config else { return Ok(Config::default()) };
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("--config {}: {error}", path.display()))?;
        toml::from_str(&text).map_err(|error| format!("--config {}: {error}", path.display()))
    }
}
