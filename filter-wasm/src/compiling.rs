//! Policies that are too heavy to compile while a call is under way: a step at each tick, of one
//! policy after the other, while the calls that need them are held.

mod resumable;

use std::collections::VecDeque;

use requestrocket_policy::{
    compile::Compilation,
    id::OrganisationId,
    policy::{InvalidPolicy, Policy},
};

pub use self::resumable::Resumable;

/// Milliseconds between two steps: other calls have most of them.
pub const STEP_MS: u32 = 10;
/// Policies that are compiled at a time, because each takes some times the room of its message;
const POLICIES: usize = 24;
/// and those of one organisation, so that nobody else finds no place.
const POLICIES_OF_ONE: usize = 6;
/// Calls that one policy is waited for by.
const WAITING: usize = 256;

/// There are too many policies or calls at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crowded;

/// Policies under way.
#[derive(Debug, Default)]
pub struct Compiling(VecDeque<Job>);

#[derive(Debug)]
struct Job {
    route_name: Box<[u8]>,
    compilation: Compilation,
    waiting: Vec<u32>,
}

/// A policy that is compiled, or is not one.
#[derive(Debug)]
pub struct Compiled {
    /// Name of the route that it lay on.
    pub route_name: Box<[u8]>,
    /// Whose it is.
    pub owner: OrganisationId,
    /// The policy, or what is wrong with it.
    pub policy: Result<Policy, InvalidPolicy>,
    /// Streams of the calls that waited for it.
    pub waiting: Vec<u32>,
}

impl Compiling {
    /// Lets a call wait for a policy that is being compiled. False: that one is not.
    pub fn join(&mut self, route_name: &[u8], stream: u32) -> Result<bool, Crowded> {
        let mut jobs = self.0.iter_mut();
        let Some(job) = jobs.find(|job| *job.route_name == *route_name) else {
            return Ok(false);
        };
        if job.waiting.len() >= WAITING {
            return Err(Crowded);
        }
        job.waiting.push(stream);
        Ok(true)
    }

    /// Whether one more policy of this organisation can be compiled now.
    pub fn has_room_for(&self, owner: OrganisationId) -> bool {
        let of_owner = self.0.iter().filter(|job| job.owner() == owner);
        self.0.len() < POLICIES && of_owner.count() < POLICIES_OF_ONE
    }

    /// Begins with a policy that a call waits for.
    pub fn begin(&mut self, route_name: &[u8], compilation: Compilation, stream: u32) {
        self.0.push_back(Job {
            route_name: route_name.into(),
            compilation,
            waiting: vec![stream],
        });
    }

    /// Whether there is nothing to do.
    pub fn is_idle(&self) -> bool {
        self.0.is_empty()
    }

    /// Does a step of the policy whose turn it is.
    pub fn step(&mut self) -> Option<Compiled> {
        let mut job = self.0.pop_front()?;
        let Some(policy) = job.compilation.step() else {
            // Behind the others, so that policies take turns.
            self.0.push_back(job);
            return None;
        };
        Some(Compiled {
            owner: job.owner(),
            route_name: job.route_name,
            policy,
            waiting: job.waiting,
        })
    }
}

impl Job {
    fn owner(&self) -> OrganisationId {
        self.compilation.admission().organisation()
    }
}

#[cfg(test)]
mod tests;
