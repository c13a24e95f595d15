//! The correctness harness: what a query must say, computed without any of the engine's tricks.
