//! The keys of GROUP BY, and the sets of them: GROUPING SETS, ROLLUP and CUBE.
//!
//! Elements beside each other multiply: `GROUP BY a, ROLLUP (b)` is the sets (a, b) and (a).

use datafusion_expr::Expr;
use sqlparser::ast;

use super::aggregate::is_placeholder;
use super::coerce::at;
use super::expr::Cx;
use super::from::From;
use super::items::Item;
use super::{Binder, Env};
use crate::error::{ErrorKind, PlanError, Result};
use crate::sql::name::fold;

/// Each set is a grouping of its own.
const SETS_MAX: usize = 64;

/// What rows are grouped by.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    /// Each once.
    pub(crate) exprs: Vec<Expr>,
    /// Positions in `exprs` of the keys of each set; `None`: there is one grouping, by all of them.
    pub(crate) sets: Option<Vec<Vec<usize>>>,
}

impl Keys {
    fn place(&mut self, key: Expr) -> usize {
        match self.exprs.iter().position(|known| *known == key) {
            Some(place) => place,
            None => {
                self.exprs.push(key);
                self.exprs.len() - 1
            }
        }
    }
}

impl Binder<'_> {
    /// The keys of a SELECT.
    pub(super) fn bind_group_by(
        &mut self,
        select: &ast::Select,
        items: &[Item],
        from: &From,
        env: &Env<'_>,
    ) -> Result<Keys> {
        let mut keys = Keys::default();
        let (exprs, modifiers) = match &select.group_by {
            ast::GroupByExpr::Expressions(exprs, modifiers) => (exprs, modifiers),
            ast::GroupByExpr::All(modifiers) => {
                if modifiers.is_empty() {
                    let calls = |item: &&Item| !item.typed.expr.column_refs().into_iter().any(is_placeholder);
                    keys.exprs = items.iter().filter(calls).map(|item| item.typed.expr.clone()).collect();
                    return Ok(keys);
                }
                (&vec![], modifiers)
            }
        };
        if !modifiers.is_empty() {
            let error = PlanError::not_supported("GROUP BY … WITH ROLLUP, CUBE, TOTALS");
            return Err(at(error, self.span(&select.group_by)).hint("GROUP BY ROLLUP (…)"));
        }
        let mut cx = Cx::plain(&from.scope, env, "GROUP BY");
        let mut sets: Vec<Vec<usize>> = vec![vec![]];
        let mut several = false;
        for element in exprs {
            let choices = self.choices(element, items, &mut keys, &mut cx)?;
            several |= is_sets(element);
            if sets.len() * choices.len() > SETS_MAX {
                let message = format!("GROUP BY has more than {SETS_MAX} sets");
                return Err(at(PlanError::new(ErrorKind::TooComplex, message), self.span(element)));
            }
            let with = |set: &Vec<usize>| {
                let set = set.clone();
                choices.iter().map(move |choice| set.iter().chain(choice).copied().collect()).collect::<Vec<_>>()
            };
            sets = sets.iter().flat_map(with).collect();
        }
        keys.sets = several.then_some(sets);
        Ok(keys)
    }

    /// The sets that an element of GROUP BY stands for.
    fn choices(
        &mut self,
        element: &ast::Expr,
        items: &[Item],
        keys: &mut Keys,
        cx: &mut Cx<'_>,
    ) -> Result<Vec<Vec<usize>>> {
        let mut all = |binder: &mut Self, exprs: &[ast::Expr]| -> Result<Vec<usize>> {
            let mut places = vec![];
            for expr in exprs {
                places.push(keys.place(binder.bind_group_key(expr, items, cx)?));
            }
            Ok(places)
        };
        let too_many = || {
            let message = format!("GROUP BY has more than {SETS_MAX} sets");
            at(PlanError::new(ErrorKind::TooComplex, message), self.span(element))
        };
        match element {
            ast::Expr::GroupingSets(sets) => sets.iter().map(|set| all(self, set)).collect(),
            ast::Expr::Rollup(groups) => {
                let groups = groups.iter().map(|group| all(self, group)).collect::<Result<Vec<_>>>()?;
                Ok((0..=groups.len()).rev().map(|n| groups[..n].concat()).collect())
            }
            ast::Expr::Cube(groups) => {
                if 1_usize.checked_shl(groups.len() as u32).is_none_or(|n| n > SETS_MAX) {
                    return Err(too_many());
                }
                let groups = groups.iter().map(|group| all(self, group)).collect::<Result<Vec<_>>>()?;
                let subset = |mask: usize| {
                    let chosen = groups.iter().enumerate().filter(|(i, _)| mask & (1 << i) != 0);
                    chosen.flat_map(|(_, group)| group.iter().copied()).collect()
                };
                Ok((0..1_usize << groups.len()).rev().map(subset).collect())
            }
            ast::Expr::Tuple(parts) => Ok(vec![all(self, parts)?]),
            other => Ok(vec![all(self, std::slice::from_ref(other))?]),
        }
    }

    /// A column of FROM, else an item's name or number, else an expression.
    fn bind_group_key(&mut self, expr: &ast::Expr, items: &[Item], cx: &mut Cx<'_>) -> Result<Expr> {
        if let ast::Expr::Identifier(ident) = expr {
            let span = self.span(expr);
            if cx.scope.find(&fold(ident), span)?.is_some() {
                return Ok(self.bind_expr(expr, cx)?.expr);
            }
        }
        let key = self.bind_output_or_expr(expr, items, cx)?;
        if key.expr.column_refs().into_iter().any(is_placeholder) {
            let error = PlanError::new(ErrorKind::Grouping, "GROUP BY cannot group by an aggregate or EXPLODE");
            return Err(at(error, self.span(expr)));
        }
        Ok(key.expr)
    }
}

fn is_sets(element: &ast::Expr) -> bool {
    matches!(element, ast::Expr::GroupingSets(_) | ast::Expr::Rollup(_) | ast::Expr::Cube(_))
}
