//! EXPLAIN: plans as text.
//!
//! A logical plan is shown as DataFusion shows it. An incremental plan is a tree of one line per operator: what it does,
//! by which columns, what it keeps and how that is bounded, and whether it only grows. [`line`] says it of one node,
//! [`tree`] of a plan, [`json`] the same for programs.

mod json;
mod line;

use datafusion_expr::LogicalPlan;

use crate::action::Action;
use crate::catalog::{Catalog, RelationKind};
use crate::plan::{Node, Op, Query};

pub use line::line;

/// A logical plan, one node a line.
pub fn logical(plan: &LogicalPlan) -> String {
    plan.display_indent().to_string()
}

/// The incremental plan of an action, one operator a line; what an action without a query does, in one.
pub fn plan(action: &Action, catalog: &Catalog) -> String {
    let Some((head, query)) = head(action, catalog) else {
        return first_word(action);
    };
    format!("{head}\n{}", tree(&query.root))
}

/// The incremental plan of an action as JSON.
pub fn json(action: &Action, catalog: &Catalog) -> String {
    match head(action, catalog) {
        Some((head, query)) => json::query(&head, query),
        None => json::text(&first_word(action)),
    }
}

/// A plan as a tree.
pub fn tree(root: &Node) -> String {
    let mut lines = vec![];
    grow(root, "", true, &mut lines);
    lines.join("\n")
}

fn grow(node: &Node, indent: &str, last: bool, lines: &mut Vec<String>) {
    let branch = if last { "└ " } else { "├ " };
    lines.push(format!("{indent}{branch}{}", line(node)));
    let indent = format!("{indent}{}", if last { "  " } else { "│ " });
    let children = shown_children(node);
    for (i, child) in children.iter().enumerate() {
        grow(child, &indent, i + 1 == children.len(), lines);
    }
}

/// The inputs as they are shown: the windows of a windowed grouping are part of its line.
fn shown_children(node: &Node) -> Vec<&Node> {
    match line::windows_of(node) {
        Some(Op::AssignWindows { input, .. }) => vec![input],
        _ => node.children(),
    }
}

/// What becomes of the query's rows.
fn head<'a>(action: &'a Action, catalog: &Catalog) -> Option<(String, &'a Query)> {
    let name = |id| catalog.by_id(id).map_or_else(|| "?".to_string(), |relation| relation.name.clone());
    let keyed = |query: &Query| match &query.key {
        Some(key) if !key.is_empty() => format!("  key=({})", line::names(&query.root.schema, key)),
        _ => String::new(),
    };
    Some(match action {
        Action::CreateQuery(create) => {
            let form = match create.kind {
                RelationKind::Stream => "stream",
                RelationKind::Table => "upsert",
                _ => "changes",
            };
            (format!("Emit {}  {form}{}", create.name, keyed(&create.query)), &create.query)
        }
        Action::InsertQuery { target, query, .. } => (format!("Insert {}{}", name(*target), keyed(query)), query),
        Action::Push(query) => {
            let form = if query.upsert { "upsert" } else { "changes" };
            (format!("Push  {form}{}", keyed(query)), query)
        }
        Action::Pull(query) | Action::Show(query) => ("Pull".to_string(), query),
        Action::Update { target, query } => (format!("Update {}", name(*target)), query),
        Action::Delete { target, query } => (format!("Delete {}", name(*target)), query),
        _ => return None,
    })
}

/// What an action without a query does.
fn first_word(action: &Action) -> String {
    match action {
        Action::CreateSource(create) => format!("Create {} {}", create.kind.name(), create.name),
        Action::CreateView { name, .. } => format!("Create VIEW {name}: its text is put in the place of its name"),
        Action::CreateType { name, .. } => format!("Create TYPE {name}"),
        Action::InsertRows { rows, .. } => format!("Insert {} rows", rows.num_rows()),
        Action::Describe { .. } => "Describe".into(),
        Action::Set { name, value: Some(value) } => format!("Set {name} = {value}"),
        Action::Set { name, value: None } => format!("Unset {name}"),
        Action::Drop { .. } | Action::DropType { .. } => "Drop".into(),
        Action::Control { verb, .. } => format!("{verb:?}"),
        Action::Nothing { notice } => notice.clone(),
        Action::Explain { text } => text.clone(),
        other => format!("{other:?}").split(['(', ' ', '{']).next().unwrap_or_default().to_string(),
    }
}
