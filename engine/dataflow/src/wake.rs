//! Which dataflows have something to do in a tick.
//!
//! ```text
//! rows of relations, stream times that move, queries that are new
//!   → the queries that read them and are not stopped by their gate
//!   → what these write has changed → the queries that read that → …
//! ```
//! All others sleep: no frontier of theirs moves, and they cost nothing. What they maintain is complete at the tick all
//! the same, because nothing reached it.
//!
//! # Contract
//! It is decided once for all workers, by the engine's caller: a frontier that moved on one worker alone would wait for
//! the others for ever.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use millrace_planner::catalog::RelationId;
use millrace_planner::plan::{Node, Op};

use crate::api::{Dataflow, QueryId, StreamTime, TickInputs};
use crate::gate::{Gates, readings};

/// Who is awake in a tick.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    pub(crate) queries: BTreeSet<QueryId>,
    /// Relations that rows come into, or that a query which is awake writes.
    pub(crate) changed: BTreeSet<RelationId>,
}

/// Who reads and writes what.
#[derive(Default)]
pub(crate) struct Wakers {
    relations: HashMap<RelationId, Readers>,
    /// Every query, and the relation that it writes.
    targets: BTreeMap<QueryId, Option<RelationId>>,
    /// Queries that have not had a tick, or not since they were resumed.
    new: Vec<QueryId>,
    /// Queries that sleep whatever happens.
    paused: BTreeSet<QueryId>,
    /// Everything is awake at every tick.
    always: bool,
}

/// Who has to do with a relation.
#[derive(Default)]
struct Readers {
    /// Its rows go in as they come: what they change is in them.
    append: bool,
    /// Every change matters to them.
    plain: Vec<QueryId>,
    gated: Gates,
    /// Its stream time matters to them.
    timed: Vec<QueryId>,
    /// The stream time that was told last.
    told: Option<StreamTime>,
}

impl Wakers {
    /// `always`: everything is awake at every tick.
    pub(crate) fn new(always: bool) -> Self {
        Wakers { always, ..Wakers::default() }
    }

    /// A relation. `append`: its rows go in as they come.
    pub(crate) fn add_relation(&mut self, relation: RelationId, append: bool) {
        self.relations.entry(relation).or_default().append = append;
    }

    /// The relation is no more, and neither are its readers.
    pub(crate) fn drop_relation(&mut self, relation: RelationId) {
        self.relations.remove(&relation);
    }

    /// A query that is awake in its first tick.
    pub(crate) fn add(&mut self, query: QueryId, dataflow: &Dataflow) {
        let mut conditions: BTreeMap<RelationId, Vec<_>> = BTreeMap::new();
        for (relation, of_reading) in readings(&dataflow.root) {
            conditions.entry(relation).or_default().push(of_reading);
        }
        for (relation, readings) in conditions {
            let readers = self.relations.entry(relation).or_default();
            match readings.as_slice() {
                // read once, and by a filter
                [conditions] if !conditions.is_empty() => readers.gated.add(query, conditions),
                _ => readers.plain.push(query),
            }
        }
        let mut timed = BTreeSet::new();
        time_sources(&dataflow.root, &mut timed);
        for relation in timed {
            self.relations.entry(relation).or_default().timed.push(query);
        }
        self.targets.insert(query, dataflow.publish.as_ref().map(|publish| publish.relation));
        self.new.push(query);
    }

    /// The query is no more.
    pub(crate) fn remove(&mut self, query: QueryId) {
        self.targets.remove(&query);
        self.new.retain(|q| *q != query);
        self.paused.remove(&query);
        for readers in self.relations.values_mut() {
            readers.plain.retain(|q| *q != query);
            readers.timed.retain(|q| *q != query);
            readers.gated.remove(query);
        }
    }

    /// The query sleeps from now on.
    pub(crate) fn pause(&mut self, query: QueryId) {
        self.new.retain(|q| *q != query);
        self.paused.insert(query);
    }

    /// It does no more, and is awake in the next tick.
    pub(crate) fn resume(&mut self, query: QueryId) {
        if self.paused.remove(&query) {
            self.new.push(query);
        }
    }

    /// Who is awake in the next tick, given what happens in it.
    pub(crate) fn tick(&mut self, inputs: &TickInputs) -> Wake {
        if self.always {
            self.new.clear();
            let relations = self.relations.keys().copied();
            let queries = self.targets.keys().copied().filter(|query| !self.paused.contains(query));
            return Wake { queries: queries.collect(), changed: relations.collect() };
        }
        let mut wake = Wake { queries: self.new.drain(..).collect(), changed: BTreeSet::new() };
        for rows in inputs.rows.iter().filter(|rows| !rows.batch.is_empty()) {
            wake.changed.insert(rows.relation);
            let Some(readers) = self.relations.get(&rows.relation) else { continue };
            match rows.only {
                Some(query) if self.targets.contains_key(&query) => {
                    wake.queries.insert(query);
                }
                Some(_) => {}
                None => {
                    wake.queries.extend(&readers.plain);
                    if readers.append {
                        readers.gated.matching(&rows.batch, &mut |query| {
                            wake.queries.insert(query);
                        });
                    } else {
                        // the rows that these replace may have passed a filter
                        wake.queries.extend(readers.gated.queries());
                    }
                }
            }
        }
        for (relation, time) in &inputs.stream_times {
            if let Some(readers) = self.relations.get_mut(relation)
                && readers.told.replace(*time) != Some(*time)
            {
                wake.queries.extend(&readers.timed);
            }
        }
        if !self.paused.is_empty() {
            wake.queries.retain(|query| !self.paused.contains(query));
        }
        self.follow(&mut wake);
        wake
    }

    /// What the queries write has changed, and so on.
    fn follow(&self, wake: &mut Wake) {
        let mut open: Vec<QueryId> = wake.queries.iter().copied().collect();
        let mut written = BTreeSet::new();
        while let Some(query) = open.pop() {
            let Some(target) = self.targets.get(&query).copied().flatten() else { continue };
            if !written.insert(target) {
                continue;
            }
            wake.changed.insert(target);
            let Some(readers) = self.relations.get(&target) else { continue };
            let all = readers.plain.iter().copied().chain(readers.gated.queries());
            open.extend(all.filter(|query| !self.paused.contains(query) && wake.queries.insert(*query)));
        }
    }
}

/// The relations whose stream time the plan depends on.
fn time_sources(node: &Node, into: &mut BTreeSet<RelationId>) {
    match &node.op {
        Op::Reduce { window: Some(window), .. } | Op::SessionReduce { window, .. } => into.extend(&window.time_sources),
        Op::WithinJoin(join) => into.extend(join.time_sources.0.iter().chain(&join.time_sources.1)),
        _ => {}
    }
    node.children().into_iter().for_each(|child| time_sources(child, into));
}
