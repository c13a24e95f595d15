//! The outside world behind traits: clock, files, entropy, threads.
