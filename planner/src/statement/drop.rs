//! DROP.

use super::Planner;
use crate::action::Action;
use crate::catalog::{Definition, RelationKind};
use crate::error::{ErrorKind, PlanError, Result};
use crate::sql::statement::{Drop, DropKind};

impl Planner<'_> {
    pub(super) fn drop(&mut self, drop: &Drop) -> Result<Action> {
        if let Some(span) = drop.cascade {
            return Err(PlanError::not_supported("CASCADE").at(span).hint("drop the readers first"));
        }
        let name = drop.name.catalog_name();
        let wanted = match drop.kind {
            DropKind::Stream => RelationKind::Stream,
            DropKind::Table => RelationKind::Table,
            DropKind::View => RelationKind::View,
            DropKind::MaterializedView => RelationKind::MaterializedView,
            DropKind::Type => return self.drop_type(drop, name),
            DropKind::Function(_) | DropKind::Connector | DropKind::Module => {
                return Err(PlanError::not_supported("DROP of functions, connectors and modules").at(drop.name.span));
            }
        };
        if drop.if_exists && self.catalog.get(&name).is_none() {
            return Ok(Action::Drop { relation: None });
        }
        let relation = self.relation(&drop.name)?;
        if relation.kind != wanted {
            let message = format!("{name} is a {}, no {}", relation.kind.name(), wanted.name());
            let error = PlanError::new(ErrorKind::WrongRelationKind, message).at(drop.name.span);
            return Err(error.hint(format!("DROP {} {name}", relation.kind.name())));
        }
        if relation.definition == Definition::System {
            let error = PlanError::new(ErrorKind::WrongRelationKind, format!("{name} is the engine's own"));
            return Err(error.at(drop.name.span));
        }
        self.no_dependents(relation, &drop.name, "dropped")?;
        Ok(Action::Drop { relation: Some(relation.id) })
    }

    fn drop_type(&self, drop: &Drop, name: String) -> Result<Action> {
        if !self.catalog.types.contains_key(&name) {
            if drop.if_exists {
                return Ok(Action::Nothing { notice: format!("there is no type {name}") });
            }
            let error = PlanError::new(ErrorKind::UndefinedRelation, format!("there is no type {name}"));
            let names = self.catalog.types.keys().map(String::as_str);
            let hint = crate::bind::names::did_you_mean(&name, names);
            return Err(PlanError { hint, ..error.at(drop.name.span) });
        }
        Ok(Action::DropType { name })
    }
}
