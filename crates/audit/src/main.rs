//! `audit export` and `audit verify`.

use std::error::Error;
use std::fs::File;
use std::io::{BufReader, Write, stderr, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use audit::{Known, export, verify};
use clap::{Parser, Subcommand};

/// Exports the audit trail, and checks exports.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Writes all chains of a deployment to standard output, as JSON lines.
    Export {
        /// Where the API is.
        #[arg(long, default_value = "http://127.0.0.1:8080")]
        url: String,
        /// The bearer token of an admin or operator.
        #[arg(long, env = "AUDIT_KEY", hide_env_values = true)]
        key: String,
    },
    /// Checks an export, and names the first bad row of each chain.
    Verify {
        /// The export.
        file: PathBuf,
        /// An older export, whose heads must still be there.
        #[arg(long)]
        known: Option<PathBuf>,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Cli::parse().command).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let mut causes = error.to_string();
            let mut cause = error.source();
            while let Some(error) = cause {
                causes = format!("{causes}: {error}");
                cause = error.source();
            }
            let _told = writeln!(stderr(), "audit: {causes}");
            ExitCode::from(2)
        }
    }
}

/// Whether all is well.
async fn run(command: Command) -> Result<bool, Box<dyn Error>> {
    match command {
        Command::Export { url, key } => {
            let (chains, entries) = export(&url, &key, &mut stdout().lock()).await?;
            writeln!(stderr(), "exported {chains} chains with {entries} entries")?;
            Ok(true)
        }
        Command::Verify { file, known } => {
            let known = known.as_deref().map(open).transpose()?.map(Known::of).transpose()?;
            let report = verify(open(&file)?, &known.unwrap_or_default())?;
            let mut out = stdout().lock();
            for finding in &report.findings {
                writeln!(out, "{finding}")?;
            }
            let (chains, entries) = (report.chains, report.entries);
            let verdict = if report.findings.is_empty() { "sound" } else { "NOT sound" };
            writeln!(out, "{chains} chains with {entries} entries: {verdict}")?;
            Ok(report.findings.is_empty())
        }
    }
}

fn open(path: &Path) -> std::io::Result<BufReader<File>> {
    File::open(path).map(BufReader::new)
}
