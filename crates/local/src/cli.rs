//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use domain::catalog::PricingModel;
use jiff::Timestamp;

/// The AWS Marketplace integration on a laptop: all functions, an embedded DynamoDB and a simulated AWS Marketplace in
/// one process.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) serve: Serve,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start everything and keep it running (what happens without a command)
    Serve(Serve),
    /// Live through a subscription, from purchase to final bill, and compare the bill with what is due
    Journey(Journey),
    /// Live through worlds in which everything goes wrong, and judge each by the laws
    Simulate(Simulate),
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Serve {
    /// Port on 127.0.0.1; 0 takes any
    #[arg(long, default_value_t = 8080)]
    pub(crate) port: u16,
    /// Directory that keeps everything, over restarts and crashes
    #[arg(long, default_value = ".local", value_name = "DIR", conflicts_with = "in_memory")]
    pub(crate) data: PathBuf,
    /// Keep nothing
    #[arg(long)]
    pub(crate) in_memory: bool,
    /// How the listing charges: usage, contract or contract-with-consumption [default: what the data directory was
    /// made for, else contract-with-consumption]
    #[arg(long, value_name = "MODEL")]
    pub(crate) pricing: Option<PricingModel>,
    /// What the simulator's ids and tokens follow from
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Let time stand still at an instant, such as 2026-11-10T08:00:00Z, until it is moved on.
    #[arg(long, value_name = "INSTANT")]
    pub(crate) clock: Option<Timestamp>,
    /// Show the pages in a brand: a TOML file such as config/brand.toml.
    #[arg(long, value_name = "FILE")]
    pub(crate) brand: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Journey {
    /// How the listing charges: usage, contract or contract-with-consumption [default: all three, one after another]
    #[arg(long, value_name = "MODEL")]
    pub(crate) pricing: Option<PricingModel>,
    /// What ids and usage follow from
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Print JSON, one object a line, in place of text
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch on the command line")]
pub(crate) struct Simulate {
    /// How many worlds
    #[arg(long, default_value_t = 1000)]
    pub(crate) seeds: u64,
    /// The first world's seed
    #[arg(long, default_value_t = 1)]
    pub(crate) from: u64,
    /// One world only; when a law breaks, its story is told, shrunk to what matters
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Go on after a law was broken, and name every seed that breaks one
    #[arg(long, conflicts_with_all = ["seed", "bugs"])]
    pub(crate) all: bool,
    /// Print the whole trace of the one world
    #[arg(long, requires = "seed")]
    pub(crate) trace: bool,
    /// Steps of each world until the faults stop
    #[arg(long, default_value_t = 400)]
    pub(crate) steps: usize,
    /// Put a deliberate bug in
    #[arg(long, value_name = "NAME")]
    pub(crate) bug: Option<simulation::Bug>,
    /// Put each deliberate bug in and tell how many seeds it takes to notice it
    #[arg(long, conflicts_with = "bug")]
    pub(crate) bugs: bool,
    /// Over the embedded DynamoDB in place of the store in memory
    #[arg(long, conflicts_with_all = ["bug", "bugs", "seed"])]
    pub(crate) dynamodb: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed_and_serves_by_default() {
        Cli::command().debug_assert();
        let cli = Cli::parse_from(["local", "--port", "0", "--in-memory", "--pricing", "usage"]);
        assert!(cli.command.is_none());
        assert_eq!((cli.serve.port, cli.serve.in_memory), (0, true));
        assert_eq!(cli.serve.pricing, Some(PricingModel::Usage));
        assert!(Cli::try_parse_from(["local", "--pricing", "free"]).is_err());
    }
}
