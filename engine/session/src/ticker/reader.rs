//! A thread per partition: reads, decodes and puts what it got into its lane's queue.
//!
//! It runs ahead of the ticker as far as the queue has room. A live source that has nothing is asked again after a
//! pause; one that is stalled too, after a longer one. The thread ends with its source, or when its queue is closed.

use std::sync::Arc;
use std::time::Duration;

use millrace_connect::{Read, SourceErrorKind, SourceReader};
use millrace_world::Clock;

use super::hub::{Hub, Message, QueueId};
use super::lane_batch::{NO_TIME, Shape};

/// Records of one read. Small enough that a tick of 10,000 rows is not held up by decoding far ahead, large enough that
/// a batch's own cost vanishes.
const READ_ROWS: usize = 8_192;

/// Between two looks at a live source that had nothing: less than a tick.
const IDLE_PAUSE: Duration = Duration::from_millis(2);

/// Between two attempts at a source that is stalled.
const STALLED_PAUSE: Duration = Duration::from_millis(200);

/// One partition on its way into a queue.
pub(crate) struct Reader {
    pub(crate) source: Box<dyn SourceReader>,
    pub(crate) partition: i32,
    pub(crate) shape: Arc<Shape>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) queue: QueueId,
    pub(crate) clock: Arc<dyn Clock>,
}

/// What the reader said last, so that it says the same thing once.
#[derive(PartialEq)]
enum Said {
    Rows,
    Idle,
    Stalled(String),
}

impl Reader {
    /// The thread's body.
    pub(crate) fn run(mut self) {
        let mut high = NO_TIME;
        let mut said = Said::Rows;
        while self.hub.is_open(self.queue) {
            match self.source.read(READ_ROWS) {
                Ok(Read::Batch(read)) => {
                    said = Said::Rows;
                    let rows = self.shape.rows(read, self.partition, &mut high);
                    if !self.send(Message::Rows(Box::new(rows))) {
                        return;
                    }
                }
                Ok(Read::Idle) => {
                    if said != Said::Idle {
                        said = Said::Idle;
                        self.send(Message::Idle);
                    }
                    self.clock.sleep(IDLE_PAUSE);
                }
                Ok(Read::End) => {
                    self.send(Message::End);
                    return;
                }
                Err(error) if error.kind == SourceErrorKind::Stalled => {
                    if said != Said::Stalled(error.message.clone()) {
                        said = Said::Stalled(error.message.clone());
                        self.send(Message::Stalled(error.message));
                    }
                    self.clock.sleep(STALLED_PAUSE);
                }
                Err(error) => {
                    self.send(Message::Failed(error.message));
                    return;
                }
            }
        }
    }

    fn send(&self, message: Message) -> bool {
        self.hub.send(self.queue, message, self.source.progress())
    }
}
