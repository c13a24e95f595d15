//! What is measured: a query, its input as Arrow batches tick by tick, and the hand-written opponent.

use std::fmt;

use millrace_data::Batch;

use crate::{nexmark, synthetic};

/// The workloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Workload {
    /// Filter and project, nothing kept.
    Stateless,
    /// Nexmark q3: auctions of one category with their sellers in three states.
    Q3,
    /// Nexmark q4: average of the highest bids per category.
    Q4,
    /// Nexmark q5: the auction with the most bids per window.
    Q5,
    /// Equi-join, then max per key: random keys, VARCHAR and NULL columns, additions only.
    JoinMaxRandom,
    /// The same with monotone keys.
    JoinMaxMonotone,
    /// The same with random keys and a tenth of the changes taken back later.
    JoinMaxDeletes,
    /// Rows per key and tumbling window.
    Tumbling,
}

/// All of them with their names.
pub(crate) const ALL: [(&str, Workload); 8] = [
    ("stateless", Workload::Stateless),
    ("q3", Workload::Q3),
    ("q4", Workload::Q4),
    ("q5", Workload::Q5),
    ("join-max-random", Workload::JoinMaxRandom),
    ("join-max-monotone", Workload::JoinMaxMonotone),
    ("join-max-deletes", Workload::JoinMaxDeletes),
    ("tumbling", Workload::Tumbling),
];

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = ALL.iter().find(|(_, w)| w == self).map_or("?", |(name, _)| name);
        f.write_str(name)
    }
}

/// Input of one tick: one batch per relation, in the order of [`Workload::relations`].
pub(crate) type Tick = Vec<Batch>;

/// A relation of a workload.
pub(crate) struct Relation {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its column definitions.
    pub(crate) columns: &'static str,
    /// Whether its changes have retractions; then it is a table.
    pub(crate) retracts: bool,
}

impl Workload {
    /// By name.
    pub(crate) fn of(name: &str) -> Option<Workload> {
        ALL.iter().find(|(n, _)| *n == name).map(|(_, w)| *w)
    }

    /// What the query reads.
    pub(crate) fn relations(self) -> Vec<Relation> {
        match self {
            Workload::Stateless | Workload::Q5 => vec![nexmark::BIDS],
            Workload::Q3 => vec![nexmark::AUCTIONS, nexmark::PEOPLE],
            Workload::Q4 => vec![nexmark::AUCTIONS, nexmark::BIDS],
            Workload::JoinMaxRandom | Workload::JoinMaxMonotone => vec![synthetic::LEFT, synthetic::RIGHT],
            Workload::JoinMaxDeletes => {
                vec![Relation { retracts: true, ..synthetic::LEFT }, Relation { retracts: true, ..synthetic::RIGHT }]
            }
            Workload::Tumbling => vec![synthetic::EVENTS],
        }
    }

    /// The statement.
    pub(crate) fn sql(self) -> &'static str {
        match self {
            Workload::Stateless => {
                "CREATE MATERIALIZED VIEW X AS SELECT AUCTION, PRICE * 89 / 100 AS EURO, BIDDER FROM BIDS \
                 WHERE PRICE > 100000 AND AUCTION % 4 <> 0"
            }
            Workload::Q3 => {
                "CREATE MATERIALIZED VIEW X AS SELECT P.NAME, P.CITY, P.STATE, A.ID FROM AUCTIONS A \
                 JOIN PEOPLE P ON A.SELLER = P.ID WHERE A.CATEGORY = 10 AND P.STATE IN ('OR', 'ID', 'CA')"
            }
            Workload::Q4 => {
                "CREATE MATERIALIZED VIEW X AS SELECT CATEGORY, SUM(FINAL) / COUNT(*) AS PRICE FROM \
                 (SELECT MAX(B.PRICE) AS FINAL, A.ID, A.CATEGORY FROM AUCTIONS A JOIN BIDS B ON A.ID = B.AUCTION \
                 AND B.TS >= A.TS AND B.TS <= A.EXPIRES GROUP BY A.ID, A.CATEGORY) Q GROUP BY CATEGORY"
            }
            Workload::Q5 => {
                "CREATE MATERIALIZED VIEW X AS SELECT W, MAX(N) AS N FROM \
                 (SELECT TS / 10000 AS W, AUCTION, COUNT(*) AS N FROM BIDS GROUP BY TS / 10000, AUCTION) Q GROUP BY W"
            }
            Workload::JoinMaxRandom | Workload::JoinMaxMonotone | Workload::JoinMaxDeletes => {
                "CREATE MATERIALIZED VIEW X AS SELECT L.K, L.NAME, MAX(R.V) AS V FROM LEFTS L JOIN RIGHTS R \
                 ON L.K = R.K GROUP BY L.K, L.NAME"
            }
            Workload::Tumbling => {
                "CREATE TABLE X AS SELECT K, COUNT(*) AS N FROM EVENTS \
                 WINDOW TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 1000 DAYS) GROUP BY K"
            }
        }
    }

    /// `events` changes in ticks of `tick`.
    pub(crate) fn input(self, events: usize, tick: usize) -> Vec<Tick> {
        match self {
            Workload::Stateless | Workload::Q5 => nexmark::generate(events, tick, &[nexmark::Kind::Bids]),
            Workload::Q3 => nexmark::generate(events, tick, &[nexmark::Kind::Auctions, nexmark::Kind::People]),
            Workload::Q4 => nexmark::generate(events, tick, &[nexmark::Kind::Auctions, nexmark::Kind::Bids]),
            Workload::JoinMaxRandom => synthetic::joins(events, tick, synthetic::Keys::Random, false),
            Workload::JoinMaxMonotone => synthetic::joins(events, tick, synthetic::Keys::Monotone, false),
            Workload::JoinMaxDeletes => synthetic::joins(events, tick, synthetic::Keys::Random, true),
            Workload::Tumbling => synthetic::events(events, tick),
        }
    }
}
