//! What the cases had in them, per operator: a law that was never put to the test holds nothing.

use std::collections::BTreeMap;

use millrace_planner::plan::{JoinKind, Node, Op as PlanOp, WindowClose};

use crate::property::case::Case;

/// What a case had in it.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The operators of its plan.
    pub operators: Vec<String>,
    /// Which of [`FEATURES`].
    pub features: Vec<&'static str>,
}

/// What is counted.
pub const FEATURES: [&str; 8] =
    ["cases", "retractions", "NULLs", "ties", "empty groups", "var-len keys", "several workers", "late start"];

impl Seen {
    /// Of a case that was run.
    pub fn of(case: &Case, plan: &Node, emptied: bool) -> Seen {
        let mut operators = vec![];
        walk(plan, &mut operators);
        operators.sort();
        operators.dedup();
        let ops = || case.ticks.iter().flatten();
        let mut features = vec!["cases"];
        let mut note = |feature, there: bool| {
            if there {
                features.push(feature);
            }
        };
        note("retractions", ops().any(|o| o.delete) || upserts(case));
        note("NULLs", ops().any(|o| o.values.iter().any(datafusion_common::ScalarValue::is_null)));
        note("ties", ties(case));
        note("empty groups", emptied);
        note("var-len keys", plan_has_text(plan));
        note("several workers", case.workers > 1);
        note("late start", case.late_from > 0);
        Seen { operators, features }
    }
}

/// A key that came twice.
fn upserts(case: &Case) -> bool {
    use crate::property::changes::RELATIONS;
    let mut keys = vec![];
    for op in case.ticks.iter().flatten() {
        let shape = &RELATIONS[op.relation];
        if shape.key.is_empty() {
            continue;
        }
        let key: Vec<_> = shape.key.iter().map(|c| op.values[*c].clone()).collect();
        if keys.contains(&(op.relation, key.clone())) {
            return true;
        }
        keys.push((op.relation, key));
    }
    false
}

/// Two rows of a relation that are equal in some column.
fn ties(case: &Case) -> bool {
    let ops: Vec<_> = case.ticks.iter().flatten().collect();
    ops.iter().enumerate().any(|(i, a)| {
        ops[..i].iter().any(|b| a.relation == b.relation && a.values.iter().zip(&b.values).any(|(x, y)| x == y))
    })
}

fn plan_has_text(node: &Node) -> bool {
    let text = |node: &Node, columns: &[usize]| {
        columns.iter().any(|c| node.schema.field(*c).data_type() == &arrow::datatypes::DataType::Utf8)
    };
    let mine = match &node.op {
        PlanOp::Reduce { input, keys, .. } | PlanOp::SessionReduce { input, keys, .. } => text(input, keys),
        PlanOp::Join(join) => text(&join.left, &join.on.iter().map(|p| p.0).collect::<Vec<_>>()),
        PlanOp::AsOfJoin { stream, on, .. } => text(stream, &on.iter().map(|p| p.0).collect::<Vec<_>>()),
        PlanOp::WithinJoin(join) => text(&join.left, &join.on.iter().map(|p| p.0).collect::<Vec<_>>()),
        PlanOp::TopK { input, partition, .. } => text(input, partition),
        PlanOp::SetOp { .. } => text(node, &(0..node.schema.fields().len()).collect::<Vec<_>>()),
        _ => false,
    };
    mine || node.children().into_iter().any(plan_has_text)
}

fn walk(node: &Node, out: &mut Vec<String>) {
    let name = match &node.op {
        PlanOp::Source { .. } | PlanOp::Constant { .. } | PlanOp::Unnest { .. } => None,
        PlanOp::Map { .. } => Some("Map".to_owned()),
        PlanOp::Union { .. } => Some("Union".to_owned()),
        PlanOp::Join(join) => Some(match join.kind {
            JoinKind::Anti if join.null_aware => "Join Anti (NOT IN)".to_owned(),
            kind => format!("Join {kind:?}"),
        }),
        PlanOp::AsOfJoin { outer, .. } => Some(format!("AsOfJoin{}", if *outer { " outer" } else { "" })),
        PlanOp::WithinJoin(_) => Some("WithinJoin".to_owned()),
        PlanOp::Reduce { window: Some(window), .. } => Some(emitted("WindowedReduce", window)),
        PlanOp::Reduce { aggregates, .. } if aggregates.is_empty() => Some("Distinct".to_owned()),
        PlanOp::Reduce { keys, aggregates, .. } => {
            for call in aggregates {
                let function = format!("{:?}", call.function);
                let function = function.split([' ', '{', '(']).next().unwrap_or_default();
                out.push(format!("{function}{}", if call.distinct { " DISTINCT" } else { "" }));
            }
            Some(if keys.is_empty() { "Reduce (global)".to_owned() } else { "Reduce".to_owned() })
        }
        PlanOp::AssignWindows { size_ms, advance_ms, .. } => {
            Some(format!("AssignWindows {}", if size_ms == advance_ms { "tumbling" } else { "hopping" }))
        }
        PlanOp::SessionReduce { window, .. } => Some(emitted("SessionReduce", window)),
        PlanOp::TopK { rank: true, .. } => Some("TopK numbered".to_owned()),
        PlanOp::TopK { .. } => Some("TopK".to_owned()),
        PlanOp::SetOp { kind, all, .. } => Some(format!("{kind:?}{}", if *all { " ALL" } else { "" })),
        PlanOp::AtMostOne { .. } => Some("AtMostOne".to_owned()),
    };
    out.extend(name);
    node.children().into_iter().for_each(|child| walk(child, out));
}

/// EMIT FINAL and EMIT CHANGES are two operators.
fn emitted(name: &str, window: &WindowClose) -> String {
    format!("{name}{}", if window.emit_final { " FINAL" } else { "" })
}

/// Counts over many cases.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    counts: BTreeMap<String, BTreeMap<&'static str, usize>>,
}

impl Coverage {
    /// One more case.
    pub fn add(&mut self, seen: &Seen) {
        for operator in &seen.operators {
            for feature in &seen.features {
                *self.counts.entry(operator.clone()).or_default().entry(feature).or_insert(0) += 1;
            }
        }
    }

    /// Operators that met a feature less than `least` times.
    pub fn missing(&self, feature: &str, least: usize) -> Vec<String> {
        let rare = |(_, counts): &(&String, &BTreeMap<&str, usize>)| counts.get(feature).copied().unwrap_or(0) < least;
        self.counts.iter().filter(rare).map(|(operator, _)| operator.clone()).collect()
    }

    /// A table, one operator a line.
    pub fn table(&self) -> String {
        let mut text = format!("{:<22}", "operator");
        FEATURES.iter().for_each(|f| text += &format!(" {f:>15}"));
        for (operator, counts) in &self.counts {
            text += &format!("\n{operator:<22}");
            FEATURES.iter().for_each(|f| text += &format!(" {:>15}", counts.get(f).copied().unwrap_or(0)));
        }
        text
    }
}
