//! SHOW: short for a query on a system relation.

use super::Planner;
use crate::action::Action;
use crate::bind::Purpose;
use crate::catalog::RelationKind;
use crate::error::{ErrorKind, PlanError, Result, Span};
use crate::sql::statement::{Show, ShowWhat, StreamOrTable};

impl Planner<'_> {
    pub(super) fn show(&mut self, show: &Show) -> Result<Action> {
        let own = if show.all { "" } else { " AND NOT SYSTEM" };
        let of_kind =
            |kind: RelationKind| format!("SELECT * FROM millrace.relations WHERE KIND = '{}'{own}", kind.name());
        let all = |relation: &str| format!("SELECT * FROM millrace.{relation}");
        let mut sql = match &show.what {
            ShowWhat::Streams => of_kind(RelationKind::Stream),
            ShowWhat::Tables => of_kind(RelationKind::Table),
            ShowWhat::Views => of_kind(RelationKind::View),
            ShowWhat::MaterializedViews => of_kind(RelationKind::MaterializedView),
            ShowWhat::Relations if show.all => all("relations"),
            ShowWhat::Relations => "SELECT * FROM millrace.relations WHERE NOT SYSTEM".to_owned(),
            ShowWhat::Queries => all("queries"),
            ShowWhat::Topics => all("topics"),
            ShowWhat::Functions => all("functions"),
            ShowWhat::Settings => all("settings"),
            ShowWhat::Types => all("types"),
            ShowWhat::Variables => all("variables"),
            ShowWhat::Connectors { .. } => all("connectors"),
            ShowWhat::Modules => all("modules"),
            ShowWhat::Operators => all("operators"),
            ShowWhat::Frontiers => all("frontiers"),
            ShowWhat::Sessions => all("sessions"),
            ShowWhat::Errors => all("errors"),
            ShowWhat::DecodeErrors => all("decode_errors"),
            ShowWhat::Late => all("late"),
            ShowWhat::Columns => {
                let Some(name) = &show.from else {
                    return Err(PlanError::new(ErrorKind::Syntax, "SHOW COLUMNS needs FROM").at(show.what_span));
                };
                let relation = self.relation(name)?;
                format!("SELECT * FROM millrace.columns WHERE RELATION = {}", quoted(&relation.name))
            }
            ShowWhat::Create => {
                let Some(name) = &show.from else {
                    return Err(PlanError::new(ErrorKind::Syntax, "SHOW CREATE needs a name").at(show.what_span));
                };
                let relation = self.relation(name)?;
                format!("SELECT NAME, SQL FROM millrace.relations WHERE NAME = {}", quoted(&relation.name))
            }
            ShowWhat::Setting(name) => {
                let name = name.parts.iter().map(|part| part.value.to_lowercase()).collect::<Vec<_>>().join(".");
                format!("SELECT * FROM millrace.settings WHERE NAME = {}", quoted(&name))
            }
        };
        if let Some(like) = &show.like {
            let word = if sql.contains(" WHERE ") { "AND" } else { "WHERE" };
            sql += &format!(" {word} NAME LIKE {}", quoted(&like.value));
        }
        self.system_query(&sql, show.what_span)
    }

    pub(super) fn show_all(&mut self, kind: StreamOrTable, span: Span) -> Result<Action> {
        let kind = super::relation_kind(kind).name();
        self.system_query(&format!("SELECT * FROM millrace.relations WHERE KIND = '{kind}' AND NOT SYSTEM"), span)
    }

    /// Plans a query of ours; what is wrong with it is said at the place of the statement.
    fn system_query(&mut self, sql: &str, span: Span) -> Result<Action> {
        let (query, positions) =
            crate::bind::parse_query(sql).map_err(|error| PlanError { span: Some(span), ..error })?;
        let bound = crate::bind::bind_query(&query, &positions, self.catalog, Purpose::Pull).map_err(|error| {
            match error.kind {
                ErrorKind::UndefinedRelation => {
                    let words = self.parsed.text.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
                    PlanError::not_supported(words.to_uppercase()).at(span)
                }
                _ => PlanError { span: Some(span), ..error },
            }
        })?;
        let (query, _) = self.answer(&bound, Purpose::Pull)?;
        Ok(Action::Show(query))
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
