//! A relation of the catalog as a source of rows in a logical plan.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion_expr::{LogicalPlan, TableSource};

use crate::catalog::{Relation, RelationId};

/// A relation, as the `source` of a `TableScan`.
#[derive(Debug)]
pub struct RelationSource {
    /// Which.
    pub relation: Relation,
    schema: SchemaRef,
}

impl RelationSource {
    /// The rows of `relation`.
    pub fn new(relation: &Relation) -> Arc<Self> {
        Arc::new(RelationSource { relation: relation.clone(), schema: relation.schema() })
    }

    /// Its identity.
    pub fn id(&self) -> RelationId {
        self.relation.id
    }

    /// The relation that a scan reads.
    pub fn of(plan: &LogicalPlan) -> Option<&RelationSource> {
        match plan {
            LogicalPlan::TableScan(scan) => (scan.source.as_ref() as &dyn std::any::Any).downcast_ref(),
            _ => None,
        }
    }
}

impl TableSource for RelationSource {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}
