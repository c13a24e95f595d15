//! Ends the process at a named place, for tests that kill a real one.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::FailPoints;

/// The place and how often it may be passed: `NAME` or `NAME:N`, where the N-th time (from 1) ends the process.
const VARIABLE: &str = "MILLRACE_FAIL_POINT";

/// At most one place, named by the environment variable `MILLRACE_FAIL_POINT`.
#[derive(Debug, Default)]
pub struct AbortAtPoint {
    point: Option<(String, AtomicU64)>,
}

impl AbortAtPoint {
    /// What the environment asks for, read once.
    pub fn from_environment() -> Self {
        AbortAtPoint { point: std::env::var(VARIABLE).ok().map(|text| parse(&text)) }
    }
}

fn parse(text: &str) -> (String, AtomicU64) {
    let counted = text.rsplit_once(':').and_then(|(name, n)| Some((name, n.parse().ok()?)));
    let (name, n) = counted.unwrap_or((text, 1));
    (name.to_owned(), AtomicU64::new(n))
}

impl FailPoints for AbortAtPoint {
    fn reached(&self, name: &'static str) -> io::Result<()> {
        if let Some((point, left)) = &self.point
            && point == name
            && left.fetch_sub(1, Ordering::Relaxed) == 1
        {
            // no destructor runs and nothing is flushed, as with a kill
            std::process::abort();
        }
        Ok(())
    }
    fn is_armed(&self, name: &'static str) -> bool {
        self.point.as_ref().is_some_and(|(point, _)| point == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_a_name_and_a_count() {
        let of = |text| {
            let (name, n) = parse(text);
            (name, n.into_inner())
        };
        assert_eq!(of("log.before-fsync"), ("log.before-fsync".to_owned(), 1));
        assert_eq!(of("log.before-fsync:7"), ("log.before-fsync".to_owned(), 7));
        let points = AbortAtPoint { point: Some(parse("a:2")) };
        points.reached("a").unwrap();
        points.reached("b").unwrap();
        assert!(points.is_armed("a") && !points.is_armed("b"));
    }
}
