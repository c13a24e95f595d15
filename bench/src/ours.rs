//! The contender: the same query from its SQL text, planned at run time.
//!
//! In memory (T3) through the engine's API, from files (T1) through `millrace run`, decoding alone (T0) through the file
//! source.

mod decode;
mod engine;
mod files;
mod late;
mod many;
mod memory;
mod paced;
mod rows;

use millrace_bench_input::protocol::Can;
use millrace_bench_input::{About, Figures, Request, Suite, Tier, Workload};

use crate::sql;

/// The variant of a query that starts over what is there.
pub(crate) const LATE: &str = "late";
/// The variant of a query among many.
pub(crate) const MANY: &str = "many";

/// What the contender says of itself.
pub(crate) fn about() -> About {
    let from_files: Vec<Workload> = Workload::ALL
        .iter()
        .copied()
        .filter(|w| matches!(w.suite(), Suite::Nexmark | Suite::Tpch | Suite::Talk))
        .collect();
    let can = |tier, workloads, paced| Can { tier, workloads, paced, variants: vec![] };
    let in_memory =
        Can { variants: vec![LATE.to_owned(), MANY.to_owned()], ..can(Tier::T3, Workload::ALL.to_vec(), true) };
    About {
        name: "millrace".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        configuration: vec![
            "SQL text planned at run time".to_owned(),
            "T3: Arrow batches in memory before the clock starts, up to four ticks under way (one where a state was loaded)".to_owned(),
            "T1: millrace run, a reading thread beside the workers".to_owned(),
            "T1, paced: it follows files in memory that grow; settings are the defaults (ticks of 5 ms); every change is \
             printed and read"
                .to_owned(),
        ],
        durable: "nothing".to_owned(),
        can: vec![in_memory, can(Tier::T1, from_files, true), can(Tier::T0, vec![], false)],
    }
}

/// One measurement.
///
/// # Errors
/// If the planner refuses the query, or the engine or the binary fails.
pub(crate) fn measure(request: &Request) -> Result<Figures, String> {
    match (request.tier, request.rate_per_s, request.variant.as_deref()) {
        (Tier::T3, None, None) => memory::measure(request),
        (Tier::T3, Some(_), None) => memory::paced(request),
        (Tier::T3, None, Some(LATE)) => late::measure(request),
        (Tier::T3, None, Some(MANY)) if many::fits(&request.spec) => many::measure(request),
        (Tier::T1, None, None) => files::measure(request, sql::of(request.spec.workload)),
        (Tier::T1, Some(_), None) => paced::measure(request, sql::of(request.spec.workload)),
        (Tier::T0, None, None) => decode::measure(request),
        (tier, rate, variant) => {
            Err(format!("{tier:?}, rate {rate:?}, variant {variant:?} are not made for each other"))
        }
    }
}
