//! Changes with the keys that real joins have: random over many, or new ones all the time, texts and NULLs beside them.

mod joins;
mod window;

use crate::nexmark;
use crate::spec::Spec;
use crate::table::SqlType::{BigInt, Varchar};
use crate::table::{Table, Tick};
use crate::workload::Workload;

pub(crate) fn tables(workload: Workload, spec: &Spec, all: bool) -> Vec<Table> {
    match workload {
        Workload::Stateless | Workload::MostBids => nexmark::tables(workload, spec, all),
        Workload::Tumbling => vec![Table::new("events", &[("k", BigInt), ("time", BigInt)]).timed_by("time")],
        _ => {
            let left = Table::new("lefts", &[("k", BigInt), ("name", Varchar)]);
            let right = Table::new("rights", &[("k", BigInt), ("v", BigInt)]);
            match workload {
                Workload::JoinMaxDeletes => vec![left.retracting(), right.retracting()],
                _ => vec![left, right],
            }
        }
    }
}

pub(crate) fn ticks(workload: Workload, spec: &Spec, tables: Vec<Table>) -> Box<dyn Iterator<Item = Tick> + Send> {
    match workload {
        Workload::Stateless | Workload::MostBids => Box::new(nexmark::Nexmark::new(spec, tables)),
        Workload::Tumbling => Box::new(window::Events::new(spec)),
        Workload::JoinMaxMonotone => Box::new(joins::Joins::new(spec, joins::Keys::Monotone, false)),
        Workload::JoinMaxDeletes => Box::new(joins::Joins::new(spec, joins::Keys::Random, true)),
        _ => Box::new(joins::Joins::new(spec, joins::Keys::Random, false)),
    }
}
