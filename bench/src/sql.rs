//! The queries' texts: each a file in `bench/queries`, in Millrace's dialect where the published one had to be adapted.

use millrace_bench_input::Workload;

/// A query as it is published, as the view that the answer is.
macro_rules! published {
    ($file:literal) => {
        concat!("CREATE MATERIALIZED VIEW answer AS\n", include_str!(concat!("../queries/", $file)))
    };
}

/// The statement whose view or stream is the answer.
pub(crate) fn of(workload: Workload) -> &'static str {
    match workload {
        Workload::Q0 => published!("nexmark/q0.sql"),
        Workload::Q1 => published!("nexmark/q1.sql"),
        Workload::Q2 => published!("nexmark/q2.sql"),
        Workload::Q3 => published!("nexmark/q3.sql"),
        Workload::Q4 => include_str!("../queries/nexmark/q4.millrace.sql"),
        Workload::Q5 => published!("nexmark/q5.sql"),
        Workload::Q7 => include_str!("../queries/nexmark/q7.millrace.sql"),
        Workload::Q8 => published!("nexmark/q8.sql"),
        Workload::Q9 => include_str!("../queries/nexmark/q9.millrace.sql"),
        Workload::Stateless => include_str!("../queries/synthetic/stateless.sql"),
        Workload::MostBids => include_str!("../queries/synthetic/most-bids.sql"),
        Workload::JoinMaxRandom | Workload::JoinMaxMonotone | Workload::JoinMaxDeletes => {
            include_str!("../queries/synthetic/join-max.sql")
        }
        Workload::Tumbling => include_str!("../queries/synthetic/tumbling.sql"),
        Workload::IvmJoin => include_str!("../queries/ivm/join.sql"),
        Workload::IvmAggregate => include_str!("../queries/ivm/aggregate.sql"),
        Workload::IvmMax => include_str!("../queries/ivm/max.sql"),
        Workload::IvmTopK => include_str!("../queries/ivm/top-k.sql"),
        Workload::IvmOuterJoin => include_str!("../queries/ivm/outer-join.sql"),
        Workload::IvmDistinct => include_str!("../queries/ivm/distinct.sql"),
        Workload::IvmWindow => include_str!("../queries/ivm/window.sql"),
        Workload::TpchQ1 => include_str!("../queries/tpch/q1.sql"),
        Workload::TpchQ3 => include_str!("../queries/tpch/q3.sql"),
        Workload::TpchQ5 => include_str!("../queries/tpch/q5.sql"),
        Workload::TpchQ6 => include_str!("../queries/tpch/q6.sql"),
        Workload::TalkUnhappy => include_str!("../queries/talk/unhappy.sql"),
        Workload::TalkFraud => include_str!("../queries/talk/fraud.sql"),
        Workload::TalkBalances => include_str!("../queries/talk/balances.sql"),
    }
}
