//! A failing seed's story, shrunk to the steps that matter: steps are left out as long as the same law breaks without
//! them (delta debugging). Every step carries its own dice, so the others still mean the same.

use crate::bug::Bug;
use crate::core::Broken;
use crate::plan::Step;
use crate::run::{Trouble, drawn, in_memory};
use crate::setup::Setup;

/// Most worlds that shrinking may cost.
const MOST_TRIES: usize = 400;

/// What happened, told to people.
#[derive(Debug, Clone)]
pub struct Story {
    /// The law that did not hold.
    pub broken: Broken,
    /// Steps of the plan, and how many of them matter.
    pub steps: (usize, usize),
    /// The trace of those that matter.
    pub trace: Vec<String>,
}

/// Shrinks the story of a seed; `None` when no law breaks.
///
/// # Errors
/// When a world cannot be made.
pub fn story(seed: u64, steps: usize, bug: Option<Bug>) -> Result<Option<Story>, Trouble> {
    let (setup, plan) = drawn(seed, steps, bug)?;
    let Some(broken) = in_memory(setup.clone(), &plan, false)?.broken else { return Ok(None) };
    let shrunk = shrink(&setup, plan.clone(), broken.law)?;
    let lived = in_memory(setup, &shrunk, true)?;
    Ok(lived.broken.map(|broken| Story {
        broken,
        steps: (plan.len(), shrunk.len()),
        trace: lived.trace,
    }))
}

/// The whole trace of a seed, whether a law breaks or not.
///
/// # Errors
/// When the world cannot be made.
pub fn trace(
    seed: u64,
    steps: usize,
    bug: Option<Bug>,
) -> Result<(Vec<String>, Option<Broken>), Trouble> {
    let (setup, plan) = drawn(seed, steps, bug)?;
    let lived = in_memory(setup, &plan, true)?;
    Ok((lived.trace, lived.broken))
}

fn shrink(setup: &Setup, mut plan: Vec<Step>, law: &str) -> Result<Vec<Step>, Trouble> {
    let breaks = |plan: &[Step]| -> Result<bool, Trouble> {
        let broken = in_memory(setup.clone(), plan, false)?.broken;
        Ok(broken.is_some_and(|broken| broken.law == law))
    };
    let mut part = plan.len().div_ceil(2);
    let mut tries = 0;
    while part > 0 && tries < MOST_TRIES {
        let mut from = 0;
        let mut shorter = false;
        while from < plan.len() && tries < MOST_TRIES {
            let to = from.saturating_add(part).min(plan.len());
            let without: Vec<Step> = plan
                .iter()
                .enumerate()
                .filter(|(place, _)| *place < from || *place >= to)
                .map(|(_, step)| *step)
                .collect();
            tries = tries.saturating_add(1);
            if breaks(&without)? {
                plan = without;
                shorter = true;
            } else {
                from = to;
            }
        }
        if !shorter {
            part /= 2;
        }
    }
    Ok(plan)
}
