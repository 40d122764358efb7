//! Living through seeds: one, or many on two threads.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use app::ports::Store;
use store_memory::MemoryStore;

use crate::bug::Bug;
use crate::core::Broken;
use crate::dice::{Dice, FRESH, hashed};
use crate::laws;
use crate::plan::{Step, draw};
use crate::setup::Setup;
use crate::world::{Lived, World};

/// A world's failure to begin.
pub(crate) type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// What a seed came to.
#[derive(Debug, Clone)]
pub struct Life {
    /// The seed.
    pub seed: u64,
    /// The law that did not hold, if one did not.
    pub broken: Option<Broken>,
    /// Sixty-four bits that stand for the whole trace.
    pub hash: u64,
    /// Steps taken, until the faults stopped.
    pub steps: u64,
    /// Lines of the trace.
    pub lines: u64,
    /// Faults that struck.
    pub struck: u64,
}

/// Lives through one seed in memory.
///
/// # Errors
/// When the world cannot be made.
pub fn live(seed: u64, steps: usize, bug: Option<Bug>) -> Result<Life, Trouble> {
    let (setup, plan) = drawn(seed, steps, bug)?;
    let lived = in_memory(setup, &plan, false)?;
    Ok(life(seed, &lived))
}

/// Lives through one seed over a store of the caller's, which must be empty; and once more in memory, because the same
/// story must come of it, line by line. Blocks; to be called on a thread without a runtime.
///
/// # Errors
/// When the world cannot be made.
pub fn live_over<S: Store>(store: S, seed: u64, steps: usize) -> Result<Life, Trouble> {
    let (setup, plan) = drawn(seed, steps, None)?;
    let here = over(setup.clone(), store, &plan, true)?;
    let in_memory = over(setup, MemoryStore::default(), &plan, true)?;
    let mut life = life(seed, &here);
    if life.broken.is_none() {
        life.broken = other_story(&here.trace, &in_memory.trace);
    }
    Ok(life)
}

/// Where two stories part.
fn other_story(here: &[String], in_memory: &[String]) -> Option<Broken> {
    let longest = here.len().max(in_memory.len());
    let place = (0..longest).find(|place| here.get(*place) != in_memory.get(*place))?;
    let line = |story: &[String]| story.get(place).cloned().unwrap_or_else(|| "the end".to_owned());
    let seen = format!("line {place}: {}; in memory: {}", line(here), line(in_memory));
    Some(Broken { law: laws::SAME_STORY, seen })
}

/// Sixty-four bits that stand for all that a seed decides: they change only when the drawing of worlds does.
///
/// # Errors
/// When the world cannot be drawn.
pub fn fingerprint(seed: u64, steps: usize) -> Result<u64, Trouble> {
    let (setup, plan) = drawn(seed, steps, None)?;
    let Setup { weather, starts, page, strays, tags, reconciles, switches, listing, .. } = &setup;
    let told = format!(
        "{weather:?} {starts} {page} {strays} {tags} {reconciles} {} {:?} {} {plan:?}",
        crate::setup::told(switches),
        listing.pricing,
        listing.heartbeat
    );
    Ok(hashed(FRESH, &told))
}

fn life(seed: u64, lived: &Lived) -> Life {
    let Lived { broken, hash, steps, lines, struck, trace: _ } = lived.clone();
    Life { seed, broken, hash, steps, lines, struck }
}

/// A seed's setup and plan.
pub(crate) fn drawn(
    seed: u64,
    steps: usize,
    bug: Option<Bug>,
) -> Result<(Setup, Vec<Step>), Trouble> {
    let mut dice = Dice::of(seed);
    let setup = Setup::draw(seed, bug, &mut dice)?;
    let plan = draw(&mut dice, steps, setup.weather);
    Ok((setup, plan))
}

/// Lives through a plan in memory.
pub(crate) fn in_memory(setup: Setup, plan: &[Step], keep: bool) -> Result<Lived, Trouble> {
    over(setup, MemoryStore::default(), plan, keep)
}

/// Lives through a plan, on a runtime whose time stands still unless the world moves it.
fn over<S: Store>(setup: Setup, store: S, plan: &[Step], keep: bool) -> Result<Lived, Trouble> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    // While this waits, the runtime does not take waiting for a database as waiting for time to pass.
    let (done, ends) = std::sync::mpsc::channel::<()>();
    runtime.spawn_blocking(move || ends.recv());
    let world = World::new(setup, store, keep)?;
    let lived = runtime.block_on(world.live(plan));
    drop(done);
    Ok(lived)
}

/// Which seeds to live through.
#[derive(Debug, Clone, Copy)]
pub struct Many {
    /// The first.
    pub from: u64,
    /// How many.
    pub seeds: u64,
    /// Steps of each, until the faults stop.
    pub steps: usize,
    /// A bug on purpose.
    pub bug: Option<Bug>,
    /// Whether to go on after a law was broken.
    pub all: bool,
}

/// What many seeds came to.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Worlds lived through.
    pub worlds: u64,
    /// The worlds that broke a law, by seed.
    pub broken: BTreeMap<u64, Broken>,
    /// Steps of all.
    pub steps: u64,
    /// Faults that struck in all.
    pub struck: u64,
    /// The longest trace, in lines.
    pub longest: u64,
    /// The seed of the longest trace.
    pub longest_seed: u64,
}

impl Summary {
    /// Counts one more life.
    pub fn add(&mut self, life: Life) {
        self.worlds = self.worlds.saturating_add(1);
        self.steps = self.steps.saturating_add(life.steps);
        self.struck = self.struck.saturating_add(life.struck);
        if life.lines > self.longest {
            self.longest = life.lines;
            self.longest_seed = life.seed;
        }
        if let Some(broken) = life.broken {
            self.broken.insert(life.seed, broken);
        }
    }
}

/// Lives through many seeds on two threads, each world on one. Stops soon after a law is broken, unless told to go on.
///
/// # Errors
/// When a world cannot be made.
pub fn many(which: Many) -> Result<Summary, Trouble> {
    let next = AtomicU64::new(0);
    let summary = Mutex::new(Ok(Summary::default()));
    let work = &|| {
        loop {
            let place = next.fetch_add(1, Ordering::SeqCst);
            if place >= which.seeds {
                return;
            }
            let life = live(which.from.saturating_add(place), which.steps, which.bug);
            let mut summary = summary.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            match (&mut *summary, life) {
                (Ok(summary), Ok(life)) => {
                    if life.broken.is_some() && !which.all {
                        next.fetch_max(which.seeds, Ordering::SeqCst);
                    }
                    summary.add(life);
                }
                (Ok(_), Err(error)) => *summary = Err(error),
                (Err(_), _) => return,
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        work();
    });
    summary.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}
