//! A thousand small queries of ten shapes over one stream, none equal, half of them with state.

use millrace_bench_input::figures::Spread;
use millrace_bench_input::{Answer, Figures, Request, Spec, Stopwatch, Tick};

use super::engine::Running;

/// Queries beside the first.
const OTHERS: u64 = 999;

/// The ticks of one query alone, and then of the same with all the others: the figures are those of the latter, the note
/// tells of the former.
pub(super) fn measure(request: &Request) -> Result<Figures, String> {
    let spec = &request.spec;
    let ticks: Vec<Tick> = spec.workload.ticks(spec, false).collect();
    let mut clock = Stopwatch::default();
    let mut running = Running::asking(spec, request.workers, &query(0), false)?;
    let alone = run(&mut running, &ticks, &mut clock)?;
    drop(running);

    let mut watch = Stopwatch::default();
    watch.ready();
    watch.start();
    let mut running = Running::asking(spec, request.workers, &query(0), false)?;
    for number in 1..=OTHERS {
        running.start_late(&query(number), number)?;
    }
    watch.stop();
    let mut crowded = Stopwatch::default();
    let answer = run(&mut running, &ticks, &mut crowded)?;
    if answer != alone {
        return Err(format!("with the others a query says {answer:?}, alone {alone:?}"));
    }
    let alone = Spread::of_ns(clock.ticks().to_vec()).map_or(0.0, |ticks| ticks.p50);
    let note = format!(
        "{} queries: {:.1} ms and {} kB each to start; a tick with the first alone {alone:.3} ms (median)",
        OTHERS + 1,
        watch.wall_ns() as f64 / 1e6 / (OTHERS + 1) as f64,
        watch.peak_kb() / (OTHERS + 1)
    );
    Ok(Figures { note: Some(note), ..Figures::of(answer, &crowded) })
}

fn run(running: &mut Running, ticks: &[Tick], clock: &mut Stopwatch) -> Result<Answer, String> {
    let inputs: Vec<_> = ticks.iter().map(|tick| running.inputs(tick)).collect();
    clock.start();
    for tick in inputs {
        let begun = clock.now();
        running.tick(tick)?;
        clock.tick(begun);
    }
    clock.stop();
    Ok(running.answer())
}

/// The query of this number.
fn query(number: u64) -> String {
    let n = number / 10;
    let text = match number % 10 {
        0 => format!("SELECT auction, COUNT(*) AS n FROM bid WHERE auction % 100 = {n} GROUP BY auction"),
        1 => format!("SELECT bidder, SUM(price) AS total FROM bid WHERE bidder % 100 = {n} GROUP BY bidder"),
        2 => format!("SELECT auction, MAX(price) AS most FROM bid WHERE auction % 100 = {n} GROUP BY auction"),
        3 => format!("SELECT DISTINCT bidder FROM bid WHERE auction % 100 = {n}"),
        4 => format!("SELECT auction, price FROM bid WHERE auction % 100 = {n} ORDER BY price DESC, auction LIMIT 5"),
        5 => format!("SELECT auction, price FROM bid WHERE price > {n}000 AND auction % 101 = {n}"),
        6 => format!("SELECT bidder, price * {n} AS times FROM bid WHERE auction % 103 = {n}"),
        7 => format!("SELECT auction FROM bid WHERE bidder = 1000 + {n}"),
        8 => format!("SELECT auction, price / ({n} + 1) AS part FROM bid WHERE price < 100 + {n}"),
        _ => format!("SELECT bidder, auction + {n} AS moved FROM bid WHERE bidder % 107 = {n}"),
    };
    format!("CREATE MATERIALIZED VIEW answer AS {text}")
}

/// What a spec must be for these queries: bids with auction, bidder and price.
pub(super) fn fits(spec: &Spec) -> bool {
    spec.workload == millrace_bench_input::Workload::Stateless && spec.load == 0
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_queries_are_equal() {
        let queries: BTreeSet<String> = (0..=OTHERS).map(query).collect();
        assert_eq!(queries.len() as u64, OTHERS + 1);
    }
}
