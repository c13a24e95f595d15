//! Joins as nested loops.

use datafusion_common::{DFSchema, JoinType, NullEquality, ScalarValue};
use datafusion_expr::logical_plan::Join;
use datafusion_expr::{Expr, LogicalPlan};
use millrace_planner::logical::Node;
use millrace_planner::logical::as_of::AsOf;

use crate::reference::expr::Scope;
use crate::reference::{Evaluator, Row, Values};

impl Evaluator<'_> {
    pub(crate) fn join(&self, join: &Join, tick: u64, outer: Option<&Scope<'_>>) -> Result<Vec<Row>, String> {
        let (lefts, rights) = (self.plan(&join.left, tick, outer)?, self.plan(&join.right, tick, outer)?);
        let both = join.left.schema().join(join.right.schema()).map_err(|e| e.to_string())?;
        let meets = |left: &Row, right: &Row| {
            let scope = Scope { schema: &both, row: &[&left.values[..], &right.values[..]].concat(), outer, tick };
            join.on.iter().all(|(l, r)| self.equal(l, r, join.null_equality, scope))
                && join.filter.as_ref().is_none_or(|f| self.holds(f, scope))
        };
        let hits: Vec<Vec<bool>> = lefts.iter().map(|l| rights.iter().map(|r| meets(l, r)).collect()).collect();
        let left_hit = |i: usize| hits[i].contains(&true);
        let right_hit = |j: usize| hits.iter().any(|row| row[j]);
        let pairs = || {
            let mut out = vec![];
            for (i, row) in hits.iter().enumerate() {
                out.extend((0..row.len()).filter(|j| row[*j]).map(|j| combine(&lefts[i], &rights[j])));
            }
            out
        };
        let lonely_left = || {
            let nulls = nulls(join.right.schema());
            (0..lefts.len()).filter(|i| !left_hit(*i)).map(|i| with(&lefts[i], None, &nulls)).collect()
        };
        let lonely_right = || {
            let nulls = nulls(join.left.schema());
            (0..rights.len()).filter(|j| !right_hit(*j)).map(|j| with(&rights[j], Some(&nulls), &[])).collect()
        };
        Ok(match join.join_type {
            JoinType::Inner => pairs(),
            JoinType::Left => [pairs(), lonely_left()].concat(),
            JoinType::Right => [pairs(), lonely_right()].concat(),
            JoinType::Full => [pairs(), lonely_left(), lonely_right()].concat(),
            JoinType::LeftSemi => (0..lefts.len()).filter(|i| left_hit(*i)).map(|i| lefts[i].clone()).collect(),
            JoinType::LeftAnti => (0..lefts.len()).filter(|i| !left_hit(*i)).map(|i| lefts[i].clone()).collect(),
            other => return Err(format!("a bound plan has no {other} join")),
        })
    }

    fn equal(&self, left: &Expr, right: &Expr, nulls: NullEquality, scope: Scope<'_>) -> bool {
        let (Ok(a), Ok(b)) = (self.expr(left, scope), self.expr(right, scope)) else {
            self.failed();
            return false;
        };
        match (a.is_null(), b.is_null()) {
            (true, true) => nulls == NullEquality::NullEqualsNull,
            (false, false) => a == b,
            _ => false,
        }
    }

    /// Each stream row meets the table of the tick at which it arrived.
    pub(crate) fn as_of(&self, node: &Node<AsOf>, tick: u64, outer: Option<&Scope<'_>>) -> Result<Vec<Row>, String> {
        let (stream, table) = (&node.inputs[0], &node.inputs[1]);
        let both = stream.schema().join(table.schema()).map_err(|e| e.to_string())?;
        let mut out = vec![];
        for row in self.plan(stream, tick, outer)? {
            let mut met = false;
            for other in self.table_at(table, row.tick)? {
                let values = [&row.values[..], &other.values[..]].concat();
                let scope = Scope { schema: &both, row: &values, outer, tick: row.tick };
                if node.op.condition.as_ref().is_none_or(|c| self.holds(c, scope)) {
                    met = true;
                    out.push(Row { values, tick: row.tick });
                }
            }
            if !met && node.op.outer {
                out.push(with(&row, None, &nulls(table.schema())));
            }
        }
        Ok(out)
    }

    fn table_at(&self, table: &LogicalPlan, tick: u64) -> Result<Vec<Row>, String> {
        let key = (std::ptr::from_ref(table) as usize, tick);
        if let Some(rows) = self.tables.borrow().get(&key) {
            return Ok(rows.clone());
        }
        let rows = self.plan(table, tick, None)?;
        self.tables.borrow_mut().insert(key, rows.clone());
        Ok(rows)
    }
}

fn combine(left: &Row, right: &Row) -> Row {
    Row { values: [&left.values[..], &right.values[..]].concat(), tick: left.tick.max(right.tick) }
}

fn with(row: &Row, before: Option<&[ScalarValue]>, after: &[ScalarValue]) -> Row {
    Row { values: [before.unwrap_or(&[]), &row.values[..], after].concat(), tick: row.tick }
}

/// A NULL of each column's type.
fn nulls(schema: &DFSchema) -> Values {
    let null = |data_type| ScalarValue::try_from(data_type).unwrap_or(ScalarValue::Null);
    schema.fields().iter().map(|f| null(f.data_type())).collect()
}
