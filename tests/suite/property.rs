//! The law of the project, over random cases.
//!
//! `MILLRACE_CASES` says how many, `MILLRACE_SEED` where to begin; `make property` sets both. `MILLRACE_SHRINK=0` keeps it whole. A failure prints the seed and
//! the smallest case that still fails.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use millrace_tests::property::case::Case;
use millrace_tests::property::coverage::{Coverage, FEATURES};
use millrace_tests::property::run::{Outcome, run};
use millrace_tests::property::shrink::shrink;

/// Cases of a plain `make test`.
const CASES: u64 = 2_500;
/// Each operator comes up at least this often in so many cases.
const CASES_LEAST: usize = 10;
/// Each operator meets each feature at least this often in so many cases. The table shows how often it does.
const COVERAGE_LEAST: usize = 1;
/// What cannot come up: streams retract nothing, and what they have brought stays.
const NOT_THERE: [(&str, &str); 14] = [
    ("AsOfJoin", "empty groups"),
    ("AsOfJoin outer", "empty groups"),
    ("WithinJoin", "empty groups"),
    ("WithinJoin", "retractions"),
    ("SessionReduce", "retractions"),
    ("SessionReduce FINAL", "retractions"),
    ("SessionReduce FINAL", "empty groups"),
    ("WindowedReduce", "retractions"),
    ("WindowedReduce FINAL", "retractions"),
    ("WindowedReduce FINAL", "empty groups"),
    ("AssignWindows tumbling", "retractions"),
    ("AssignWindows hopping", "retractions"),
    ("Latest", "retractions"),
    ("Earliest", "retractions"),
];
/// Of a hundred queries, the planner may refuse this many (correlations that it cannot take apart).
const REFUSED_PERCENT_MAX: usize = 10;

fn number(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .filter(|text| !text.is_empty())
        .map(|text| text.parse().unwrap_or_else(|e| panic!("{name} = {text}: {e}")))
}

#[test]
fn incremental_is_recomputation() {
    let first = number("MILLRACE_SEED").unwrap_or(1);
    let cases = number("MILLRACE_CASES").unwrap_or(CASES);
    let next = AtomicU64::new(first);
    let (coverage, refused) = (Mutex::new(Coverage::default()), AtomicUsize::new(0));
    let broken: Mutex<Vec<String>> = Mutex::new(vec![]);
    let refusals: Mutex<Vec<String>> = Mutex::new(vec![]);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + cases || !broken.lock().unwrap().is_empty() {
                return;
            }
            let case = Case::draw(seed);
            match run(&case) {
                Outcome::Held(seen) => coverage.lock().unwrap().add(&seen),
                Outcome::Refused(why) => {
                    refused.fetch_add(1, Ordering::Relaxed);
                    refusals.lock().unwrap().push(why);
                }
                Outcome::Broken(difference) => {
                    eprintln!("seed {seed} fails; making it smaller");
                    // MILLRACE_SHRINK=0 shows the case as it was drawn
                    let (small, said) = match number("MILLRACE_SHRINK") {
                        Some(0) => (case, difference),
                        _ => shrink(&case, &difference),
                    };
                    broken.lock().unwrap().push(format!("{}\n{said}", small.describe()));
                }
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    let broken = broken.into_inner().unwrap();
    assert!(broken.is_empty(), "\n{}", broken.join("\n\n"));
    let coverage = coverage.into_inner().unwrap();
    let refused = refused.into_inner();
    println!("{}\n{cases} cases from seed {first}, {refused} refused", coverage.table());
    let refusals = refusals.into_inner().unwrap();
    if let Some(example) = refusals.first() {
        println!("one of the refusals:\n{example}");
    }
    assert!(refused * 100 <= cases as usize * REFUSED_PERCENT_MAX, "{refused} of {cases} queries were refused");
    if cases >= CASES {
        let mut missing = coverage.missing("cases", CASES_LEAST);
        for feature in FEATURES {
            let rare = coverage.missing(feature, COVERAGE_LEAST).into_iter();
            missing.extend(rare.filter(|operator| !NOT_THERE.contains(&(operator.as_str(), feature))));
        }
        assert!(missing.is_empty(), "hardly tested:\n{}", missing.join("\n"));
    }
}
