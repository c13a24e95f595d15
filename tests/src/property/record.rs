//! What happens, written down twice: as rows for the engine, and as a history for the reference evaluator.
//!
//! It plays the part of the sources: offsets, event times, the lane time of each record, and which row an upsert or a
//! delete takes away.

use std::collections::HashMap;

use datafusion_common::ScalarValue;
use millrace_dataflow::StreamTime;
use millrace_planner::catalog::{Catalog, RelationId};

use crate::property::changes::{Op, RELATIONS};
use crate::reference::{Change, History, Values};

/// Rows of one relation in one tick.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Position in [`RELATIONS`].
    pub at: usize,
    /// Its identity.
    pub relation: RelationId,
    /// The rows, system columns included, in order.
    pub rows: Vec<Values>,
    /// Which of them are deletes.
    pub deletes: Vec<bool>,
    /// Its event time from this tick on.
    pub time: StreamTime,
}

/// See the module.
pub struct Recorder {
    history: History,
    ids: Vec<RelationId>,
    offsets: HashMap<(usize, i32), i64>,
    lanes: HashMap<(usize, i32), i64>,
    tables: HashMap<(usize, Values), Values>,
    bags: HashMap<usize, Vec<Values>>,
}

impl Recorder {
    /// Nothing has happened yet.
    ///
    /// # Panics
    /// If the catalog lacks one of the relations.
    pub fn new(catalog: &Catalog) -> Self {
        let id = |name| catalog.get(name).unwrap_or_else(|| panic!("no relation {name}")).id;
        Recorder {
            history: History::default(),
            ids: RELATIONS.iter().map(|r| id(r.name)).collect(),
            offsets: HashMap::new(),
            lanes: HashMap::new(),
            tables: HashMap::new(),
            bags: HashMap::new(),
        }
    }

    /// What has happened.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The rows that relation `at` holds after `tick`.
    pub fn content(&self, at: usize, tick: u64) -> Vec<Values> {
        self.history.rows(self.ids[at], tick).into_iter().map(|r| r.values).collect()
    }

    /// A tick happens.
    pub fn tick(&mut self, tick: u64, ops: &[Op]) -> Vec<Recorded> {
        let mut recorded = vec![];
        for at in 0..RELATIONS.len() {
            let mine: Vec<&Op> = ops.iter().filter(|o| o.relation == at).collect();
            if mine.is_empty() {
                continue;
            }
            let mut rows = vec![];
            for op in &mine {
                let values = self.complete(at, op);
                self.note(tick, at, op, &values);
                rows.push(values);
            }
            let (relation, time) = (self.ids[at], self.stream_time(at));
            self.history.set_stream_time(relation, tick, time);
            recorded.push(Recorded { at, relation, rows, deletes: mine.iter().map(|o| o.delete).collect(), time });
        }
        recorded
    }

    fn note(&mut self, tick: u64, at: usize, op: &Op, values: &Values) {
        let (shape, relation) = (&RELATIONS[at], self.ids[at]);
        let history = &mut self.history;
        let mut push = |values: Values, diff| history.push(relation, Change { tick, values, diff });
        if shape.stream {
            push(values.clone(), 1);
        } else if shape.key.is_empty() {
            let width = shape.columns.len();
            let bag = self.bags.entry(at).or_default();
            if !op.delete {
                bag.push(values.clone());
                push(values.clone(), 1);
            } else if let Some(i) = bag.iter().position(|r| r[..width] == values[..width]) {
                push(bag.remove(i), -1);
            }
        } else {
            let key: Values = shape.key.iter().map(|c| values[*c].clone()).collect();
            let old = match op.delete {
                true => self.tables.remove(&(at, key)),
                false => self.tables.insert((at, key), values.clone()),
            };
            if let Some(old) = old {
                push(old, -1);
            }
            if !op.delete {
                push(values.clone(), 1);
            }
        }
    }

    /// The row with its system columns.
    fn complete(&mut self, at: usize, op: &Op) -> Values {
        let lane_key = (at, op.partition);
        let offset = self.offsets.entry(lane_key).or_insert(0);
        *offset += 1;
        let lane = self.lanes.get(&lane_key).copied();
        self.lanes.insert(lane_key, lane.map_or(op.row_time, |l| l.max(op.row_time)));
        let mut values = op.values.clone();
        values.push(ScalarValue::Int64(Some(op.row_time)));
        values.push(ScalarValue::Int32(Some(op.partition)));
        values.push(ScalarValue::Int64(Some(*offset)));
        values.push(ScalarValue::Int64(lane));
        values
    }

    /// The least over the two partitions of the largest event time; the start while one has none.
    fn stream_time(&self, at: usize) -> StreamTime {
        let lanes = (0..2).map(|p| self.lanes.get(&(at, p)).copied().unwrap_or(i64::MIN));
        let time = lanes.min().unwrap_or(i64::MIN);
        StreamTime { close: time, retain: time }
    }
}
