//! How long and how much; set on the command line as `name=value`.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Context;

/// A table of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Calls,
    Credentials,
    Memory,
    Redaction,
    FirstByte,
    Traps,
    Editors,
    Configuration,
}

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) parts: Vec<Part>,
    /// Sets of processes for the cost of a call. How a process happens to lie in memory makes a
    /// tenth of its cost.
    pub(crate) fleets: usize,
    /// Turns of a second of each variant of a set, for the cost of a call. Other tenants of the
    /// machine disturb single turns by a third; many short ones in turn are disturbed alike.
    pub(crate) turns: usize,
    /// Measured seconds of each round of each variant of redaction.
    pub(crate) seconds: u64,
    /// Rounds; variants take turns within one, and the median round counts.
    pub(crate) rounds: usize,
    /// Sizes of bodies for the throughput of redaction, in MB.
    pub(crate) bodies: Vec<u64>,
    /// Sizes of bodies for the memory of redaction, in MB.
    pub(crate) memory: Vec<u64>,
    /// Calls of each kind for the delay of the first byte.
    pub(crate) answers: usize,
    /// Seconds of calls without traps, and then with.
    pub(crate) trap_seconds: u64,
    /// Workers of the Envoy that traps.
    pub(crate) trap_workers: u16,
    /// Seconds of edits on each database.
    pub(crate) editor_seconds: u64,
    /// Fleet sizes for the propagation part.
    pub(crate) proxies: Vec<usize>,
    /// Changes measured at each size.
    pub(crate) changes: usize,
    /// Writes the tables there too.
    pub(crate) output: Option<PathBuf>,
}

const KNOWN: &str = "parts, fleets, turns, seconds, rounds, bodies, memory, answers, trap_seconds, trap_workers, editor_seconds, proxies, changes, output";

impl Default for Plan {
    fn default() -> Self {
        Self {
            parts: vec![
                Part::Calls,
                Part::Credentials,
                Part::Memory,
                Part::Redaction,
                Part::FirstByte,
                Part::Traps,
                Part::Editors,
                Part::Configuration,
            ],
            fleets: 4,
            turns: 10,
            seconds: 3,
            rounds: 5,
            bodies: vec![1, 16],
            memory: vec![20, 200],
            answers: 200,
            trap_seconds: 30,
            trap_workers: 1,
            editor_seconds: 10,
            proxies: vec![10, 1_000, 10_000],
            changes: 200,
            output: None,
        }
    }
}

impl Plan {
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut plan = Self::default();
        for argument in arguments {
            let (name, value) = argument
                .split_once('=')
                .with_context(|| format!("`{argument}` is not name=value"))?;
            plan.set(name, value)
                .with_context(|| format!("`{argument}`"))?;
        }
        Ok(plan)
    }

    fn set(&mut self, name: &str, value: &str) -> anyhow::Result<()> {
        match name {
            "parts" => self.parts = list(value)?,
            "fleets" => self.fleets = value.parse()?,
            "turns" => self.turns = value.parse()?,
            "seconds" => self.seconds = value.parse()?,
            "rounds" => self.rounds = value.parse()?,
            "bodies" => self.bodies = list(value)?,
            "memory" => self.memory = list(value)?,
            "answers" => self.answers = value.parse()?,
            "trap_seconds" => self.trap_seconds = value.parse()?,
            "trap_workers" => self.trap_workers = value.parse()?,
            "editor_seconds" => self.editor_seconds = value.parse()?,
            "proxies" => self.proxies = list(value)?,
            "changes" => self.changes = value.parse()?,
            "output" => self.output = Some(PathBuf::from(value)),
            _ => anyhow::bail!("unknown option; known: {KNOWN}"),
        }
        Ok(())
    }
}

fn list<T>(value: &str) -> anyhow::Result<Vec<T>>
where
    T: FromStr,
    anyhow::Error: From<T::Err>,
{
    Ok(value.split(',').map(str::parse).collect::<Result<_, _>>()?)
}

impl FromStr for Part {
    type Err = anyhow::Error;

    fn from_str(word: &str) -> anyhow::Result<Self> {
        Ok(match word {
            "calls" => Self::Calls,
            "credentials" => Self::Credentials,
            "redaction" => Self::Redaction,
            "memory" => Self::Memory,
            "first-byte" => Self::FirstByte,
            "traps" => Self::Traps,
            "editors" => Self::Editors,
            "configuration" => Self::Configuration,
            _ => anyhow::bail!(
                "`{word}` is no part; known: calls, credentials, redaction, memory, first-byte, traps, editors, configuration"
            ),
        })
    }
}
