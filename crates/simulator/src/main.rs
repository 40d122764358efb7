//! The simulator on its own: `cargo run -p simulator`.

mod arguments;
mod deliver;

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use clap::Parser;
use simulator::Simulator;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use self::arguments::Arguments;

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(io::stderr(), "simulator: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), String> {
    let mut options = arguments.options()?;
    let product = options.product.clone();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port));
    let listener = TcpListener::bind(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "port {} is taken; choose another with --port, or 0 for any free one",
            arguments.port
        ),
        _ => format!("cannot listen on {address}: {error}"),
    })?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    options.sns_url = format!("http://{address}/_sim/sns/");
    let simulator = Simulator::open(options).map_err(|error| chain(&error))?;
    let _ = write!(io::stdout(), "{}", greeting(address, &product.code));
    if let Some(url) = arguments.deliver_to {
        tokio::spawn(deliver::run(simulator.clone(), url));
    }
    let interrupted = async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "cannot listen for Ctrl-C");
            std::future::pending::<()>().await;
        }
    };
    axum::serve(listener, simulator.router())
        .with_graceful_shutdown(interrupted)
        .await
        .map_err(|error| error.to_string())
}

fn greeting(address: SocketAddr, product_code: &str) -> String {
    format!(
        "AWS Marketplace, simulated, at http://{address}\n\
         \n\
         Point an SDK at it:   endpoint_url=\"http://{address}\", any access key, region us-east-1\n\
         Buy:                  curl -X POST http://{address}/_sim/purchases -d '{{\"account\":\"111122223333\"}}'\n\
         See notifications:    curl http://{address}/_sim/notifications?all=true\n\
         Let time pass:        curl -X POST http://{address}/_sim/clock -d '{{\"advance\":\"1h\"}}'\n\
         See the invoice:      curl http://{address}/_sim/invoice\n\
         \n\
         Product code {product_code}; Ctrl-C stops it.\n"
    )
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}
