//! The machine that the process runs on.

mod clock;
mod entropy;
mod files;
mod threads;

pub use clock::RealClock;
pub use entropy::OsEntropy;
pub use files::RealFiles;
pub use threads::RealThreads;
