//! CREATE STREAM, TABLE, MATERIALIZED VIEW and VIEW AS SELECT; CREATE TYPE.

use std::collections::BTreeMap;

use super::Planner;
use super::query::{Layout, first_word};
use crate::action::{self, Action};
use crate::bind::{BoundQuery, Purpose};
use crate::catalog::{Column, RelationKind, SYSTEM_COLUMNS};
use crate::error::{ErrorKind, PlanError, Result, Span};
use crate::plan::{OnError, Query};
use crate::sql::name::{Ident, Name};
use crate::sql::statement::{CreateQuery, CreateType, CreateView, DerivedKind, Property};

impl Planner<'_> {
    pub(super) fn create_query(&mut self, create: &CreateQuery) -> Result<Action> {
        if self.taken(&create.name, create.or_replace, create.if_not_exists)? {
            return Ok(Action::Nothing { notice: format!("{} is there already", create.name.catalog_name()) });
        }
        let (kind, purpose) = match create.kind {
            DerivedKind::Stream => (RelationKind::Stream, Purpose::Stream),
            DerivedKind::Table => (RelationKind::Table, Purpose::Table),
            DerivedKind::MaterializedView => (RelationKind::MaterializedView, Purpose::View),
        };
        let mut bound = self.bind(&create.query, purpose)?;
        self.not_of_itself(&create.name, &bound)?;
        rename(&mut bound, &create.columns)?;
        self.check_kind(&bound, kind, create)?;
        let (options, option_spans) = self.options(&create.properties)?;
        let on_error = self.on_error(&create.properties)?;
        let relation = self.derived(&bound, kind)?;
        let (root, _) = self.root(&bound, &relation.layout, purpose, on_error)?;
        let query = Query {
            root,
            visible: relation.layout.visible,
            order: vec![],
            key: relation.key,
            upsert: false,
            stop_after_rows: None,
            reads: bound.reads.clone(),
        };
        Ok(Action::CreateQuery(action::CreateQuery {
            name: create.name.catalog_name(),
            kind,
            columns: relation.columns,
            primary_key: relation.primary_key,
            system_columns: kind == RelationKind::Stream,
            window_columns: relation.window_columns,
            time_sources: bound.time_sources.clone(),
            query,
            options,
            option_spans,
            on_error,
            sql: self.parsed.text.clone(),
            or_replace: create.or_replace,
        }))
    }

    pub(super) fn create_view(&mut self, create: &CreateView) -> Result<Action> {
        if self.taken(&create.name, create.or_replace, create.if_not_exists)? {
            return Ok(Action::Nothing { notice: format!("{} is there already", create.name.catalog_name()) });
        }
        if let Some(property) = create.properties.first() {
            let error = PlanError::new(ErrorKind::InvalidParameter, "a VIEW has no properties");
            return Err(error.at(property.name.span).detail("Its text is put in the place of its name."));
        }
        let mut bound = self.bind(&create.query, Purpose::View)?;
        self.not_of_itself(&create.name, &bound)?;
        rename(&mut bound, &create.columns)?;
        self.distinct_names(bound.columns.iter().map(|column| (column.name.as_str(), column.span)))?;
        let column = |column: &crate::bind::BoundColumn| Column {
            name: column.name.clone(),
            data_type: column.data_type.clone(),
            key: false,
        };
        Ok(Action::CreateView {
            name: create.name.catalog_name(),
            columns: bound.columns.iter().map(column).collect(),
            sql: create.query.text.clone(),
            // a view whose text is in this one is read too: it cannot be dropped
            reads: bound.reads.into_iter().chain(bound.inlined).collect(),
            or_replace: create.or_replace,
        })
    }

    /// That OR REPLACE does not make a relation of what it replaces.
    fn not_of_itself(&self, name: &Name, bound: &BoundQuery) -> Result<()> {
        let Some(old) = self.catalog.get(&name.catalog_name()) else { return Ok(()) };
        if !bound.reads.contains(&old.id) && !bound.inlined.contains(&old.id) {
            return Ok(());
        }
        let message = format!("{} would be made of itself", old.name);
        Err(PlanError::new(ErrorKind::InvalidDefinition, message).at(name.span))
    }

    pub(super) fn create_type(&mut self, create: &CreateType) -> Result<Action> {
        let name = create.name.catalog_name();
        if self.catalog.types.contains_key(&name) && !create.or_replace {
            if create.if_not_exists {
                return Ok(Action::Nothing { notice: format!("the type {name} is there already") });
            }
            let error = PlanError::new(ErrorKind::DuplicateRelation, format!("there is a type {name} already"));
            return Err(error.at(create.name.span));
        }
        let data_type = crate::sql::types::sql_type(&create.data_type, self.catalog)
            .map_err(|error| crate::bind::coerce::at(error, Some(create.type_span)))?;
        Ok(Action::CreateType { name, data_type })
    }

    /// That the result is of the kind that the statement makes.
    fn check_kind(&self, bound: &BoundQuery, kind: RelationKind, create: &CreateQuery) -> Result<()> {
        let place = create.query.span;
        match (kind, bound.is_stream) {
            (RelationKind::Stream, false) => {
                let error = PlanError::new(ErrorKind::WrongRelationKind, "the result is a TABLE: its rows come and go");
                Err(error.at(first_word(place)).hint(format!("CREATE TABLE {} AS …", create.name.catalog_name())))
            }
            (RelationKind::Table, true) => {
                let error = PlanError::new(ErrorKind::WrongRelationKind, "the result is a STREAM: its rows are events");
                Err(error
                    .at(first_word(place))
                    .detail("A TABLE is made by GROUP BY, DISTINCT or from other tables.")
                    .hint(format!("CREATE STREAM {} AS …", create.name.catalog_name())))
            }
            _ => Ok(()),
        }
    }

    /// `WITH (…)` as text, and where each value stands.
    #[allow(clippy::type_complexity)]
    pub(crate) fn options(
        &self,
        properties: &[Property],
    ) -> Result<(BTreeMap<String, String>, BTreeMap<String, Span>)> {
        let mut options = BTreeMap::new();
        let mut spans = BTreeMap::new();
        for property in properties {
            let name = property.name.value.to_uppercase();
            if options.insert(name.clone(), property.value.text()).is_some() {
                let error = PlanError::new(ErrorKind::InvalidParameter, format!("{name} is set twice"));
                return Err(error.at(property.name.span));
            }
            spans.insert(name, property.value_span);
        }
        Ok((options, spans))
    }

    /// `WITH (ON_ERROR = …)`.
    pub(crate) fn on_error(&self, properties: &[Property]) -> Result<OnError> {
        let Some(property) = properties.iter().find(|p| p.name.value.eq_ignore_ascii_case("ON_ERROR")) else {
            return Ok(OnError::DeadLetter);
        };
        let value = property.value.text().to_uppercase().replace('_', " ");
        match value.as_str() {
            "DEAD LETTER" => Ok(OnError::DeadLetter),
            "FAIL" => Ok(OnError::Fail),
            _ if value == "NULL" || property.value == crate::sql::statement::PropertyValue::Null => Ok(OnError::Null),
            _ => {
                let error = PlanError::new(ErrorKind::InvalidParameter, format!("ON_ERROR cannot be {value}"));
                Err(error.at(property.value_span).hint("DEAD LETTER, NULL or FAIL"))
            }
        }
    }
}

