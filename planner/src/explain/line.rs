//! One operator in one line.

use arrow::datatypes::{Schema, SchemaRef};
use datafusion_common::ScalarValue;
use datafusion_physical_expr::expressions::{Column, Literal};

use crate::function::aggregate::name as function_name;
use crate::plan::{
    Aggregate, AggregateFunction, Expr, Join, JoinKind, Node, Op, SetOpKind, SortKey, State, WindowClose, WithinJoin,
};

/// The operator, its strategy, its key, what it keeps, whether it only grows.
pub fn line(node: &Node) -> String {
    let state = match node.state {
        State::Hash => "hash",
        State::Differential => "differential",
    };
    match &node.op {
        Op::Source { name, columns: _, .. } => {
            format!("Source {name}{}  columns=[{}]", grows(node), all_names(&node.schema))
        }
        Op::Constant { rows } => format!("Constant  {} rows", rows.num_rows()),
        Op::Map { input, filter, exprs, .. } => map(input, filter.as_ref(), exprs, &node.schema),
        Op::Unnest { input, columns, keep_empty } => {
            let keep = if *keep_empty { "  keeps empty lists" } else { "" };
            format!("Unnest  columns=[{}]{keep}", names(&input.schema, columns))
        }
        Op::Union { .. } => format!("Union{}", grows(node)),
        Op::Join(join) => format!("{}  {state}  keeps both sides{}", joined(join), grows(node)),
        Op::AsOfJoin { stream, table, on, residual, outer } => {
            let kind = if *outer { "left" } else { "inner" };
            let on = pairs(on, &stream.schema, &table.schema, residual.as_ref());
            format!("AsOfJoin  {kind}{on}  {state}  keeps the table{}", grows(node))
        }
        Op::WithinJoin(join) => within(join, state, node),
        Op::Reduce { input, keys, aggregates, window: None } if aggregates.is_empty() => {
            format!("Distinct  key=({})  {state}  keeps 1 row per key{}", names(&input.schema, keys), grows(node))
        }
        Op::Reduce { input, keys, aggregates, window: None } => {
            let keeps = if keys.is_empty() { "keeps 1 row" } else { "keeps 1 row per key" };
            format!("Reduce  {}{}  {state}  {keeps}", calls(aggregates, &input.schema), by(&input.schema, keys))
        }
        Op::Reduce { input, keys, aggregates, window: Some(window) } => {
            let shape = match windows_of(node) {
                Some(Op::AssignWindows { size_ms, advance_ms, .. }) => shape(*size_ms, *advance_ms),
                _ => String::new(),
            };
            let others: Vec<usize> = keys
                .iter()
                .enumerate()
                .filter(|(i, _)| *i != window.start && *i != window.end)
                .map(|(_, k)| *k)
                .collect();
            let calls = calls(aggregates, &input.schema);
            format!("WindowedReduce  {calls}{}{shape}  {state}  {}", by(&input.schema, &others), closing(window))
        }
        Op::AssignWindows { size_ms, advance_ms, grace_ms, .. } => {
            format!("AssignWindows{}  grace={}{}", shape(*size_ms, *advance_ms), duration(*grace_ms), grows(node))
        }
        Op::SessionReduce { input, keys, gap_ms, aggregates, window, .. } => {
            let calls = calls(aggregates, &input.schema);
            let keys = by(&input.schema, keys);
            format!("SessionReduce  {calls}{keys}  window=SESSION {}  {state}  {}", duration(*gap_ms), closing(window))
        }
        Op::TopK { input, .. } => format!("TopK{}", top_k(input, &node.op, state)),
        Op::SetOp { kind, all, .. } => {
            let kind = match kind {
                SetOpKind::Intersect => "Intersect",
                SetOpKind::Except => "Except",
            };
            format!("{kind}{}  {state}  keeps both sides{}", if *all { " ALL" } else { "" }, grows(node))
        }
        Op::AtMostOne { input, keys } => format!("AtMostOne{}  {state}", by(&input.schema, keys)),
    }
}

fn top_k(input: &Node, op: &Op, state: &str) -> String {
    let Op::TopK { partition, order, offset, limit, rank, .. } = op else { return String::new() };
    let offset = if *offset > 0 { format!("  offset={offset}") } else { String::new() };
    let limit = limit.map(|limit| format!("  limit={limit}")).unwrap_or_default();
    let keeps = match (input.append_only, limit.is_empty()) {
        (true, false) => "keeps the first rows",
        _ => "keeps all rows",
    };
    let by = by(&input.schema, partition);
    let rank = if *rank { "  numbered" } else { "" };
    format!("{by}  order=({}){offset}{limit}{rank}  {state}  {keeps}", sort(&input.schema, order))
}

