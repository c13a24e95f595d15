//! Everything that must bind and lower does.
