//! Why a session stops or refuses: what the user reads is a [`PlanError`] in every case, what a program does about it
//! depends on the class.

use std::fmt;

use millrace_connect::{ConnectError, ConnectErrorKind, SourceError};
use millrace_dataflow::EngineError;
use millrace_planner::error::{ErrorKind, PlanError, Span};

use crate::client::ClientGone;

/// A statement that failed, or a session that cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionError {
    /// What to do about it.
    pub class: ErrorClass,
    /// Number of the statement at fault, from 1; its text is what `error.span` points into.
    pub statement: Option<usize>,
    /// What to read.
    pub error: PlanError,
}

/// What a program does about a [`SessionError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// The statement is wrong, or its data.
    Statement,
    /// The statement may be right; a file, a disk, memory or the engine failed.
    World,
    /// Somebody asked for the end.
    Interrupted,
    /// Nobody reads the answers.
    ClientGone,
}

/// Shorthand of this crate.
pub type Result<T> = std::result::Result<T, SessionError>;

impl SessionError {
    pub(crate) fn new(class: ErrorClass, error: PlanError) -> Self {
        SessionError { class, statement: None, error }
    }

    /// The world is not as it has to be.
    pub(crate) fn world(message: impl Into<String>) -> Self {
        Self::new(ErrorClass::World, PlanError::new(ErrorKind::World, message))
    }

    pub(crate) fn interrupted() -> Self {
        Self::new(ErrorClass::Interrupted, PlanError::new(ErrorKind::Canceled, "interrupted"))
    }

    /// A contradiction inside the session.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        PlanError::new(ErrorKind::Internal, message).into()
    }

    /// The same, of this statement.
    pub(crate) fn in_statement(mut self, statement: usize) -> Self {
        self.statement.get_or_insert(statement);
        self
    }

    /// A connector's refusal, at the option or column that it names.
    pub(crate) fn connect(error: ConnectError, place: impl Fn(&str) -> Option<Span>) -> Self {
        let (class, kind) = match error.kind {
            ConnectErrorKind::Option => (ErrorClass::Statement, ErrorKind::InvalidParameter),
            ConnectErrorKind::Columns => (ErrorClass::Statement, ErrorKind::InvalidDefinition),
            ConnectErrorKind::NotSupported => (ErrorClass::Statement, ErrorKind::NotSupported),
            ConnectErrorKind::World(_) => (ErrorClass::World, ErrorKind::World),
        };
        let span = error.option.as_deref().and_then(place);
        let said = PlanError { span, hint: error.hint, ..PlanError::new(kind, error.message) };
        Self::new(class, said)
    }
}

impl From<PlanError> for SessionError {
    fn from(error: PlanError) -> Self {
        Self::new(ErrorClass::Statement, error)
    }
}

impl From<ClientGone> for SessionError {
    fn from(_: ClientGone) -> Self {
        Self::new(ErrorClass::ClientGone, PlanError::new(ErrorKind::Canceled, "nobody reads the answers any more"))
    }
}

impl From<EngineError> for SessionError {
    fn from(error: EngineError) -> Self {
        let said = PlanError::new(ErrorKind::Internal, error.to_string())
            .detail("What the engine maintained is lost; this is a bug.");
        Self::new(ErrorClass::World, said)
    }
}

impl From<SourceError> for SessionError {
    fn from(error: SourceError) -> Self {
        Self::world(error.message)
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for SessionError {}
