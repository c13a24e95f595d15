//! One case: a query, what happens, and how it is run.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::property::changes::{RELATIONS, Ticks, draw};
use crate::property::generate::{Generator, Shape};
use crate::property::query::{Dialect, Expr, From, Output, Query};

/// See the module.
#[derive(Clone, Debug)]
pub struct Case {
    /// The seed that it was drawn from.
    pub seed: u64,
    /// What the query is made into.
    pub shape: Shape,
    /// The query.
    pub query: Query,
    /// EMIT FINAL: a window's result comes when it has closed.
    pub emit_final: bool,
    /// What happens.
    pub ticks: Ticks,
    /// Worker threads.
    pub workers: usize,
    /// Seed of the order of turns; `None`: threads run freely.
    pub turns: Option<u64>,
    /// The tick (from 0) before which the late reader comes.
    pub late_from: usize,
}

impl Case {
    /// The case of a seed: the same every time.
    pub fn draw(seed: u64) -> Case {
        let mut rng = StdRng::seed_from_u64(seed);
        let shape = match rng.random_range(0..20) {
            0..=10 => Shape::View,
            11..=14 => Shape::Stream,
            _ => Shape::Table,
        };
        let query = Generator::new(&mut rng).query(shape);
        let emit_final = is_windowed(&query) && rng.random_range(0..2) == 0;
        let used = relations(&query);
        let n_ticks = rng.random_range(2..=8);
        let ticks = draw(&mut rng, &used, n_ticks, 12);
        let workers = [1, 1, 2, 2, 2, 4][rng.random_range(0..6)];
        let turns = rng.random_range(0..2) == 0;
        let turns = turns.then(|| rng.random());
        let late_from = rng.random_range(0..n_ticks);
        Case { seed, shape, query, emit_final, ticks, workers, turns, late_from }
    }

    /// The query as a statement.
    pub fn statement(&self) -> String {
        let query = self.query.sql(Dialect::Millrace);
        match self.shape {
            Shape::View => format!("CREATE MATERIALIZED VIEW X AS {query};"),
            Shape::Stream => format!("CREATE STREAM X AS {query};"),
            Shape::Table if self.emit_final => format!("CREATE TABLE X AS {query} EMIT FINAL;"),
            Shape::Table => format!("CREATE TABLE X AS {query};"),
        }
    }

    /// Everything that somebody needs to see what went wrong.
    pub fn describe(&self) -> String {
        let mut text = format!(
            "seed {}, {} workers, turns {:?}, late reader before tick {}\n{}\n",
            self.seed,
            self.workers,
            self.turns,
            self.late_from + 1,
            self.statement()
        );
        for (tick, ops) in self.ticks.iter().enumerate() {
            for op in ops {
                let sign = if op.delete { '-' } else { '+' };
                let values: Vec<String> = op.values.iter().map(|v| format!("{v:?}")).collect();
                let name = RELATIONS[op.relation].name;
                text += &format!("@{} {name} {sign}({})", tick + 1, values.join(", "));
                text += &format!(" time {} partition {}\n", op.row_time, op.partition);
            }
        }
        text
    }
}

fn is_windowed(query: &Query) -> bool {
    matches!(query, Query::Select(select) if !select.window.is_empty())
}

/// Positions in [`RELATIONS`] of what a query reads.
pub fn relations(query: &Query) -> Vec<usize> {
    let mut names = vec![];
    in_query(query, &mut names);
    let mut found: Vec<usize> =
        RELATIONS.iter().enumerate().filter(|(_, r)| names.contains(&r.name)).map(|(i, _)| i).collect();
    found.dedup();
    found
}

fn in_query(query: &Query, names: &mut Vec<&'static str>) {
    match query {
        Query::Set(_, left, right) => {
            in_query(left, names);
            in_query(right, names);
        }
        Query::Select(select) => {
            in_from(&select.from, names);
            select.filter.iter().for_each(|e| in_expr(e, names));
            match &select.output {
                Output::Rows { items, .. } => items.iter().for_each(|i| in_expr(&i.value, names)),
                Output::Groups { calls, .. } => {
                    calls.iter().flat_map(|c| &c.value.args).for_each(|e| in_expr(e, names));
                }
            }
        }
    }
}

fn in_from(from: &From, names: &mut Vec<&'static str>) {
    match from {
        From::Base { relation, .. } => names.push(relation),
        From::Query { query, .. } | From::First { query, .. } => in_query(query, names),
        From::Join { left, right, .. } => {
            in_from(left, names);
            in_from(right, names);
        }
    }
}

fn in_expr(expr: &Expr, names: &mut Vec<&'static str>) {
    match expr {
        Expr::Exists(query, _) | Expr::Scalar(query) => in_query(query, names),
        Expr::InQuery(e, query, _) => {
            in_expr(e, names);
            in_query(query, names);
        }
        Expr::Binary(_, a, b) | Expr::Divide(a, b) => {
            in_expr(a, names);
            in_expr(b, names);
        }
        Expr::Not(a) | Expr::IsNull(a, _) | Expr::Like(a, _) | Expr::Cast(a, _) => in_expr(a, names),
        Expr::Between(a, b, c) | Expr::Case(a, b, c) => [a, b, c].into_iter().for_each(|e| in_expr(e, names)),
        Expr::In(a, items, _) => {
            in_expr(a, names);
            items.iter().for_each(|e| in_expr(e, names));
        }
        Expr::Call(_, args) => args.iter().for_each(|e| in_expr(e, names)),
        Expr::Column(..) | Expr::Literal(_) | Expr::Null(_) => {}
    }
}
