//! Sessions from SQL to what a client is told, in a simulated world.

#[path = "session/recorder.rs"]
mod recorder;

#[path = "session/answers.rs"]
mod answers;
#[path = "session/changes.rs"]
mod changes;
#[path = "session/errors.rs"]
mod errors;
#[path = "session/files.rs"]
mod files;
#[path = "session/paused.rs"]
mod paused;
#[path = "session/read_again.rs"]
mod read_again;
#[path = "session/statements.rs"]
mod statements;
#[path = "session/system.rs"]
mod system;
#[path = "session/time.rs"]
mod time;
