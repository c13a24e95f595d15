//! What is asked: a query over some tables. The query's text is in `bench/queries`, its answer's columns are said there.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::spec::Spec;
use crate::table::{Table, Tick};
use crate::{ivm, nexmark, synthetic, talk, tpch};

/// A kind of workloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Suite {
    /// Nexmark: an auction house.
    Nexmark,
    /// One operator or two, to see what they cost.
    Synthetic,
    /// One operator each, over a state of any size.
    Ivm,
    /// TPC-H's questions, asked while the orders come.
    Tpch,
    /// The pipelines of the talk that Millrace was made after.
    Talk,
}

macro_rules! workloads {
    ($($(#[$doc:meta])* $variant:ident $name:literal $suite:ident,)*) => {
        /// The workloads.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Workload {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }
        impl Workload {
            /// All of them.
            pub const ALL: &[Workload] = &[$(Workload::$variant,)*];
            /// As it is written everywhere.
            pub fn name(self) -> &'static str {
                match self { $(Workload::$variant => $name,)* }
            }
            /// Where it belongs.
            pub fn suite(self) -> Suite {
                match self { $(Workload::$variant => Suite::$suite,)* }
            }
        }
    };
}

workloads! {
    /// Nexmark q0: every bid as it is.
    Q0 "q0" Nexmark,
    /// Nexmark q1: prices in another currency.
    Q1 "q1" Nexmark,
    /// Nexmark q2: bids on some auctions.
    Q2 "q2" Nexmark,
    /// Nexmark q3: auctions of one category with their sellers in three states.
    Q3 "q3" Nexmark,
    /// Nexmark q4: average of the highest bids per category.
    Q4 "q4" Nexmark,
    /// Nexmark q5: the auctions with the most bids per hopping window.
    Q5 "q5" Nexmark,
    /// Nexmark q7: the highest bids per window.
    Q7 "q7" Nexmark,
    /// Nexmark q8: people who came and sold within a window.
    Q8 "q8" Nexmark,
    /// Nexmark q9: the winning bid of each auction.
    Q9 "q9" Nexmark,
    /// Filter and project, nothing kept.
    Stateless "stateless" Synthetic,
    /// The most bids that an auction has, per tumbling window: two aggregates on top of each other.
    MostBids "most-bids" Synthetic,
    /// Equi-join, then max per key: random keys, VARCHAR and NULL columns, additions only.
    JoinMaxRandom "join-max-random" Synthetic,
    /// The same with monotone keys.
    JoinMaxMonotone "join-max-monotone" Synthetic,
    /// The same with random keys and a tenth of the changes taken back later.
    JoinMaxDeletes "join-max-deletes" Synthetic,
    /// Rows per key and tumbling window.
    Tumbling "tumbling" Synthetic,
    /// Inner join.
    IvmJoin "ivm-join" Ivm,
    /// Count and sum per group.
    IvmAggregate "ivm-aggregate" Ivm,
    /// Maximum per group.
    IvmMax "ivm-max" Ivm,
    /// The hundred largest.
    IvmTopK "ivm-top-k" Ivm,
    /// Left join.
    IvmOuterJoin "ivm-outer-join" Ivm,
    /// Distinct.
    IvmDistinct "ivm-distinct" Ivm,
    /// Count and sum per key and tumbling window, over events that only come.
    IvmWindow "ivm-window" Ivm,
    /// TPC-H 1: sums over all items.
    TpchQ1 "tpch-q1" Tpch,
    /// TPC-H 3: the ten most valuable open orders.
    TpchQ3 "tpch-q3" Tpch,
    /// TPC-H 5: revenue by nation, of six tables.
    TpchQ5 "tpch-q5" Tpch,
    /// TPC-H 6: one sum.
    TpchQ6 "tpch-q6" Tpch,
    /// Poor ratings of important customers.
    TalkUnhappy "talk-unhappy" Talk,
    /// Cards that are used too often.
    TalkFraud "talk-fraud" Talk,
    /// Balances of accounts.
    TalkBalances "talk-balances" Talk,
}

impl Workload {
    /// What it reads, with the columns that it needs; with `all`, with all columns that the tables have in files.
    pub fn tables(self, spec: &Spec, all: bool) -> Vec<Table> {
        match self.suite() {
            Suite::Nexmark => nexmark::tables(self, spec, all),
            Suite::Synthetic => synthetic::tables(self, spec, all),
            Suite::Ivm => ivm::tables(self, all),
            Suite::Tpch => tpch::tables(self, spec, all),
            Suite::Talk => talk::tables(self),
        }
    }

    /// The input: first what is loaded, then what is measured, tick by tick; `all` as for [`Workload::tables`]. The rows
    /// are the same either way.
    pub fn ticks(self, spec: &Spec, all: bool) -> Box<dyn Iterator<Item = Tick> + Send> {
        match self.suite() {
            Suite::Nexmark => Box::new(nexmark::Nexmark::new(spec, self.tables(spec, all))),
            Suite::Synthetic => synthetic::ticks(self, spec, self.tables(spec, all)),
            Suite::Ivm if self == Workload::IvmWindow => Box::new(ivm::Events::new(spec, self.tables(spec, all))),
            Suite::Ivm => Box::new(ivm::Ivm::new(spec, self.tables(spec, all))),
            Suite::Tpch => Box::new(tpch::Tpch::new(spec, self.tables(spec, all))),
            Suite::Talk => Box::new(talk::Talk::new(spec, self.tables(spec, all))),
        }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Workload {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, String> {
        let found = Workload::ALL.iter().find(|w| w.name() == name).copied();
        found.ok_or_else(|| {
            let names: Vec<&str> = Workload::ALL.iter().map(|w| w.name()).collect();
            format!("no workload {name}; there are {}", names.join(" "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workload_has_its_name_and_its_changes() {
        for workload in Workload::ALL {
            assert_eq!(workload.name().parse(), Ok(*workload));
            let spec = Spec { load: 200, ..Spec::new(*workload, 500, 100) };
            for all in [false, true] {
                let ticks: Vec<Tick> = workload.ticks(&spec, all).collect();
                let tables = workload.tables(&spec, all);
                assert_eq!(ticks.len(), 6, "{workload}");
                for tick in &ticks {
                    let widths: Vec<usize> = tick.iter().map(|b| b.columns().len()).collect();
                    let expected: Vec<usize> = tables.iter().map(|t| t.columns.len()).collect();
                    assert_eq!(widths, expected, "{workload}");
                }
                assert!(ticks.iter().flatten().any(|b| b.len() > 1), "{workload}");
            }
        }
        assert!("q6".parse::<Workload>().unwrap_err().contains("q5 q7"));
    }

    #[test]
    fn equal_specs_give_equal_rows_and_projections_of_them() {
        for workload in Workload::ALL {
            let spec = Spec { updates_percent: 10, disorder_ms: 50, ..Spec::new(*workload, 2000, 500) };
            let few: Vec<Tick> = workload.ticks(&spec, false).collect();
            let all: Vec<Tick> = workload.ticks(&spec, true).collect();
            let (some, every) = (workload.tables(&spec, false), workload.tables(&spec, true));
            for (few, all) in few.iter().zip(&all) {
                for (t, table) in some.iter().enumerate() {
                    let places: Vec<usize> = table.columns.iter().map(|c| every[t].column(c.name)).collect();
                    let expected = all[t].project(&places);
                    assert_eq!(few[t].columns(), expected.columns(), "{workload} {}", table.name);
                    assert_eq!(few[t].diffs(), expected.diffs(), "{workload} {}", table.name);
                }
            }
        }
    }
}
