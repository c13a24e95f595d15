//! Runs the cells: contenders take turns, answers are compared, what went wrong is remembered and fails the run at its end.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use millrace_bench_input::{About, Answer, Figures, Request, Spec, Tier, files};
use serde::Serialize;

use crate::machine::busy_s;
use crate::options::RunArgs;
use crate::peer::{self, Peer};
use crate::statistics::median;
use crate::suite::{Cell, Size};

/// The contender that all others are compared with.
pub(crate) const OURS: &str = "millrace";

/// Events of a paced run, at most: they wait in memory for their time.
const PACED_EVENTS_MAX: f64 = 4e6;

/// Ticks of a run that only says what the answer is.
const WITNESS_TICK: usize = 10_000;

/// One who is measured, in one of the ways in which it can be.
pub(crate) struct Contender {
    peer: Box<dyn Peer>,
    /// `duckdb:epoch`.
    pub(crate) name: String,
    variant: Option<String>,
    /// What it says of itself.
    pub(crate) about: About,
}

/// A row of a table.
#[derive(Debug)]
pub(crate) struct Row {
    /// What was asked.
    pub(crate) cell: Cell,
    /// What came of it, in the order of the contenders.
    pub(crate) measured: Vec<Measured>,
}

/// The runs of one contender.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Measured {
    /// Its name.
    pub(crate) contender: String,
    /// What it was asked, to the letter.
    pub(crate) request: Request,
    /// What each run said.
    pub(crate) figures: Vec<Figures>,
    /// Processors that others kept busy during each run.
    pub(crate) others: Vec<f64>,
}

/// All that a run found.
pub(crate) struct Outcome {
    /// Who took part.
    pub(crate) contenders: Vec<Contender>,
    /// The rows.
    pub(crate) rows: Vec<Row>,
    /// Differences and failures.
    pub(crate) wrong: Vec<String>,
    /// Contenders that are not there, and why.
    pub(crate) absent: Vec<String>,
}

/// The contenders that are asked for: with none named, all that are there.
///
/// # Errors
/// If one is named that there is not.
pub(crate) fn contenders(names: &[String]) -> Result<(Vec<Contender>, Vec<String>), String> {
    let (mut found, mut absent) = (vec![], vec![]);
    for peer in peer::all() {
        let plain = peer.name().to_owned();
        let wanted: Vec<String> = match names.is_empty() {
            true => vec![plain.clone(), format!("{plain}:epoch")],
            false => names.iter().filter(|n| n.split(':').next() == Some(peer.name())).cloned().collect(),
        };
        if wanted.is_empty() {
            continue;
        }
        let about = match peer.about() {
            Ok(about) => about,
            Err(why) if names.is_empty() => {
                absent.push(why);
                continue;
            }
            Err(why) => return Err(why),
        };
        for name in wanted {
            let variant = name.split_once(':').map(|(_, variant)| variant.to_owned());
            let has = |v: &String| about.can.iter().any(|can| can.variants.contains(v));
            match &variant {
                Some(v) if !has(v) && names.is_empty() => continue,
                Some(v) if !has(v) => return Err(format!("{plain} has no variant {v}")),
                _ => (),
            }
            let peer = peer::all().into_iter().find(|p| p.name() == plain).ok_or("a peer has no name")?;
            found.push(Contender { peer, name, variant, about: about.clone() });
        }
    }
    for name in names {
        if !found.iter().any(|c| c.name == *name) {
            return Err(format!("no contender {name}; there are {}", known()));
        }
    }
    Ok((found, absent))
}

fn known() -> String {
    peer::all().iter().map(|p| p.name()).collect::<Vec<_>>().join(" ")
}

impl Contender {
    fn can(&self, request: &Request) -> bool {
        self.about.can(&self.asked(request))
    }
    fn is_slow(&self) -> bool {
        self.peer.is_slow(self.variant.as_deref())
    }
    /// The request as it is put to this one.
    fn asked(&self, request: &Request) -> Request {
        Request { variant: self.variant.clone().or_else(|| request.variant.clone()), ..request.clone() }
    }
}

