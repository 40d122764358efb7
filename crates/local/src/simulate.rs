//! `simulate`: worlds from seeds, judged by the laws (`docs/simulation.md`).

use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use simulation::{Bug, Life, Many, Summary};

use crate::cli::Simulate;
use local::{System, SystemOptions};

/// What one world may take over a database.
const LONGEST_LIFE: Duration = Duration::from_mins(5);

type Trouble = Box<dyn std::error::Error>;

fn plain(error: Box<dyn std::error::Error + Send + Sync>) -> Trouble {
    error
}

/// Does what the command line asks for; fails when a law is broken, or when a deliberate bug is not noticed.
pub(crate) async fn run(asked: Simulate) -> Result<ExitCode, Trouble> {
    if asked.dynamodb && !asked.bugs && asked.seed.is_none() {
        return over_dynamodb(asked, &mut std::io::stdout()).await;
    }
    // A world in memory has a runtime of its own, in which time stands still.
    tokio::task::block_in_place(|| in_memory(asked))
}

fn in_memory(asked: Simulate) -> Result<ExitCode, Trouble> {
    let mut out = std::io::stdout();
    if asked.bugs {
        return table(asked, &mut out);
    }
    if let Some(seed) = asked.seed {
        return one(seed, asked, &mut out);
    }
    let began = Instant::now();
    let Simulate { from, seeds, steps, bug, all, .. } = asked;
    let summary = simulation::many(Many { from, seeds, steps, bug, all }).map_err(plain)?;
    tell(&mut out, &summary, began)?;
    match summary.broken.keys().next() {
        None => Ok(ExitCode::SUCCESS),
        Some(_) if all => Ok(ExitCode::FAILURE),
        Some(seed) => one(*seed, asked, &mut out).map(|_| ExitCode::FAILURE),
    }
}

fn tell(out: &mut impl Write, summary: &Summary, began: Instant) -> std::io::Result<()> {
    let Summary { worlds, steps, struck, longest, longest_seed, broken } = summary;
    let took = began.elapsed().as_secs();
    for (seed, broken) in broken {
        writeln!(out, "seed {seed}: BROKEN: {broken}")?;
    }
    writeln!(
        out,
        "{worlds} worlds, {steps} steps, {struck} faults in {took} s; longest trace {longest} lines (seed {longest_seed})"
    )?;
    match broken.len() {
        0 => writeln!(out, "no law was broken"),
        many => writeln!(out, "{many} worlds broke a law"),
    }
}

/// Lives through one seed, and tells the story when a law breaks.
fn one(seed: u64, asked: Simulate, out: &mut impl Write) -> Result<ExitCode, Trouble> {
    let Simulate { steps, bug, .. } = asked;
    if asked.trace {
        return whole(seed, asked, out);
    }
    let Some(story) = simulation::story(seed, steps, bug).map_err(plain)? else {
        let Life { steps, struck, lines, hash, .. } =
            simulation::live(seed, steps, bug).map_err(plain)?;
        writeln!(
            out,
            "seed {seed}: {steps} steps, {struck} faults, {lines} lines, trace {hash:016x}"
        )?;
        writeln!(out, "no law was broken")?;
        return Ok(ExitCode::SUCCESS);
    };
    for line in &story.trace {
        writeln!(out, "  {line}")?;
    }
    let (all, matter) = story.steps;
    writeln!(out, "seed {seed}, {matter} of {all} steps matter")?;
    writeln!(out, "BROKEN: {}", story.broken)?;
    let bug = bug.map(|bug| format!(" --bug {bug}")).unwrap_or_default();
    writeln!(out, "replay: cargo run --release -- simulate --seed {seed} --steps {steps}{bug}")?;
    Ok(ExitCode::FAILURE)
}

/// Lives through one seed, and tells everything.
fn whole(seed: u64, asked: Simulate, out: &mut impl Write) -> Result<ExitCode, Trouble> {
    let (trace, broken) = simulation::trace(seed, asked.steps, asked.bug).map_err(plain)?;
    for line in &trace {
        writeln!(out, "  {line}")?;
    }
    Ok(match broken {
        None => ExitCode::SUCCESS,
        Some(broken) => {
            writeln!(out, "BROKEN: {broken}")?;
            ExitCode::FAILURE
        }
    })
}

fn table(asked: Simulate, out: &mut impl Write) -> Result<ExitCode, Trouble> {
    let began = Instant::now();
    writeln!(out, "| bug | seeds | what notices it |\n|---|---|---|")?;
    let mut all_noticed = true;
    for bug in Bug::ALL {
        match simulation::caught(bug, asked.steps, asked.seeds) {
            Ok(caught) => writeln!(out, "| {bug} | {} | {} |", caught.seeds, caught.broken.law)?,
            Err(error) => {
                all_noticed = false;
                writeln!(out, "| {bug} | – | {error} |")?;
            }
        }
    }
    writeln!(out, "in {} s", began.elapsed().as_secs())?;
    Ok(if all_noticed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn over_dynamodb(asked: Simulate, out: &mut impl Write) -> Result<ExitCode, Trouble> {
    let began = Instant::now();
    let mut summary = Summary::default();
    for place in 0..asked.seeds {
        let options = SystemOptions { settled_on_drop: false, ..SystemOptions::default() };
        let system = System::start(options).await?;
        let seed = asked.from.saturating_add(place);
        summary.add(life_over(&system, seed, asked.steps).await?);
    }
    tell(out, &summary, began)?;
    Ok(if summary.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Lives through one seed on a thread of its own: in a world time stands still, and the database's must not.
async fn life_over(system: &System, seed: u64, steps: usize) -> Result<Life, Trouble> {
    let (tell, told) = tokio::sync::oneshot::channel();
    let store = system.store().clone();
    // Unoptimised, calls to a database take a deeper stack than a thread has by default.
    let thread = std::thread::Builder::new().stack_size(16 * 1024 * 1024);
    thread.spawn(move || tell.send(simulation::live_over(store, seed, steps)))?;
    let life = tokio::time::timeout(LONGEST_LIFE, told).await;
    life.map_err(|_| format!("seed {seed} does not come to rest"))??.map_err(plain)
}
