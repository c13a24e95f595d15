//! An incremental plan over rows that do not change, one row at a time: what its answer must be.
//!
//! It does what the nodes' documentation says and nothing more. A row on which an expression fails is left out, as it is
//! in the answer of a query.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use datafusion_common::ScalarValue;
use millrace_planner::plan::{Aggregate, AggregateFunction, Expr, Join, JoinKind, Node, Op, SetOpKind, SortKey};

pub(crate) type Row = Vec<ScalarValue>;
pub(crate) type Tables = BTreeMap<String, Vec<Row>>;

/// The rows of a plan.
pub(crate) fn rows(node: &Node, tables: &Tables) -> Vec<Row> {
    let of = |node: &Node| rows(node, tables);
    match &node.op {
        Op::Source { name, columns, .. } => {
            tables[name].iter().map(|row| columns.iter().map(|c| row[*c].clone()).collect()).collect()
        }
        Op::Constant { rows } => {
            let cell = |c: &ArrayRef, i: usize| ScalarValue::try_from_array(c, i).expect("a value");
            (0..rows.num_rows()).map(|i| rows.columns().iter().map(|c| cell(c, i)).collect()).collect()
        }
        Op::Map { input, filter, exprs, .. } => of(input)
            .into_iter()
            .filter(|row| filter.as_ref().is_none_or(|filter| holds(filter, row, &input.schema)))
            .filter_map(|row| exprs.iter().map(|expr| value(expr, &row, &input.schema)).collect::<Option<Row>>())
            .collect(),
        Op::Union { inputs } => inputs.iter().flat_map(of).collect(),
        Op::Join(join) => joined(join, &of(&join.left), &of(&join.right)),
        Op::AsOfJoin { stream, table, on, residual, outer } => {
            let join = Join {
                left: stream.clone(),
                right: table.clone(),
                kind: if *outer { JoinKind::Left } else { JoinKind::Inner },
                on: on.clone(),
                residual: residual.clone(),
                null_equal: false,
                null_aware: false,
            };
            joined(&join, &of(stream), &of(table))
        }
        Op::Reduce { input, keys, aggregates, .. } => reduced(&of(input), keys, aggregates),
        Op::TopK { input, partition, order, offset, limit, rank } => {
            let mut groups = grouped(&of(input), partition);
            for rows in groups.values_mut() {
                rows.sort_by(|a, b| by(order, a, b));
            }
            let limit = limit.unwrap_or(usize::MAX);
            let numbered = |(i, mut row): (usize, Row)| {
                row.extend(rank.then_some(ScalarValue::Int64(Some(i as i64 + 1))));
                row
            };
            let first = |rows: Vec<Row>| rows.into_iter().enumerate().skip(*offset).take(limit).map(numbered);
            groups.into_values().flat_map(first).collect()
        }
        Op::SetOp { left, right, kind, all } => set_op(&of(left), &of(right), *kind, *all),
        Op::AtMostOne { input, keys } => {
            grouped(&of(input), keys).into_values().filter(|rows| rows.len() == 1).flatten().collect()
        }
        Op::Unnest { input, columns, keep_empty } => {
            of(input).iter().flat_map(|row| unnested(row, columns, *keep_empty)).collect()
        }
        other => panic!("no naive answer of {other:?}"),
    }
}

fn batch(row: &Row, schema: &SchemaRef) -> RecordBatch {
    let columns = row.iter().map(|value| value.to_array().expect("an array")).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).expect("a row of the schema")
}

fn value(expr: &Expr, row: &Row, schema: &SchemaRef) -> Option<ScalarValue> {
    let column = expr.evaluate(&batch(row, schema)).ok()?.into_array(1).ok()?;
    ScalarValue::try_from_array(&column, 0).ok()
}

fn holds(expr: &Expr, row: &Row, schema: &SchemaRef) -> bool {
    value(expr, row, schema) == Some(ScalarValue::Boolean(Some(true)))
}

