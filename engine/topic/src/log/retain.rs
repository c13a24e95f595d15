//! Removing the oldest records, by whole segments.
//!
//! The log's new start is made durable first, then the segments before it go, so that a crash between the two leaves
//! segments that do not count, never a gap. The newest segment stays, whatever its age: it remembers the last tick and
//! the producers.

use std::sync::PoisonError;

use super::{Log, recover, write_atomically};
use crate::error::{AtPath, TopicError};
use crate::options::Retention;

impl Log {
    /// Removes what `retention` allows to remove at `now_ms`; the bytes that went from the disk.
    pub(crate) fn retain(&self, retention: &Retention, now_ms: i64) -> Result<u64, TopicError> {
        // a segment that is before the start already may have had to stay because it was the newest
        let start = self.start_to_retain(retention, now_ms)?;
        self.delete_before(start)
    }

    /// The first offset that must stay; completes the segment being written if all of it may go.
    fn start_to_retain(&self, retention: &Retention, now_ms: i64) -> Result<u64, TopicError> {
        let oldest_ms = retention.time_ms.map(|ms| now_ms.saturating_sub_unsigned(ms));
        let is_old = |appended_ms: i64| oldest_ms.is_some_and(|oldest_ms| appended_ms < oldest_ms);
        let mut state = self.lock_idle();
        self.check(&state)?;
        let active = state.active.as_ref().map(|active| active.growing.summary).filter(|summary| summary.bytes > 0);
        if active.is_some_and(|summary| is_old(summary.appended_max_ms)) {
            self.roll(&mut state)?;
        }
        let mut bytes = state.active.as_ref().map_or(0, |active| active.growing.summary.bytes);
        for sealed in state.sealed.iter().rev() {
            bytes += sealed.summary.bytes;
            // what a segment has beyond the limit goes when all of it is beyond
            let is_beyond = retention.bytes.is_some_and(|max| bytes.saturating_sub(sealed.summary.bytes) >= max);
            if is_beyond || is_old(sealed.summary.appended_max_ms) {
                return Ok(sealed.summary.next_offset.max(state.start));
            }
        }
        Ok(state.start)
    }

    /// Makes `offset` the start of the log, at most its end; the bytes that went from the disk.
    pub(crate) fn delete_before(&self, offset: u64) -> Result<u64, TopicError> {
        let _one = self.retaining.lock().unwrap_or_else(PoisonError::into_inner);
        let start = {
            let state = self.lock();
            self.check(&state)?;
            offset.min(state.durable)
        };
        if start > self.start_offset() {
            let path = self.folder.join(recover::START);
            write_atomically(self.world.files(), &path, &recover::encode_start(start, self.salt))?;
        }
        let gone = {
            let mut state = self.lock();
            state.start = state.start.max(start);
            let next_base = state.active.as_ref().map(|active| active.growing.summary.base_offset);
            let is_gone = |n: &usize| {
                let next = state.sealed.get(n + 1).map(|sealed| sealed.summary.base_offset).or(next_base);
                next.is_some_and(|base| base <= state.start)
            };
            let n_gone = (0..state.sealed.len()).take_while(is_gone).count();
            state.sealed.drain(..n_gone).collect::<Vec<_>>()
        };
        let mut bytes = 0;
        for sealed in gone {
            self.world.fail_point("log.before-remove").at(&sealed.path)?;
            self.world.files().remove(&sealed.path).at(&sealed.path)?;
            self.world.files().remove(&sealed.index_path).at(&sealed.index_path)?;
            bytes += sealed.summary.bytes;
        }
        Ok(bytes)
    }
}