/// A relation that a query makes.
struct Derived {
    layout: Layout,
    columns: Vec<Column>,
    primary_key: Vec<usize>,
    window_columns: Option<(usize, usize)>,
    key: Option<Vec<usize>>,
}

impl Planner<'_> {
    fn derived(&self, bound: &BoundQuery, kind: RelationKind) -> Result<Derived> {
        self.distinct_names(bound.columns.iter().map(|column| (column.name.as_str(), column.span)))?;
        match kind {
            RelationKind::Stream => self.derived_stream(bound),
            RelationKind::Table => self.derived_table(bound),
            _ => Ok(derived_view(bound)),
        }
    }

    /// Visible columns, then the system's, then what else it is partitioned by.
    fn derived_stream(&self, bound: &BoundQuery) -> Result<Derived> {
        let reserved = |name: &str| SYSTEM_COLUMNS.iter().any(|(system, _)| *system == name);
        if let Some(column) = bound.columns.iter().find(|column| reserved(&column.name)) {
            let error = PlanError::new(ErrorKind::DuplicateColumn, format!("a STREAM has its own {}", column.name));
            return Err(PlanError { span: column.span, ..error.hint("give it another name with AS") });
        }
        let mut layout = Layout::visible(bound);
        let Some(system) = bound.system else {
            return Err(PlanError::new(ErrorKind::Internal, "a stream without event time"));
        };
        layout.columns.extend(system);
        layout.names.extend(SYSTEM_COLUMNS.iter().map(|(name, _)| (*name).to_string()));
        let key: Vec<usize> = bound.message_key.iter().map(|column| layout.place(*column)).collect();
        let mut columns = columns(bound);
        for place in &key {
            if let Some(column) = columns.get_mut(*place) {
                column.key = true;
            }
        }
        let key = (!key.is_empty()).then_some(key);
        Ok(Derived { layout, columns, primary_key: vec![], window_columns: None, key })
    }

    /// Visible columns, then those of the primary key that were not selected: they belong to the relation.
    fn derived_table(&self, bound: &BoundQuery) -> Result<Derived> {
        let mut layout = Layout::visible(bound);
        let mut columns = columns(bound);
        let primary_key: Vec<usize> = bound.key.iter().flatten().map(|column| layout.place(*column)).collect();
        let window_columns = bound.window.map(|(start, end)| (layout.place(start), layout.place(end)));
        let schema = bound.logical.schema();
        for at in layout.visible..layout.columns.len() {
            let field = schema.field(layout.columns[at]);
            let base = field.name().split(':').next().unwrap_or_default().to_string();
            let mut name = base.clone();
            let mut n = 1;
            while columns.iter().any(|column| column.name == name) {
                n += 1;
                name = format!("{base}_{n}");
            }
            columns.push(Column { name: name.clone(), data_type: field.data_type().clone(), key: false });
            layout.names.push(name);
        }
        layout.visible = layout.columns.len();
        for place in &primary_key {
            columns[*place].key = true;
        }
        let key = (!primary_key.is_empty()).then(|| primary_key.clone());
        Ok(Derived { layout, columns, primary_key, window_columns, key })
    }
}

/// The visible columns alone; its key if they hold it.
fn derived_view(bound: &BoundQuery) -> Derived {
    let layout = Layout::visible(bound);
    let visible = |column: &usize| *column < layout.visible;
    let key = bound.key.clone().filter(|key| key.iter().all(visible));
    let window_columns = bound.window.filter(|(start, end)| visible(start) && visible(end));
    let primary_key = key.clone().unwrap_or_default();
    Derived { columns: columns(bound), layout, primary_key, window_columns, key }
}

fn columns(bound: &BoundQuery) -> Vec<Column> {
    let column = |column: &crate::bind::BoundColumn| Column {
        name: column.name.clone(),
        data_type: column.data_type.clone(),
        key: false,
    };
    bound.columns.iter().map(column).collect()
}

/// Gives the columns the names of the statement's list.
fn rename(bound: &mut BoundQuery, names: &[Ident]) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    if names.len() != bound.columns.len() {
        let message = format!("{} names for {} columns", names.len(), bound.columns.len());
        return Err(PlanError::new(ErrorKind::InvalidDefinition, message).at(names[0].span));
    }
    for (column, name) in bound.columns.iter_mut().zip(names) {
        column.name.clone_from(&name.value);
    }
    Ok(())
}