/// The windows that a windowed grouping closes, if nothing but a choice of columns lies between.
pub(super) fn windows_of(node: &Node) -> Option<&Op> {
    let Op::Reduce { input, window: Some(_), .. } = &node.op else { return None };
    let mut below = &**input;
    while let Op::Map { input, filter: None, exprs, .. } = &below.op {
        if !exprs.iter().all(|expr| expr.downcast_ref::<Column>().is_some()) {
            return None;
        }
        below = input;
    }
    matches!(below.op, Op::AssignWindows { .. }).then_some(&below.op)
}

fn map(input: &Node, filter: Option<&Expr>, exprs: &[Expr], schema: &SchemaRef) -> String {
    let same = exprs.len() == input.schema.fields().len()
        && exprs.iter().enumerate().all(|(i, e)| e.downcast_ref::<Column>().is_some_and(|c| c.index() == i));
    let columns = || {
        let named = exprs.iter().zip(schema.fields()).map(|(expr, field)| {
            let made = sql(expr, &input.schema);
            if made == *field.name() { made } else { format!("{made} AS {}", field.name()) }
        });
        named.collect::<Vec<_>>().join(", ")
    };
    match (filter, same) {
        (Some(filter), true) => format!("Filter  {}", sql(filter, &input.schema)),
        (None, _) => format!("Project  [{}]", columns()),
        (Some(filter), false) => format!("Map  [{}]  where {}", columns(), sql(filter, &input.schema)),
    }
}

fn joined(join: &Join) -> String {
    let kind = match join.kind {
        JoinKind::Inner => "Join  inner",
        JoinKind::Left => "Join  left",
        JoinKind::Full => "Join  full",
        JoinKind::Semi => "SemiJoin",
        JoinKind::Anti if join.null_aware => "AntiJoin  NOT IN",
        JoinKind::Anti => "AntiJoin",
        JoinKind::Mark => "MarkJoin",
    };
    let nulls = if join.null_equal { "  NULL equals NULL" } else { "" };
    format!("{kind}{}{nulls}", pairs(&join.on, &join.left.schema, &join.right.schema, join.residual.as_ref()))
}

fn within(join: &WithinJoin, state: &str, node: &Node) -> String {
    let kind = match join.kind {
        JoinKind::Left => "left",
        JoinKind::Full => "full",
        _ => "inner",
    };
    let on = pairs(&join.on, &join.left.schema, &join.right.schema, join.residual.as_ref());
    let (before, after) = (duration(join.before_ms), duration(join.after_ms));
    let grace = duration(join.grace_ms);
    let near = format!("  within -{before} to +{after}  {state}  keeps both sides until window + grace {grace}");
    format!("WithinJoin  {kind}{on}{near}{}", grows(node))
}

fn pairs(on: &[(usize, usize)], left: &SchemaRef, right: &SchemaRef, residual: Option<&Expr>) -> String {
    let equal = on.iter().map(|(l, r)| format!("{} = {}", left.field(*l).name(), right.field(*r).name()));
    let both: Vec<_> = left.fields().iter().chain(right.fields().iter()).cloned().collect();
    let residual = residual.map(|residual| sql(residual, &Schema::new(both)));
    let all: Vec<String> = equal.chain(residual).collect();
    if all.is_empty() { "  every pair".into() } else { format!("  on {}", all.join(" AND ")) }
}

fn calls(aggregates: &[Aggregate], schema: &SchemaRef) -> String {
    let call = |aggregate: &Aggregate| {
        let args = match (&aggregate.function, aggregate.args.as_slice()) {
            (AggregateFunction::Count, []) => "*".to_string(),
            (_, args) => names(schema, args),
        };
        let distinct = if aggregate.distinct { "DISTINCT " } else { "" };
        let order = match aggregate.order.as_slice() {
            [] => String::new(),
            order => format!(" ORDER BY {}", sort(schema, order)),
        };
        let filter = match aggregate.filter {
            Some(filter) => format!(" FILTER {}", schema.field(filter).name()),
            None => String::new(),
        };
        format!("{}({distinct}{args}{order}){filter}", function_name(&aggregate.function))
    };
    aggregates.iter().map(call).collect::<Vec<_>>().join(", ")
}

