//! A world for tests: time moves when the test says so, files lie in memory and fail on demand, the machine loses its
//! power on demand, randomness has a seed.
//!
//! The test keeps the [`SimulatedWorld`] and hands its [`World`] to what it tests. Threads are real ones: code that
//! must be replayed by a seed is stepped by one thread instead.

mod clock;
mod files;

use std::fmt;
use std::sync::Arc;

pub use clock::ManualClock;
pub use files::MemoryFiles;

use crate::real::RealThreads;
use crate::{SeededEntropy, World};

/// When the simulated wall clock starts: 2024-01-01T00:00:00Z, epoch ms.
pub const WALL_START_MS: i64 = 1_704_067_200_000;

/// The controls of a simulated world; see the module.
pub struct SimulatedWorld {
    clock: Arc<ManualClock>,
    files: Arc<MemoryFiles>,
    world: World,
}

impl SimulatedWorld {
    /// An empty world at [`WALL_START_MS`] whose randomness is that of `seed`.
    pub fn new(seed: u64) -> Self {
        let clock = Arc::new(ManualClock::new(WALL_START_MS));
        let files = Arc::new(MemoryFiles::new(Arc::clone(&clock)));
        let world = World::of(
            Arc::<ManualClock>::clone(&clock),
            Arc::<MemoryFiles>::clone(&files),
            Arc::new(SeededEntropy::new(seed)),
            Arc::new(RealThreads),
        )
        .with_fail_points(Arc::<MemoryFiles>::clone(&files));
        SimulatedWorld { clock, files, world }
    }

    /// What the code under test gets.
    pub fn world(&self) -> &World {
        &self.world
    }
    /// The clock, to move.
    pub fn clock(&self) -> &Arc<ManualClock> {
        &self.clock
    }
    /// The files, to fill, to look at and to break.
    pub fn files(&self) -> &Arc<MemoryFiles> {
        &self.files
    }
}

impl fmt::Debug for SimulatedWorld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedWorld").field("clock", &self.clock).finish_non_exhaustive()
    }
}
