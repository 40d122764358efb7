//! The loop around a target.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant, SystemTime};

use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::mutate::mutated;

/// How long each target runs.
fn time() -> Duration {
    let seconds = std::env::var("FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    seconds.map_or(Duration::from_millis(300), Duration::from_secs)
}

fn seed() -> u64 {
    let given = std::env::var("FUZZ_SEED").ok().and_then(|text| text.parse().ok());
    given.unwrap_or_else(|| {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        u64::try_from(since.as_nanos() % u128::from(u64::MAX)).unwrap()
    })
}

/// Runs a target over examples as they are, then over broken ones until the time is up. `target` answers whether it took
/// the input; one that never does is no target.
pub(crate) fn fuzz(name: &str, examples: &[Vec<u8>], mut target: impl FnMut(&[u8]) -> bool) {
    let seed = seed();
    println!("fuzz {name}: seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let (began, time) = (Instant::now(), time());
    let (mut executions, mut taken) = (0_u64, 0_u64);
    let mut once = |input: &[u8]| {
        executions += 1;
        let ended = catch_unwind(AssertUnwindSafe(|| target(input)));
        let fell = || panic!("{name} fell over (seed {seed}) this input: {}", shown(input));
        taken += u64::from(ended.unwrap_or_else(|_| fell()));
    };
    for example in examples {
        once(example);
    }
    while began.elapsed() < time {
        for _ in 0..16 {
            once(&mutated(examples, &mut random));
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "fuzz {name}: {executions} executions in {seconds:.1} s, {taken} taken, 0 findings, seed {seed}"
    );
    assert!(taken > 0, "{name} takes nothing at all: its examples are stale");
}

fn shown(input: &[u8]) -> String {
    let text = String::from_utf8_lossy(input);
    format!("{text:?} (hex {})", hex::encode(input))
}