fn by(schema: &SchemaRef, keys: &[usize]) -> String {
    match keys {
        [] => String::new(),
        [key] => format!("  key={}", schema.field(*key).name()),
        keys => format!("  key=({})", names(schema, keys)),
    }
}

fn closing(window: &WindowClose) -> String {
    let emit = if window.emit_final { "; emits closed windows" } else { "" };
    format!(
        "keeps 1 row per key and open window, until window end + grace {}; results {}{emit}",
        duration(window.grace_ms),
        duration(window.retention_ms)
    )
}

fn shape(size_ms: i64, advance_ms: i64) -> String {
    match size_ms == advance_ms {
        true => format!("  window=TUMBLING {}", duration(size_ms)),
        false => format!("  window=HOPPING {} by {}", duration(size_ms), duration(advance_ms)),
    }
}

fn sort(schema: &SchemaRef, order: &[SortKey]) -> String {
    let key = |key: &SortKey| {
        let direction = if key.descending { " DESC" } else { "" };
        let nulls = match (key.descending, key.nulls_first) {
            (false, true) => " NULLS FIRST",
            (true, false) => " NULLS LAST",
            _ => "",
        };
        format!("{}{direction}{nulls}", schema.field(key.column).name())
    };
    order.iter().map(key).collect::<Vec<_>>().join(", ")
}

fn grows(node: &Node) -> &'static str {
    if node.append_only { "  append-only" } else { "" }
}

fn all_names(schema: &SchemaRef) -> String {
    names(schema, &(0..schema.fields().len()).collect::<Vec<_>>())
}

/// Columns by name.
pub(super) fn names(schema: &SchemaRef, columns: &[usize]) -> String {
    columns.iter().map(|c| schema.field(*c).name().as_str()).collect::<Vec<_>>().join(", ")
}

/// An expression over columns as they are called in `schema`.
pub(super) fn sql(expr: &Expr, schema: &Schema) -> String {
    let mut shown = std::sync::Arc::clone(expr);
    use datafusion_common::tree_node::{Transformed, TransformedResult, TreeNode};
    let renamed = std::sync::Arc::clone(expr).transform_up(|expr| {
        if let Some(shown) = expr.downcast_ref::<Literal>().and_then(|literal| quoted(literal.value())) {
            return Ok(Transformed::yes(std::sync::Arc::new(Column::new(&shown, usize::MAX)) as Expr));
        }
        let renamed = expr.downcast_ref::<Column>().and_then(|column| {
            let field = schema.fields().get(column.index())?;
            Some(std::sync::Arc::new(Column::new(field.name(), column.index())) as Expr)
        });
        Ok(match renamed {
            Some(renamed) => Transformed::yes(renamed),
            None => Transformed::no(expr),
        })
    });
    if let Ok(renamed) = renamed.data() {
        shown = renamed;
    }
    Sql(&shown).to_string()
}

/// A literal as SQL writes it, where that is not its value alone.
fn quoted(value: &ScalarValue) -> Option<String> {
    match value {
        ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text)) => {
            Some(format!("'{}'", text.replace('\'', "''")))
        }
        ScalarValue::Boolean(Some(truth)) => Some(truth.to_string().to_uppercase()),
        ScalarValue::Date32(Some(_)) => Some(format!("DATE '{value}'")),
        ScalarValue::TimestampMicrosecond(Some(_), _) => {
            let text = crate::eval::cast::cast_scalar(value, &arrow::datatypes::DataType::Utf8).ok()?;
            Some(format!("TIMESTAMP '{text}'"))
        }
        ScalarValue::IntervalMonthDayNano(Some(_)) => {
            let text = crate::eval::cast::cast_scalar(value, &arrow::datatypes::DataType::Utf8).ok()?;
            Some(format!("INTERVAL '{text}'"))
        }
        value if value.is_null() => Some("NULL".into()),
        _ => None,
    }
}

/// An expression as SQL.
struct Sql<'e>(&'e Expr);

impl std::fmt::Display for Sql<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt_sql(f)
    }
}

/// `24 h 5 s`.
pub(super) fn duration(ms: i64) -> String {
    let units = [("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1)];
    let mut rest = ms;
    let mut parts = vec![];
    for (unit, size) in units {
        if rest >= size {
            parts.push(format!("{} {unit}", rest / size));
            rest %= size;
        }
    }
    if parts.is_empty() { "0 s".into() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_read_as_units() {
        assert_eq!(duration(86_405_000), "24 h 5 s");
        assert_eq!(duration(0), "0 s");
        assert_eq!(duration(1500), "1 s 500 ms");
    }
}
