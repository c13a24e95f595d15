//! The law of the crate, by seed: whatever the machine was doing when the power failed, and whatever the disk made of
//! what was not synced, every acknowledged batch and tick is there, in its place, once, and no batch is there in part.
//!
//! `MILLRACE_CRASHES=N` asks for another number of crashes than 1,000, `MILLRACE_SEED=N` for one life only.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests")]

mod life;
mod model;

use std::collections::BTreeMap;

use life::Life;
use millrace_topic::FAIL_POINTS;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

#[test]
fn what_was_acknowledged_survives_every_crash() {
    let crashes = number("MILLRACE_CRASHES").unwrap_or(1_000);
    let (first, mut seen) = (number("MILLRACE_SEED"), 0);
    let mut points: BTreeMap<&str, u64> = BTreeMap::new();
    let mut ends: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in first.unwrap_or(0).. {
        let mut life = Life::new(seed);
        for _ in 0..4 {
            let end = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| life.until_crash()));
            let end = end.unwrap_or_else(|panic| {
                println!("MILLRACE_SEED={seed} shows it again");
                std::panic::resume_unwind(panic)
            });
            *ends.entry(end).or_default() += 1;
            seen += 1;
        }
        for (point, n) in life.points_reached() {
            *points.entry(point).or_default() += n;
        }
        if first.is_some() || seen >= crashes {
            break;
        }
    }
    println!("{seen} crashes: {ends:?}; places reached: {points:?}");
    if first.is_none() && crashes >= 1_000 {
        let missing: Vec<_> = FAIL_POINTS.iter().filter(|point| !points.contains_key(*point)).collect();
        assert!(missing.is_empty(), "places that no life came to: {missing:?}");
        assert!(
            FAIL_POINTS.iter().filter(|point| ends.contains_key(*point)).count() * 2 > FAIL_POINTS.len(),
            "{ends:?}"
        );
    }
}
