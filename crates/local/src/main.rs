//! What `cargo run` starts.

mod cli;
mod serve;
mod simulate;

use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Command};
use lambda_shell::logs::Chain;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let Cli { command, serve } = Cli::parse();
    match command.unwrap_or(Command::Serve(serve)) {
        Command::Serve(serve) => {
            logs("info");
            exit(serve::run(serve).await)
        }
        Command::Simulate(asked) => {
            logs("off");
            exit(simulate::run(asked).await)
        }
        Command::Journey(journey) => {
            logs("error");
            exit(journey_of(journey).await)
        }
    }
}

/// Logs go to standard error, so that what is printed can be piped.
fn logs(default: &str) {
    let level = std::env::var("LOG_LEVEL").unwrap_or_else(|_| default.to_owned()).to_lowercase();
    let filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

async fn journey_of(
    cli::Journey { pricing, seed, json }: cli::Journey,
) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let format = if json { local::journey::Format::Json } else { local::journey::Format::Text };
    let agrees = local::journey::tell(pricing, seed, format, &mut std::io::stdout()).await?;
    Ok(if agrees { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[expect(clippy::print_stderr, reason = "the last words of a program that could not do its work")]
fn exit(result: Result<ExitCode, Box<dyn std::error::Error>>) -> ExitCode {
    result.unwrap_or_else(|error| {
        eprintln!("error: {}", Chain(error.as_ref()));
        ExitCode::FAILURE
    })
}
