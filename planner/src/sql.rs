//! Text to [`Statement`](statement::Statement): the *parse* step.

pub mod name;
pub mod position;
pub mod query;
pub mod statement;