/// Runs them all.
pub(crate) struct Runner<'a> {
    args: &'a RunArgs,
    contenders: Vec<Contender>,
    inputs: PathBuf,
    wrong: Vec<String>,
    /// Events per second that a contender bears, by contender and what it was asked.
    bearable: BTreeMap<(usize, String), f64>,
    /// Answers so far, and whose, by input: they do not depend on tier, ticks and workers.
    answers: BTreeMap<String, (Answer, String)>,
}

impl<'a> Runner<'a> {
    /// With these contenders; inputs as files go below `inputs`.
    pub(crate) fn new(args: &'a RunArgs, contenders: Vec<Contender>, inputs: PathBuf) -> Self {
        let (wrong, bearable, answers) = (vec![], BTreeMap::new(), BTreeMap::new());
        Runner { args, contenders, inputs, wrong, bearable, answers }
    }

    /// Runs the cells; `tell` hears what is going on.
    pub(crate) fn run(mut self, cells: Vec<Cell>, absent: Vec<String>, tell: impl Fn(&str)) -> Outcome {
        let mut rows = vec![];
        let n = cells.len();
        for (i, cell) in cells.into_iter().enumerate() {
            let Request { tier, spec, workers, .. } = &cell.request;
            let load = cell.load_percent.map(|l| format!(", paced at {l} %")).unwrap_or_default();
            tell(&format!(
                "{}/{n} {} {tier:?} {}: {} changes in ticks of {}, {} loaded, {workers} workers{load}",
                i + 1,
                cell.suite,
                spec.workload,
                spec.events,
                spec.tick,
                spec.load
            ));
            rows.push(self.row(cell, &tell));
        }
        Outcome { contenders: self.contenders, rows, wrong: self.wrong, absent }
    }

    fn row(&mut self, cell: Cell, tell: &impl Fn(&str)) -> Row {
        let mut measured = vec![];
        for i in 0..self.contenders.len() {
            if cell.alone && self.contenders[i].name != OURS {
                continue;
            }
            match self.prepare(i, &cell) {
                Ok(Some(request)) => {
                    let contender = self.contenders[i].name.clone();
                    measured.push((i, Measured { contender, request, figures: vec![], others: vec![] }));
                }
                Ok(None) => (),
                Err(why) => self.complain(why, tell),
            }
        }
        if measured.is_empty() {
            let Request { tier, spec, .. } = &cell.request;
            self.complain(format!("none of the contenders can do {} in {tier:?}", spec.workload), tell);
        }
        let turns = if cell.once { 1 } else { self.args.repeats };
        for turn in 0..turns {
            for (i, one) in &mut measured {
                if turn > 0 && self.args.size == Size::Small && self.contenders[*i].is_slow() {
                    continue;
                }
                match watched(self.contenders[*i].peer.as_ref(), &one.request) {
                    Ok((figures, others)) => {
                        one.figures.push(figures);
                        one.others.push(others);
                    }
                    Err(why) => self.wrong.push(why),
                }
            }
        }
        measured.retain(|(_, one)| !one.figures.is_empty());
        let measured: Vec<Measured> = measured.into_iter().map(|(_, one)| one).collect();
        if let Err(why) = self.compare(&cell, &measured) {
            self.complain(why, tell);
        }
        Row { cell, measured }
    }

    fn complain(&mut self, why: String, tell: &impl Fn(&str)) {
        tell(&why);
        self.wrong.push(why);
    }

    /// What this contender is asked, if it can do it.
    fn prepare(&mut self, i: usize, cell: &Cell) -> Result<Option<Request>, String> {
        let mut request = cell.request.clone();
        request.rate_per_s = cell.load_percent.map(|_| 1);
        if !self.contenders[i].can(&request) {
            return Ok(None);
        }
        if let Some(load) = cell.load_percent {
            let rate = self.bearable(i, cell)? * f64::from(load) / 100.0;
            let seconds = if self.args.size == Size::Small { 3.0 } else { 10.0 };
            let events = (rate * seconds).min(PACED_EVENTS_MAX);
            request.rate_per_s = Some((rate as u64).max(1));
            request.spec.events = (events as usize).max(1);
            request.spec.tick = ((rate / 2000.0) as usize).max(1);
        }
        if request.tier != Tier::T3 && request.rate_per_s.is_none() {
            request.files = Some(files::folder(&request.spec, &self.inputs)?);
        }
        Ok(Some(self.contenders[i].asked(&request)))
    }