fn joined(join: &Join, left: &[Row], right: &[Row]) -> Vec<Row> {
    let fields = join.left.schema.fields().iter().chain(join.right.schema.fields().iter()).cloned();
    let both: SchemaRef = Arc::new(arrow::datatypes::Schema::new(fields.collect::<Vec<_>>()));
    let meet = |l: &Row, r: &Row| {
        let equal = |(a, b): &(usize, usize)| {
            (join.null_equal && l[*a].is_null() && r[*b].is_null()) || (!l[*a].is_null() && l[*a] == r[*b])
        };
        let pair: Row = l.iter().chain(r).cloned().collect();
        join.on.iter().all(equal) && join.residual.as_ref().is_none_or(|residual| holds(residual, &pair, &both))
    };
    let nulls = |node: &Node| -> Row {
        node.schema.fields().iter().map(|f| ScalarValue::try_from(f.data_type()).expect("a NULL")).collect()
    };
    let mut out = vec![];
    let mut met = vec![false; right.len()];
    for l in left {
        let partners: Vec<usize> = (0..right.len()).filter(|i| meet(l, &right[*i])).collect();
        partners.iter().for_each(|i| met[*i] = true);
        let found = !partners.is_empty();
        let null_key = join.on.first().is_some_and(|(a, b)| l[*a].is_null() || right.iter().any(|r| r[*b].is_null()));
        match join.kind {
            JoinKind::Semi if found => out.push(l.clone()),
            JoinKind::Anti => {
                let unknown = join.null_aware && null_key && !right.is_empty();
                if !found && !unknown {
                    out.push(l.clone());
                }
            }
            JoinKind::Mark => {
                out.push(l.iter().cloned().chain([ScalarValue::Boolean(Some(found))]).collect());
            }
            JoinKind::Inner | JoinKind::Left | JoinKind::Full => {
                out.extend(partners.iter().map(|i| l.iter().chain(&right[*i]).cloned().collect::<Row>()));
                if !found && join.kind != JoinKind::Inner {
                    out.push(l.iter().cloned().chain(nulls(&join.right)).collect());
                }
            }
            _ => {}
        }
    }
    if join.kind == JoinKind::Full {
        let alone = right.iter().zip(&met).filter(|(_, met)| !**met);
        out.extend(alone.map(|(r, _)| nulls(&join.left).into_iter().chain(r.iter().cloned()).collect::<Row>()));
    }
    out
}

fn grouped(rows: &[Row], keys: &[usize]) -> BTreeMap<String, Vec<Row>> {
    let mut groups: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in rows {
        let key: Vec<&ScalarValue> = keys.iter().map(|k| &row[*k]).collect();
        groups.entry(format!("{key:?}")).or_default().push(row.clone());
    }
    groups
}

fn reduced(rows: &[Row], keys: &[usize], aggregates: &[Aggregate]) -> Vec<Row> {
    let mut groups = grouped(rows, keys);
    if keys.is_empty() && groups.is_empty() {
        groups.insert(String::new(), vec![]);
    }
    let row = |rows: Vec<Row>| {
        let own = keys.iter().map(|k| rows[0][*k].clone());
        own.chain(aggregates.iter().map(|aggregate| computed(aggregate, &rows))).collect()
    };
    groups.into_values().map(row).collect()
}

