//! The laptop product: a system that runs by itself, until it is told to stop.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use jiff::SignedDuration;
use local::{ClockChoice, Handle, System, SystemOptions, guide};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::Serve;

/// How often the background task looks whether something is to be delivered or run.
const PAUSE: Duration = Duration::from_millis(250);

/// How long a failing background task waits before it tries again.
const PAUSE_AFTER_FAILURE: SignedDuration = SignedDuration::from_secs(5);

pub(crate) async fn run(serve: Serve) -> Result<ExitCode, Box<dyn Error>> {
    let Serve { port, data, in_memory, pricing, seed, clock, brand } = serve;
    let data = (!in_memory).then_some(data);
    let kept = data.as_ref().map(|path| path.display().to_string());
    let system = System::start(SystemOptions {
        pricing,
        data,
        clock: clock.map_or(ClockChoice::Wall, ClockChoice::Manual),
        brand,
        seed,
        port,
        webhooks: true,
        settled_on_drop: false,
        ..SystemOptions::default()
    })
    .await?;
    let mut out = std::io::stdout().lock();
    write!(out, "{}", guide::banner(&system, kept.as_deref()))?;
    out.flush()?;
    drop(out);

    let background = tokio::spawn(keep_going(system.handle()));
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    background.abort();
    Ok(ExitCode::SUCCESS)
}

/// Does on wall time what a test does by hand.
async fn keep_going(system: Handle) {
    loop {
        if let Err(error) = system.tick().await {
            tracing::error!(
                error = %lambda_shell::logs::Chain(&error),
                "The deliveries failed; they are tried again"
            );
            tokio::time::sleep(PAUSE_AFTER_FAILURE.unsigned_abs()).await;
        }
        tokio::time::sleep(PAUSE).await;
    }
}
