//! ARRAY[…], MAP(…), STRUCT(…).

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion_common::ScalarValue;
use sqlparser::ast;

use super::Cx;
use crate::bind::Binder;
use crate::bind::coerce::{Typed, at, common_of_all};
use crate::error::{ErrorKind, PlanError, Result, Span};
use crate::eval::types::{list_of, map_of};
use crate::sql::name::fold;

impl Binder<'_> {
    /// A value made of values.
    pub(crate) fn bind_nested(&mut self, expr: &ast::Expr, cx: &mut Cx<'_>) -> Result<Typed> {
        let span = self.span(expr);
        match expr {
            ast::Expr::Array(array) => {
                let items: Vec<&ast::Expr> = array.elem.iter().collect();
                let (bound, spans) = self.bind_all(&items, cx)?;
                self.array(bound, &spans)
            }
            ast::Expr::Map(map) => {
                let keys: Vec<&ast::Expr> = map.entries.iter().map(|entry| &*entry.key).collect();
                let values: Vec<&ast::Expr> = map.entries.iter().map(|entry| &*entry.value).collect();
                let (keys, key_spans) = self.bind_all(&keys, cx)?;
                let (values, value_spans) = self.bind_all(&values, cx)?;
                self.map(self.array(keys, &key_spans)?, self.array(values, &value_spans)?)
            }
            ast::Expr::Struct { values, fields } if fields.is_empty() => {
                let mut names = vec![];
                let mut items = vec![];
                for (i, value) in values.iter().enumerate() {
                    match value {
                        ast::Expr::Named { expr, name } => {
                            names.push(fold(name));
                            items.push(&**expr);
                        }
                        other => {
                            names.push(format!("C{i}"));
                            items.push(other);
                        }
                    }
                }
                self.bind_struct(names, &items, span, cx)
            }
            ast::Expr::Tuple(values) => {
                let items: Vec<&ast::Expr> = values.iter().collect();
                self.bind_struct((0..items.len()).map(|i| format!("C{i}")).collect(), &items, span, cx)
            }
            other => Err(at(PlanError::not_supported(format!("the expression {other}")), span)),
        }
    }

    /// An array of items, in their common type.
    pub(crate) fn array(&self, items: Vec<Typed>, spans: &[Option<Span>]) -> Result<Typed> {
        let item = common_of_all(&items, spans)?;
        let data_type = list_of(item.clone());
        if items.is_empty() {
            let empty = ScalarValue::List(ScalarValue::new_list_nullable(&[], &item));
            return Ok(Typed { expr: datafusion_expr::lit(empty), data_type });
        }
        let mut cast = vec![];
        for (typed, span) in items.into_iter().zip(spans) {
            cast.push(typed.cast(&item, *span)?.expr);
        }
        Ok(Typed::new(self.udf_call("make_array", cast)?, data_type))
    }

    /// A map of an array of keys and an array of values.
    pub(crate) fn map(&self, keys: Typed, values: Typed) -> Result<Typed> {
        let (DataType::List(key), DataType::List(value)) = (&keys.data_type, &values.data_type) else {
            return Err(PlanError::new(ErrorKind::Internal, "MAP of something else than arrays"));
        };
        let data_type = map_of(key.data_type().clone(), value.data_type().clone());
        self.normalized(self.udf_call("map", vec![keys.expr, values.expr])?, data_type)
    }

    fn bind_struct(
        &mut self,
        names: Vec<String>,
        items: &[&ast::Expr],
        span: Option<Span>,
        cx: &mut Cx<'_>,
    ) -> Result<Typed> {
        let mut args = vec![];
        let mut fields = vec![];
        for (name, item) in names.into_iter().zip(items) {
            if fields.iter().any(|f: &Arc<Field>| *f.name() == name) {
                let message = format!("the STRUCT has two fields called {name}");
                return Err(at(PlanError::new(ErrorKind::DuplicateColumn, message), span));
            }
            let bound = self.bind_expr(item, cx)?;
            let bound = if bound.data_type == DataType::Null { bound.cast(&DataType::Utf8, None)? } else { bound };
            fields.push(Arc::new(Field::new(&name, bound.data_type.clone(), true)));
            args.push(Typed::literal(ScalarValue::Utf8(Some(name))).expr);
            args.push(bound.expr);
        }
        if fields.is_empty() {
            return Err(at(PlanError::new(ErrorKind::Syntax, "a STRUCT has a field"), span));
        }
        Ok(Typed::new(self.udf_call("named_struct", args)?, DataType::Struct(fields.into())))
    }
}
