//! The session's client on a terminal or in a pipe.
//!
//! Every call's text is written and flushed at once: whoever reads sees changes as they come. A reader that goes away is
//! no error. Progress is shown on a terminal only, after the first second, and taken away before anything else is written.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use millrace_planner::error::Severity;
use millrace_planner::sql::statement::Statement;
use millrace_session::{
    Client, ClientGone, ErrorClass, Form, Notice, Program, ResultHead, ResultId, ResultRows, SessionError,
    SourceProgress,
};
use millrace_world::{Clock, World};

use super::{Format, Writer, writer};
use crate::command::WORLD_FAILED;

/// When progress is first shown: what is faster needs none.
const PROGRESS_AFTER_NS: u64 = 1_000_000_000;

/// See the module.
pub(crate) struct Console<'a> {
    format: Format,
    program: &'a Program,
    clock: Arc<dyn Clock>,
    started_ns: u64,
    results: BTreeMap<ResultId, Shown>,
    /// The result whose rows were written last.
    current: Option<ResultId>,
    /// The program has more than one result.
    labelled: bool,
    /// Columns of the terminal on stdout.
    width: Option<usize>,
    /// stderr is a terminal; a line of progress stands on it.
    progress: Option<bool>,
    /// Why stdout took no more, if it did not just go away.
    broken: Option<io::Error>,
}

struct Shown {
    writer: Box<dyn Writer>,
    form: Form,
    /// Its head has been written.
    begun: bool,
}

impl<'a> Console<'a> {
    /// Prints the results of this program.
    pub(crate) fn new(format: Format, program: &'a Program, world: &World) -> Self {
        let is_result = |statement: &Statement| {
            matches!(
                statement,
                Statement::Query(_) | Statement::Show(_) | Statement::Describe(_) | Statement::Explain(_)
            )
        };
        let results = program.statements().iter().filter(|parsed| is_result(&parsed.statement)).count();
        let width = || crossterm::terminal::size().ok().map(|(columns, _)| usize::from(columns)).filter(|w| *w > 0);
        Console {
            format,
            program,
            clock: Arc::clone(world.clock()),
            started_ns: world.clock().monotonic_ns(),
            results: BTreeMap::new(),
            current: None,
            labelled: results > 1,
            width: if io::stdout().is_terminal() { width() } else { None },
            progress: io::stderr().is_terminal().then_some(false),
            broken: None,
        }
    }

    /// Nothing more comes.
    pub(crate) fn end(&mut self) {
        self.clear_progress();
    }

    /// Says why the run ends; returns the status that it ends with.
    pub(crate) fn report(&mut self, error: &SessionError, status: u8) -> u8 {
        match (error.class, &self.broken) {
            (ErrorClass::ClientGone, Some(broken)) => {
                let message = format!("error: answers cannot be written: {broken}");
                self.say(&message);
                WORLD_FAILED
            }
            (ErrorClass::ClientGone, None) => status,
            _ => {
                let message = self.program.render(error);
                self.say(&message);
                status
            }
        }
    }

    fn say(&mut self, text: &str) {
        self.clear_progress();
        // nobody may be listening
        let _ = writeln!(io::stderr(), "{text}");
    }

    fn clear_progress(&mut self) {
        if self.progress == Some(true) {
            let _ = write!(io::stderr(), "\r\x1b[K");
            self.progress = Some(false);
        }
    }

    fn write(&mut self, text: &[u8]) -> Result<(), ClientGone> {
        self.clear_progress();
        let mut out = io::stdout().lock();
        out.write_all(text).and_then(|()| out.flush()).map_err(|error| {
            if error.kind() != io::ErrorKind::BrokenPipe {
                self.broken = Some(error);
            }
            ClientGone
        })
    }

    /// What the writer of a result appends, behind whatever separates it from the result before.
    fn write_result(
        &mut self,
        id: ResultId,
        rows: Option<&ResultRows>,
        write: impl FnOnce(&mut dyn Writer, &mut Vec<u8>) -> Result<(), String>,
    ) -> Result<(), ClientGone> {
        let other = self.current != Some(id);
        let Some(shown) = self.results.get_mut(&id) else { return Ok(()) };
        let mut text = vec![];
        let written = (|| {
            if other {
                if self.current.is_some() && self.format != Format::Json {
                    text.push(b'\n');
                }
                if shown.form != Form::Text || self.format != Format::Table {
                    shown.writer.head(rows, &mut text)?;
                }
                shown.begun = true;
            }
            write(shown.writer.as_mut(), &mut text)
        })();
        self.current = Some(id);
        if let Err(message) = written {
            self.broken = Some(io::Error::other(message));
            return Err(ClientGone);
        }
        self.write(&text)
    }
}

impl Client for Console<'_> {
    fn head(&mut self, head: &ResultHead) -> Result<(), ClientGone> {
        let writer = writer(self.format, head, self.labelled, self.width);
        self.results.insert(head.id, Shown { writer, form: head.form.clone(), begun: false });
        Ok(())
    }

    fn rows(&mut self, rows: &ResultRows) -> Result<(), ClientGone> {
        self.write_result(rows.id, Some(rows), |writer, out| writer.rows(rows, out))
    }

    fn done(&mut self, result: ResultId) -> Result<(), ClientGone> {
        let begun = self.results.get(&result).is_some_and(|shown| shown.begun);
        let counted = self.results.get(&result).is_some_and(|shown| shown.form == Form::Answer);
        if !begun || counted {
            self.write_result(result, None, |writer, out| {
                writer.end(out);
                Ok(())
            })?;
        }
        self.results.remove(&result);
        Ok(())
    }

    fn notice(&mut self, notice: &Notice) {
        match notice {
            Notice::Statement { statement, warning } => {
                let text = self.program.render_plan_error(Some(*statement), warning);
                debug_assert_eq!(warning.severity, Severity::Warning);
                self.say(&text);
            }
            // a person who waits wants to know; a log of a thousand INSERTs helps nobody
            Notice::Done { message, .. } if self.progress.is_some() => self.say(message),
            Notice::Done { .. } => {}
            Notice::Data(message) => self.say(&format!("note: {message}")),
        }
    }

    fn progress(&mut self, progress: &[SourceProgress]) {
        let Some(shown) = self.progress else { return };
        if self.clock.monotonic_ns() - self.started_ns < PROGRESS_AFTER_NS {
            return;
        }
        let open: Vec<String> = progress.iter().filter(|p| !p.ended).map(line_of).collect();
        if open.is_empty() && !shown {
            return;
        }
        let _ = write!(io::stderr(), "\r\x1b[Kreading {}", open.join(", "));
        let _ = io::stderr().flush();
        self.progress = Some(true);
    }
}

/// `RATINGS 45 % (1200000 rows)`
fn line_of(progress: &SourceProgress) -> String {
    let share = |done: u64, total: Option<u64>| total.filter(|total| *total > 0).map(|total| done * 100 / total);
    let share = share(progress.bytes, progress.bytes_total).or_else(|| share(progress.rows, progress.rows_total));
    match share {
        Some(share) => format!("{} {share} % ({} rows)", progress.relation, progress.rows),
        None => format!("{} ({} rows)", progress.relation, progress.rows),
    }
}
