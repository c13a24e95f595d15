//! What the session knows of a relation besides its place in the catalog: where its rows come from, whether they have
//! begun to flow, and whether they are kept.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::Int64Array;
use arrow::datatypes::{DataType, SchemaRef};
use millrace_connect::Connector;
use millrace_planner::action::{CreateQuery, CreateSource};
use millrace_planner::catalog::{Catalog, Column, Definition, Relation, RelationId, RelationKind};

use crate::system::SystemRelation;
use crate::ticker::NO_TIME;

/// A relation of the session.
#[derive(Debug)]
pub(crate) struct Stored {
    /// As the catalog has it.
    pub(crate) relation: Relation,
    /// Columns of its collection: those that plans may name, then hidden ones of its query.
    pub(crate) schema: SchemaRef,
    pub(crate) origin: Origin,
    /// The statement that made it.
    pub(crate) sql: Option<String>,
    /// The engine has it.
    pub(crate) in_engine: bool,
    /// Rows have begun to flow: a reader that comes now has missed some, unless they are kept.
    pub(crate) flowing: bool,
    /// The engine keeps its collection for readers to come.
    pub(crate) keep: bool,
    /// Rows that it has kept.
    pub(crate) rows_kept: u64,
    /// It is another relation's source, read again for one query.
    pub(crate) reopened: bool,
    /// Columns that somebody reads.
    pub(crate) wanted: BTreeSet<usize>,
    /// The last tick that brought something; `None` while more may come.
    pub(crate) ended: Option<u64>,
    /// Its rows cannot be had any more, and why.
    pub(crate) failed: Option<String>,
    /// Its source cannot be read at present, and why.
    pub(crate) stalled: Option<String>,
}

/// Where rows come from.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// A connector reads them.
    Connector(Setup),
    /// Statements bring them.
    Statements(StatementLane),
    /// Persistent queries maintain it.
    Query,
    /// Nowhere: it is a text.
    View,
    /// The session itself.
    System(SystemRelation),
}

/// How a connector is opened.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) options: BTreeMap<String, String>,
    pub(crate) columns: Vec<(String, DataType)>,
    pub(crate) connector: Connector,
    /// Reading comes to an end.
    pub(crate) bounded: bool,
}

/// The one partition of rows that statements bring.
#[derive(Clone, Debug)]
pub(crate) struct StatementLane {
    pub(crate) next_offset: i64,
    /// Largest event time so far.
    pub(crate) high: i64,
}

impl Default for StatementLane {
    fn default() -> Self {
        StatementLane { next_offset: 0, high: NO_TIME }
    }
}

impl StatementLane {
    /// Offsets and lane times of rows with these event times, in order; the lane moves on.
    pub(crate) fn place(&mut self, times: &Int64Array) -> (Int64Array, Int64Array) {
        let offsets = (0..times.len() as i64).map(|i| self.next_offset + i).collect();
        self.next_offset += times.len() as i64;
        let lane_times = times.iter().map(|time| {
            let before = self.high;
            self.high = before.max(time.unwrap_or(NO_TIME));
            (before != NO_TIME).then_some(before)
        });
        let lane_times = lane_times.collect();
        (offsets, lane_times)
    }
}

impl Stored {
    pub(crate) fn new(relation: Relation, schema: SchemaRef, origin: Origin) -> Self {
        Stored {
            relation,
            schema,
            origin,
            sql: None,
            in_engine: false,
            flowing: false,
            keep: false,
            rows_kept: 0,
            reopened: false,
            wanted: BTreeSet::new(),
            ended: None,
            failed: None,
            stalled: None,
        }
    }

    pub(crate) fn id(&self) -> RelationId {
        self.relation.id
    }

    /// Whether its rows come from outside the engine.
    pub(crate) fn is_base(&self) -> bool {
        !matches!(self.origin, Origin::Query | Origin::View)
    }

    pub(crate) fn is_system(&self) -> bool {
        matches!(self.origin, Origin::System(_))
    }

    /// How many of its columns the user declared or sees.
    pub(crate) fn visible(&self) -> usize {
        self.relation.columns.len()
    }
}

/// Puts a source into the catalog.
pub(crate) fn declare_source(catalog: &mut Catalog, create: &CreateSource, columns: Vec<Column>) -> Relation {
    let relation = create.relation(catalog.allocate(), columns);
    catalog.insert(relation.clone());
    relation
}

/// Puts the relation of a persistent query into the catalog.
pub(crate) fn declare_query(catalog: &mut Catalog, create: &CreateQuery) -> Relation {
    let relation = create.relation(catalog.allocate());
    catalog.insert(relation.clone());
    relation
}

/// Puts a view into the catalog.
pub(crate) fn declare_view(
    catalog: &mut Catalog,
    name: &str,
    columns: &[Column],
    sql: &str,
    reads: &[RelationId],
) -> Relation {
    let relation = Relation {
        id: catalog.allocate(),
        name: name.to_owned(),
        kind: RelationKind::View,
        columns: columns.to_vec(),
        primary_key: vec![],
        system_columns: false,
        definition: Definition::Query { sql: sql.to_owned() },
        reads: reads.to_vec(),
        window_columns: None,
        time_sources: vec![],
    };
    catalog.insert(relation.clone());
    relation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_goes_on_where_it_was() {
        let mut lane = StatementLane::default();
        let (offsets, times) = lane.place(&Int64Array::from(vec![Some(10), None, Some(5)]));
        assert_eq!(offsets, Int64Array::from(vec![0, 1, 2]));
        assert_eq!(times, Int64Array::from(vec![None, Some(10), Some(10)]));
        let (offsets, times) = lane.place(&Int64Array::from(vec![20, 1]));
        assert_eq!(offsets, Int64Array::from(vec![3, 4]));
        assert_eq!(times, Int64Array::from(vec![10, 20]));
    }
}
