//! A query and the clauses that only streaming SQL has.
//!
//! # Clauses that sqlparser does not know
//! They are taken out of the tokens before sqlparser sees them and lie in [`Clauses`], beside the query:
//! * `WINDOW …` belongs to one SELECT: [`Clauses::window`] finds it by the place of the word SELECT.
//! * `WITHIN … [GRACE PERIOD …]` belongs to one JOIN: [`Clauses::within`] finds it by the place of the first word of
//!   the joined relation.
//! * `EMIT …` and `PARTITION BY …` belong to the whole query: [`StreamingQuery::emit`] and
//!   [`StreamingQuery::partition_by`].
//!
//! The keys are places in the text, so the tree may be rewritten freely while `select_token` and the relation's name
//! keep theirs. Parsing has checked that each clause is found exactly once.
//!
//! # Expressions that sqlparser writes otherwise
//! | text | tree |
//! |---|---|
//! | `a->b->c` | `CompoundFieldAccess { root: a, access_chain: [Dot(Identifier(b)), Dot(Identifier(c))] }` |
//! | `a->*` (select item) | `UnnamedExpr(CompoundFieldAccess { root: a, access_chain: [Dot(Wildcard)] })`: [`struct_star`] |
//! | `a[1]` | `CompoundFieldAccess { root: a, access_chain: [Subscript(Index)] }`, the index as written (from 1) |
//! | `x => e`, `(x, y) => e` | `Lambda(LambdaFunction)` |
//! | `ARRAY[1, 2]` | `Array` |
//! | `MAP('k' := v, …)` | `Map(Map { entries })` |
//! | `STRUCT(a := 1, …)` | `Struct { values: [Named { expr, name: a }], fields: [] }` |
//! | `MAP<K, V>` as a type | `DataType::Map(K, V)`; see `types::sql_type` |

use sqlparser::ast;
use sqlparser::tokenizer::Location;

use crate::error::Span;

/// A query with the clauses that only streaming SQL has.
#[derive(Clone, Debug)]
pub struct StreamingQuery {
    /// SELECT, set operations, VALUES, CTEs, ORDER BY, LIMIT.
    pub query: Box<ast::Query>,
    /// WINDOW and WITHIN clauses of all its selects and joins, nested ones too.
    pub clauses: Clauses,
    /// EMIT, of the whole query only.
    pub emit: Option<Emit>,
    /// PARTITION BY, of the whole query only.
    pub partition_by: Vec<ast::Expr>,
    /// The expressions of PARTITION BY with the words.
    pub partition_by_span: Option<Span>,
    /// Where the query stands, EMIT included.
    pub span: Span,
    /// The text of `span`.
    pub text: String,
}

/// `EMIT CHANGES | FINAL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Emit {
    /// Which.
    pub mode: EmitMode,
    /// Where.
    pub span: Span,
}

/// What a push query prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmitMode {
    /// Each revision.
    Changes,
    /// Each window once, when it closes.
    Final,
}

/// The WINDOW and WITHIN clauses of a query.
#[derive(Clone, Debug, Default)]
pub struct Clauses {
    /// By the place of the word SELECT.
    pub(super) windows: Vec<(Location, WindowClause)>,
    /// By the place of the first word of the joined relation.
    pub(super) withins: Vec<(Location, WithinClause)>,
}

impl Clauses {
    /// The WINDOW clause of this SELECT.
    pub fn window(&self, select: &ast::Select) -> Option<&WindowClause> {
        let at = select.select_token.0.span.start;
        self.windows.iter().find(|(key, _)| *key == at).map(|(_, clause)| clause)
    }
    /// The WITHIN clause of this JOIN.
    pub fn within(&self, join: &ast::Join) -> Option<&WithinClause> {
        let at = relation_start(&join.relation)?;
        self.withins.iter().find(|(key, _)| *key == at).map(|(_, clause)| clause)
    }
    /// All WINDOW clauses in order of the text.
    pub fn windows(&self) -> impl Iterator<Item = &WindowClause> {
        self.windows.iter().map(|(_, clause)| clause)
    }
    /// All WITHIN clauses in order of the text.
    pub fn withins(&self) -> impl Iterator<Item = &WithinClause> {
        self.withins.iter().map(|(_, clause)| clause)
    }
}

/// `5 SECONDS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duration {
    /// Never negative.
    pub ms: i64,
    /// Number and unit.
    pub span: Span,
}

/// `WINDOW TUMBLING | HOPPING | SESSION (…)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowClause {
    /// Which windows.
    pub kind: WindowKind,
    /// RETENTION.
    pub retention: Option<Duration>,
    /// GRACE PERIOD.
    pub grace: Option<Duration>,
    /// From WINDOW to the closing bracket.
    pub span: Span,
}

/// Which windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowKind {
    /// `TUMBLING (SIZE n unit)`; the size is positive.
    Tumbling {
        /// Length.
        size: Duration,
    },
    /// `HOPPING (SIZE n unit, ADVANCE BY n unit)`; both positive.
    Hopping {
        /// Length.
        size: Duration,
        /// Distance of window starts.
        advance: Duration,
    },
    /// `SESSION (n unit)`; the gap is positive.
    Session {
        /// Largest distance of neighbours.
        gap: Duration,
    },
}

/// `WITHIN n unit` or `WITHIN (before, after)`, with `GRACE PERIOD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WithinClause {
    /// The right row may be this much earlier.
    pub before: Duration,
    /// The right row may be this much later.
    pub after: Duration,
    /// GRACE PERIOD.
    pub grace: Option<Duration>,
    /// From WITHIN on.
    pub span: Span,
}

/// The struct of a select item `struct->*`.
pub fn struct_star(item: &ast::SelectItem) -> Option<ast::Expr> {
    let ast::SelectItem::UnnamedExpr(ast::Expr::CompoundFieldAccess { root, access_chain }) = item else {
        return None;
    };
    let (ast::AccessExpr::Dot(ast::Expr::Wildcard(_)), chain) = access_chain.split_last()? else {
        return None;
    };
    Some(match chain.is_empty() {
        true => (**root).clone(),
        false => ast::Expr::CompoundFieldAccess { root: root.clone(), access_chain: chain.to_vec() },
    })
}

/// Where the first word of a relation stands: its name, or the first word of its subquery.
fn relation_start(relation: &ast::TableFactor) -> Option<Location> {
    use ast::{Spanned, TableFactor};
    let span = match relation {
        TableFactor::Derived { subquery, .. } => return query_start(subquery),
        TableFactor::NestedJoin { table_with_joins, .. } => return relation_start(&table_with_joins.relation),
        TableFactor::Table { name, .. } => name.span(),
        other => other.span(),
    };
    (span.start.line > 0).then_some(span.start)
}

/// Where the first word of a query stands.
fn query_start(query: &ast::Query) -> Option<Location> {
    if let Some(with) = &query.with {
        return Some(with.with_token.0.span.start);
    }
    let mut body = &*query.body;
    loop {
        match body {
            ast::SetExpr::Select(select) => return Some(select.select_token.0.span.start),
            ast::SetExpr::Query(query) => return query_start(query),
            ast::SetExpr::SetOperation { left, .. } => body = left,
            _ => return None,
        }
    }
}