    /// Events per second that a contender bears: the median of three runs as fast as it can.
    fn bearable(&mut self, i: usize, cell: &Cell) -> Result<f64, String> {
        let mut request = self.contenders[i].asked(&cell.request);
        if request.tier != Tier::T3 {
            request.files = Some(files::folder(&request.spec, &self.inputs)?);
        }
        let key = (i, format!("{request:?}"));
        if let Some(known) = self.bearable.get(&key) {
            return Ok(*known);
        }
        let runs: Result<Vec<Figures>, String> = (0..3).map(|_| self.contenders[i].peer.measure(&request)).collect();
        let rates = runs?.iter().map(|f| request.spec.events as f64 / f.wall_s.max(1e-9)).collect();
        let rate = median(rates);
        self.bearable.insert(key, rate);
        Ok(rate)
    }

    /// Equal inputs have equal answers, whatever the tier, the ticks and the workers. A paced run has that of the same
    /// input as fast as can be, by somebody else if there is somebody.
    fn compare(&mut self, cell: &Cell, measured: &[Measured]) -> Result<(), String> {
        for one in measured {
            // answers do not depend on tier and ticks: this one needs no files and takes its time
            let spec = Spec { tick: WITNESS_TICK, ..one.request.spec.clone() };
            let plain = Request { tier: Tier::T3, spec, rate_per_s: None, files: None, ..one.request.clone() };
            let key = input_of(&Request { tier: one.request.tier, ..plain.clone() });
            if cell.load_percent.is_some() && !self.answers.contains_key(&key) {
                let others = self.contenders.iter().filter(|c| c.name != one.contender && c.can(&plain));
                let witness = others.chain(self.contenders.iter().filter(|c| c.name == one.contender)).next();
                if let Some(witness) = witness {
                    let answer = witness.peer.measure(&witness.asked(&plain))?.answer;
                    self.answers.insert(key.clone(), (answer, witness.name.clone()));
                }
            }
            for figures in &one.figures {
                let whose = format!("{} ({:?})", one.contender, one.request.tier);
                let (answer, first) =
                    self.answers.entry(key.clone()).or_insert_with(|| (figures.answer, whose.clone()));
                if *answer != figures.answer {
                    let workload = plain.spec.workload;
                    return Err(format!("{workload}: {whose} says {:?}, {first} says {answer:?}", figures.answer));
                }
            }
        }
        Ok(())
    }
}

/// What decides an answer: the input without its ticks, or, where records are only counted, the files.
fn input_of(request: &Request) -> String {
    let spec = Spec { tick: 0, ..request.spec.clone() };
    let counted = if request.tier == Tier::T0 { "-counted" } else { "" };
    // one among many is another query than the workload's
    let query = request.variant.as_deref().filter(|v| *v == crate::ours::MANY).unwrap_or_default();
    format!("{}{counted}{query}", spec.key())
}

/// A measurement, and how many processors others kept busy meanwhile.
fn watched(peer: &dyn Peer, request: &Request) -> Result<(Figures, f64), String> {
    let (begun, busy, own) = (Instant::now(), busy_s(), children_s());
    let figures = peer.measure(request)?;
    let wall = begun.elapsed().as_secs_f64().max(1e-3);
    let others = (busy_s() - busy) - (children_s() - own);
    Ok((figures, (others / wall).max(0.0)))
}

/// CPU time of this process and of its children that have ended, s.
fn children_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // the second field may hold spaces, but ends with a bracket
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let field = |i: usize| fields.get(i).and_then(|f| f.parse::<u64>().ok()).unwrap_or(0);
    (11..15).map(field).sum::<u64>() as f64 / 100.0
}