fn computed(aggregate: &Aggregate, rows: &[Row]) -> ScalarValue {
    let counts = |row: &&Row| aggregate.filter.is_none_or(|f| row[f] == ScalarValue::Boolean(Some(true)));
    let mut args: Vec<Row> =
        rows.iter().filter(counts).map(|row| aggregate.args.iter().map(|a| row[*a].clone()).collect()).collect();
    args.retain(|row: &Row| row.iter().all(|value| !value.is_null()));
    if aggregate.distinct {
        args.sort_by(all);
        args.dedup();
    }
    let null = ScalarValue::try_from(&aggregate.data_type).expect("a NULL");
    let numbers = || args.iter().map(|row| number(&row[0]));
    match &aggregate.function {
        AggregateFunction::Count => ScalarValue::Int64(Some(args.len() as i64)),
        _ if args.is_empty() => null,
        AggregateFunction::Sum => {
            let sum = ScalarValue::Float64(Some(numbers().sum()));
            millrace_planner::eval::cast::cast_scalar(&sum, &aggregate.data_type).expect("a sum")
        }
        AggregateFunction::Avg => ScalarValue::Float64(Some(numbers().sum::<f64>() / args.len() as f64)),
        AggregateFunction::Min => args.into_iter().min_by(all).expect("a row").remove(0),
        AggregateFunction::Max => args.into_iter().max_by(all).expect("a row").remove(0),
        other => panic!("no naive {other:?}"),
    }
}

fn number(value: &ScalarValue) -> f64 {
    value.to_string().parse().expect("a number")
}

fn order(a: &ScalarValue, b: &ScalarValue, descending: bool, nulls_first: bool) -> Ordering {
    match (a.is_null(), b.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) => {
            if nulls_first {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
        (false, true) => {
            if nulls_first {
                Ordering::Greater
            } else {
                Ordering::Less
            }
        }
        _ => {
            let ordering = a.partial_cmp(b).expect("values of one type");
            if descending { ordering.reverse() } else { ordering }
        }
    }
}

fn by(keys: &[SortKey], a: &Row, b: &Row) -> Ordering {
    let one = |key: &SortKey| order(&a[key.column], &b[key.column], key.descending, key.nulls_first);
    keys.iter().map(one).find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
}

/// By all columns, NULL last.
pub(crate) fn all(a: &Row, b: &Row) -> Ordering {
    let one = |(a, b)| order(a, b, false, false);
    a.iter().zip(b).map(one).find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
}

fn set_op(left: &[Row], right: &[Row], kind: SetOpKind, all: bool) -> Vec<Row> {
    let every: Vec<usize> = (0..left.first().or(right.first()).map_or(0, Vec::len)).collect();
    let rights = grouped(right, &every);
    let mut out = vec![];
    for (key, rows) in grouped(left, &every) {
        let (m, n) = (rows.len(), rights.get(&key).map_or(0, Vec::len));
        let times = match (kind, all) {
            (SetOpKind::Intersect, true) => m.min(n),
            (SetOpKind::Intersect, false) => usize::from(n > 0),
            (SetOpKind::Except, true) => m.saturating_sub(n),
            (SetOpKind::Except, false) => usize::from(n == 0),
        };
        out.extend(rows.into_iter().cycle().take(times));
    }
    out
}

fn unnested(row: &Row, columns: &[usize], keep_empty: bool) -> Vec<Row> {
    let lists: Vec<Vec<ScalarValue>> = columns
        .iter()
        .map(|c| match &row[*c] {
            ScalarValue::List(list) if !list.is_empty() => {
                let items = list.value(0);
                (0..items.len()).map(|i| ScalarValue::try_from_array(&items, i).expect("an item")).collect()
            }
            _ => vec![],
        })
        .collect();
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
    let item = |row: &mut Row, i: usize| {
        for (c, list) in columns.iter().zip(&lists) {
            row[*c] = match (list.get(i), &row[*c]) {
                (Some(item), _) => item.clone(),
                (None, list) => match list.data_type() {
                    arrow::datatypes::DataType::List(field) => {
                        ScalarValue::try_from(field.data_type()).expect("a NULL")
                    }
                    other => panic!("{other} is no list"),
                },
            };
        }
    };
    let times = if longest == 0 && keep_empty { 1 } else { longest };
    (0..times)
        .map(|i| {
            let mut out = row.clone();
            item(&mut out, i);
            out
        })
        .collect()
}
