//! The machine that the process runs on.

mod clock;
mod entropy;
mod fail_points;
mod files;
mod threads;

pub use clock::RealClock;
pub use entropy::OsEntropy;
pub use fail_points::AbortAtPoint;
pub use files::RealFiles;
pub use threads::RealThreads;
