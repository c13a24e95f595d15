//! What the peers did on a machine like the one that the project is measured on (2 virtual processors, EPYC of the fourth
//! generation): a peer that is much slower here is marked, so that nobody is beaten who only stumbled.

use millrace_bench_input::{Request, Tier, Workload};

/// A peer below this share of what is known of it is marked.
pub(crate) const SLOW: f64 = 0.85;

/// Events per second of CPU time, millions, of a peer's best known run; `None` where nothing like it was measured.
pub(crate) fn rate(contender: &str, request: &Request) -> Option<f64> {
    if request.rate_per_s.is_some() || request.spec.tick < 10_000 || request.spec.updates_percent > 0 {
        return None;
    }
    let known: &[(Workload, f64)] = match (contender, request.tier) {
        // JSON lines to nothing, 2 M events, warm
        ("flink", Tier::T1) => &[
            (Workload::Q0, 0.40),
            (Workload::Q1, 0.36),
            (Workload::Q3, 1.7),
            (Workload::Q4, 0.17),
            (Workload::Q5, 0.23),
            (Workload::Q7, 0.12),
            (Workload::Q8, 1.3),
        ],
        // structs in memory, 2 to 5 M events, one worker
        ("typed", Tier::T3) if request.workers == 1 => &[
            (Workload::Q0, 31.0),
            (Workload::Q1, 30.0),
            (Workload::Q2, 51.0),
            (Workload::Q3, 70.0),
            (Workload::Q4, 3.3),
            (Workload::Q5, 9.8),
            (Workload::Q7, 3.0),
        ],
        // its own Nexmark, whose generator bounds it at 1.7
        ("dbsp", Tier::T3) if request.workers == 1 => &[
            (Workload::Q0, 1.70),
            (Workload::Q1, 1.32),
            (Workload::Q3, 1.70),
            (Workload::Q4, 1.08),
            (Workload::Q5, 1.50),
            (Workload::Q7, 1.09),
            (Workload::Q8, 1.74),
        ],
        _ => &[],
    };
    known.iter().find(|(workload, _)| *workload == request.spec.workload).map(|(_, rate)| *rate)
}

#[cfg(test)]
mod tests {
    use millrace_bench_input::Spec;

    use super::*;

    #[test]
    fn only_what_is_like_the_known_is_compared() {
        let spec = Spec::new(Workload::Q4, 1_000_000, 10_000);
        let request = Request { tier: Tier::T1, spec, workers: 1, files: None, rate_per_s: None, variant: None };
        assert_eq!(rate("flink", &request), Some(0.17));
        assert_eq!(rate("flink", &Request { tier: Tier::T0, ..request.clone() }), None);
        assert_eq!(rate("millrace", &request), None);
        assert_eq!(rate("flink", &Request { rate_per_s: Some(1), ..request }), None);
    }
}
