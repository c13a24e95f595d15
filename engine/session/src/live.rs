//! A program whose end is not its last statement: its queries go on over live input, for as long as the caller lets
//! input flow, and further statements may come in between.
//!
//! ```text
//! begin(program)   flow_until(t1)   execute(UPDATE …)   flow_until(t1)   flow_until(t2)   …
//! ```
//! What [`flow_until`](Session::flow_until) delivers for a moment that has passed is what the statements before it
//! brought about, and nothing else: their rows have ticks of their own.

use crate::client::Client;
use crate::error::{Result, SessionError};
use crate::program::Program;
use crate::session::Session;

impl Session {
    /// Runs the statements of a program, and lets no more input flow than they wait for. Streams that only a statement
    /// behind the program would read are not kept.
    ///
    /// # Errors
    /// With the first statement that failed.
    pub fn begin(&mut self, program: &Program, client: &mut dyn Client) -> Result<()> {
        self.kept = Some(self.look_ahead(program));
        program.statements().iter().try_for_each(|statement| self.execute(statement, client))?;
        let mistake = program.mistake().cloned();
        mistake.map_or(Ok(()), |error| Err(SessionError::from(error).in_statement(program.statements().len() + 1)))
    }

    /// Lets input flow until the world's monotonic clock shows `until_ns`, and until the rows of every statement so far
    /// are in. Returns early when every source has ended. What came of it has been delivered.
    ///
    /// # Errors
    /// If a query failed, a source cannot be read, or somebody asked for the end.
    pub fn flow_until(&mut self, until_ns: u64, client: &mut dyn Client) -> Result<()> {
        self.flow_to(until_ns, client)?;
        self.failure.take().map_or(Ok(()), Err)
    }
}
