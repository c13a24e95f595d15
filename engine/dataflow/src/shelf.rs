//! Arrangements that the dataflows of a worker share.
//!
//! A shared arrangement is a dataflow of its own. It is made for the first query that wants it and goes with the last;
//! that of a keyed table or a bag belongs to the table and stays as long as it.
//!
//! One whose dataflow sleeps is complete at a tick by being told so: see [`Shelf::pass`].
//!
//! # Contract
//! Every worker is told the same commands in the same order and decides alike: what is shared depends on commands only.

use std::cell::RefCell;
use std::rc::Rc;

use millrace_arrange::{Trace, TraceWriter};
use millrace_planner::catalog::RelationId;
use millrace_planner::plan::{Expr, Node, Op};

/// A writer that the operator which fills the arrangement shares with whoever knows that it sleeps.
pub(crate) type SharedWriter = Rc<RefCell<TraceWriter>>;

/// Names a shared arrangement of a worker.
pub(crate) type ArrangementId = u64;

/// What is arranged, and by what: two of equal form are one.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    /// A table by its primary key, or a bag by its declared columns; all columns of the relation.
    Table(RelationId),
    /// The collection of a node over one relation, by some of the node's columns.
    Node {
        /// A source, or a map over one.
        node: Box<Node>,
        /// Key columns, in order.
        key: Vec<usize>,
    },
}

/// What matters of a node: relation, its columns, filter and projection.
type Parts<'a> = (RelationId, &'a [usize], Option<&'a Expr>, &'a [Expr]);

fn parts(node: &Node) -> Option<Parts<'_>> {
    match &node.op {
        Op::Source { relation, columns, .. } => Some((*relation, columns, None, &[])),
        Op::Map { input, filter, exprs, .. } => match &input.op {
            Op::Source { relation, columns, .. } => Some((*relation, columns, filter.as_ref(), exprs)),
            _ => None,
        },
        _ => None,
    }
}

impl PartialEq for Form {
    fn eq(&self, other: &Form) -> bool {
        match (self, other) {
            (Form::Table(a), Form::Table(b)) => a == b,
            (Form::Node { node: a, key: a_key }, Form::Node { node: b, key: b_key }) => {
                let types =
                    |node: &Node| node.schema.fields().iter().map(|f| f.data_type().clone()).collect::<Vec<_>>();
                a_key == b_key && a.append_only == b.append_only && types(a) == types(b) && parts(a) == parts(b)
            }
            _ => false,
        }
    }
}

struct Shelved {
    id: ArrangementId,
    form: Form,
    /// For a table: what it is arranged by.
    key: Vec<usize>,
    writer: SharedWriter,
    /// The last tick at which its dataflow was awake.
    awake: u64,
    users: usize,
}

/// All shared arrangements of one worker.
#[derive(Clone, Default)]
pub(crate) struct Shelf(Rc<RefCell<State>>);

#[derive(Default)]
struct State {
    next: ArrangementId,
    shelved: Vec<Shelved>,
}

impl State {
    fn find(&mut self, id: ArrangementId) -> Option<&mut Shelved> {
        // ids ascend
        let at = self.shelved.binary_search_by_key(&id, |s| s.id).ok()?;
        Some(&mut self.shelved[at])
    }
}

impl Shelf {
    /// Makes an arrangement known, with one user.
    pub(crate) fn put(&self, form: Form, key: &[usize], writer: SharedWriter) -> ArrangementId {
        let mut state = self.0.borrow_mut();
        state.next += 1;
        let id = state.next;
        state.shelved.push(Shelved { id, form, key: key.to_vec(), writer, awake: 0, users: 1 });
        id
    }

    /// The arrangement of this form, if there is one.
    pub(crate) fn find(&self, form: &Form) -> Option<(ArrangementId, Trace)> {
        let state = self.0.borrow();
        state.shelved.iter().find(|s| s.form == *form).map(|s| (s.id, s.writer.borrow().trace()))
    }

    /// What a table is arranged by, if it is.
    pub(crate) fn table_key(&self, relation: RelationId) -> Option<Vec<usize>> {
        let state = self.0.borrow();
        state.shelved.iter().find(|s| s.form == Form::Table(relation)).map(|s| s.key.clone())
    }

    /// Its dataflow is awake at this tick.
    pub(crate) fn wake(&self, id: ArrangementId, tick: u64) {
        if let Some(shelved) = self.0.borrow_mut().find(id) {
            shelved.awake = tick;
        }
    }

    /// Somebody waits for this tick to be complete. If the arrangement's dataflow sleeps, it is.
    pub(crate) fn pass(&self, id: ArrangementId, tick: u64) {
        if let Some(shelved) = self.0.borrow_mut().find(id)
            && shelved.awake != tick
        {
            shelved.writer.borrow_mut().advance(tick + 1);
        }
    }

    /// One more user.
    pub(crate) fn hold(&self, id: ArrangementId) {
        if let Some(shelved) = self.0.borrow_mut().find(id) {
            shelved.users += 1;
        }
    }

    /// One user less. Whether it was the last: the arrangement is known no more.
    pub(crate) fn release(&self, id: ArrangementId) -> bool {
        let mut state = self.0.borrow_mut();
        let Ok(at) = state.shelved.binary_search_by_key(&id, |s| s.id) else { return false };
        state.shelved[at].users -= 1;
        let last = state.shelved[at].users == 0;
        if last {
            state.shelved.remove(at);
        }
        last
    }
}
