//! Several Envoys and their region on one simulated time line, with a network that delays, loses,
//! doubles and reorders, and a region that restarts.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use requestrocket_policy::limit::{
    Asked, Batch, Charge, Charged, Decision, Grant, Heard, Micros, Moment, Report, Tally, Window,
    batch, decide,
};

use super::super::POLL_MS;
use super::super::totals::{At, Incarnation, Request, Row, Totals};
use super::START_MS;

/// Between two ticks of an Envoy.
const TICK_MS: u64 = 200;
/// Threads of an Envoy, which share its counts.
const WORKERS: usize = 3;
/// Between two writes of the region.
const FLUSH_MS: u64 = 1_000;
/// Questions of one call at most.
const ROUNDS: u32 = 3;

/// What the network does to one message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fate {
    pub(super) delay_ms: u64,
    pub(super) is_lost: bool,
    /// It comes once more, so much later.
    pub(super) doubled_after_ms: Option<u64>,
}

impl Fate {
    pub(super) const PROMPT: Self = Self {
        delay_ms: 1,
        is_lost: false,
        doubled_after_ms: None,
    };
}

/// Calls that a worker is always busy enough to set aside.
const WANTED: u32 = 64;

/// One Envoy.
struct Node {
    tally: Tally,
    /// What each worker set aside, and how much of it is used.
    workers: Vec<Option<(Batch, u32)>>,
    clock_ahead_ms: i64,
    heard: Heard,
    lost_in_a_row: u32,
}

#[derive(Clone)]
struct Message {
    node: usize,
    sent_at_ms: u64,
    reports: Vec<Report>,
    /// Of the call that waits; none for a tick.
    round: Option<u32>,
}

#[derive(Clone)]
enum Event {
    Call(usize),
    Tick(usize),
    /// A worker of an Envoy gives account.
    Account(usize, usize),
    Arrive(Message),
    Look(Message, Request),
    Answer(Message, Vec<Grant>),
    Flush,
    Restart,
}

pub(super) struct Simulation {
    now_ms: u64,
    charge: Charge,
    nodes: Vec<Node>,
    totals: Totals,
    stored: BTreeMap<(u64, Incarnation), Row>,
    events: BinaryHeap<Reverse<(u64, u64)>>,
    planned: BTreeMap<u64, Event>,
    fates: Vec<Fate>,
    messages: usize,
    lost_in_a_row: u32,
    /// Calls that come together.
    pub(super) burst: u32,
    /// Calls that were made.
    turns: usize,
    /// Calls that were counted in a batch.
    pub(super) in_batches: u64,
    /// Calls that passed, by the start of their minute.
    pub(super) admitted: BTreeMap<u64, u64>,
}

impl Simulation {
    /// At most `lost_in_a_row` messages of one Envoy are lost after each other.
    pub(super) fn new(charge: Charge, clocks: &[i64], lost_in_a_row: u32) -> Self {
        let node = |clock_ahead_ms: &i64| Node {
            tally: Tally::default(),
            workers: vec![None; WORKERS],
            clock_ahead_ms: *clock_ahead_ms,
            heard: Heard::default(),
            lost_in_a_row: 0,
        };
        let mut simulation = Self {
            now_ms: 0,
            charge,
            nodes: clocks.iter().map(node).collect(),
            totals: Totals::new(1, 0),
            stored: BTreeMap::new(),
            events: BinaryHeap::new(),
            planned: BTreeMap::new(),
            fates: vec![Fate::PROMPT],
            messages: 0,
            lost_in_a_row,
            burst: 1,
            turns: 0,
            in_batches: 0,
            admitted: BTreeMap::new(),
        };
        for node in 0..clocks.len() {
            let first = u64::try_from(node).unwrap() * 37 % TICK_MS;
            simulation.plan(first, Event::Tick(node));
            for worker in 0..WORKERS {
                let first = first + u64::try_from(worker).unwrap() * 61;
                simulation.plan(first, Event::Account(node, worker));
            }
        }
        simulation.plan(FLUSH_MS, Event::Flush);
        simulation
    }

    /// From now on messages fare like this, in turn.
    pub(super) fn network(&mut self, fates: &[Fate]) {
        self.fates = fates.to_vec();
    }

    pub(super) fn call_at(&mut self, at_ms: u64, node: usize) {
        self.plan(at_ms, Event::Call(node));
    }

    pub(super) fn restart_at(&mut self, at_ms: u64) {
        self.plan(at_ms, Event::Restart);
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.now_ms
    }

    pub(super) fn run_until(&mut self, end_ms: u64) {
        while let Some(&Reverse((at_ms, id))) = self.events.peek()
            && at_ms <= end_ms
        {
            self.events.pop();
            self.now_ms = at_ms;
            let event = self.planned.remove(&id).unwrap();
            self.happen(event);
        }
        self.now_ms = end_ms;
    }

    fn plan(&mut self, at_ms: u64, event: Event) {
        let id = self.planned.last_key_value().map_or(0, |(id, _)| id + 1);
        self.planned.insert(id, event);
        self.events.push(Reverse((at_ms, id)));
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Call(node) => {
                for _ in 0..self.burst {
                    self.attempt(node, Asked::NotYet, 0);
                }
            }
            Event::Account(node, worker) => {
                self.give_account(node, worker);
                self.plan(self.now_ms + TICK_MS, Event::Account(node, worker));
            }
            Event::Tick(node) => self.tick(node),
            Event::Arrive(message) => {
                let request = Request {
                    incarnation: incarnation(message.node),
                    sent_at_ms: message.sent_at_ms,
                    received_ms: self.now_ms,
                    reports: message.reports.clone(),
                };
                self.look(message, request);
            }
            Event::Look(message, request) => self.look(message, request),
            Event::Answer(message, grants) => self.answer(&message, &grants),
            Event::Flush => {
                for row in self.totals.take_dirty() {
                    self.stored.insert((row.key.start_ms, row.incarnation), row);
                }
                self.plan(self.now_ms + FLUSH_MS, Event::Flush);
            }
            Event::Restart => {
                // As after kill -9: what was not flushed is gone, questions that wait too.
                self.totals = Totals::new(self.totals.epoch() + 1, self.now_ms);
                self.stored
                    .values()
                    .for_each(|row| self.totals.restore(row));
                self.planned
                    .retain(|_, event| !matches!(event, Event::Look(..)));
                let planned = &self.planned;
                self.events
                    .retain(|Reverse((_, id))| planned.contains_key(id));
            }
        }
    }

    fn clock(&self, node: usize) -> u64 {
        (START_MS + self.now_ms)
            .checked_add_signed(self.nodes[node].clock_ahead_ms)
            .unwrap()
    }

    /// Some worker of the Envoy gets the call.
    fn attempt(&mut self, node: usize, asked: Asked, round: u32) {
        let moment = Moment::at(self.clock(node));
        self.turns += 1;
        let worker = self.turns % WORKERS;
        if let Some((batch, used)) = &mut self.nodes[node].workers[worker]
            && batch.is_open(moment.now_ms)
            && *used < batch.calls
        {
            *used += 1;
            self.in_batches += 1;
            let window = batch.calendar.minute.start_ms;
            *self.admitted.entry(window).or_default() += 1;
            return;
        }
        self.give_account(node, worker);
        let tally = self.nodes[node].tally;
        let call = [Charged {
            charge: &self.charge,
            tally,
        }];
        match decide(&call, asked, &moment) {
            Decision::Admit => {
                let amount = self.charge.on_admission();
                self.nodes[node].tally.add(&self.charge, amount, &moment);
                let window = self.nodes[node]
                    .tally
                    .slot(Window::Minute, &moment)
                    .start_ms;
                *self.admitted.entry(window).or_default() += 1;
                self.set_aside(node, worker, &moment);
            }
            Decision::Ask(mut reports) if round < ROUNDS => {
                for report in &mut reports {
                    report.queued = Micros::units(self.burst.into());
                }
                self.send(node, reports, Some(round));
            }
            Decision::Ask(_) | Decision::Exceeded(_) => {}
        }
    }

    fn set_aside(&mut self, node: usize, worker: usize, moment: &Moment) {
        let node = &mut self.nodes[node];
        let call = [Charged {
            charge: &self.charge,
            tally: node.tally,
        }];
        if let Some(batch) = batch(&call, WANTED, moment) {
            node.tally.reserve(&self.charge, &batch);
            node.workers[worker] = Some((batch, 0));
        }
    }

    fn give_account(&mut self, node: usize, worker: usize) {
        let now_ms = self.clock(node);
        let node = &mut self.nodes[node];
        if let Some((batch, used)) = node.workers[worker].take() {
            node.tally.give_account(&self.charge, &batch, used, now_ms);
        }
    }

    fn tick(&mut self, node: usize) {
        let now_ms = self.clock(node);
        let due =
            self.nodes[node]
                .tally
                .due(self.charge.counter, self.nodes[node].heard.epoch(), now_ms);
        self.send(node, due, None);
        self.plan(self.now_ms + TICK_MS, Event::Tick(node));
    }

    fn send(&mut self, node: usize, reports: Vec<Report>, round: Option<u32>) {
        let message = Message {
            node,
            sent_at_ms: self.clock(node),
            reports,
            round,
        };
        self.carry(node, Event::Arrive(message));
    }

    fn carry(&mut self, node: usize, event: Event) {
        let fate = self.fates[self.messages % self.fates.len()];
        self.messages += 1;
        let lost = &mut self.nodes[node].lost_in_a_row;
        if fate.is_lost && *lost < self.lost_in_a_row {
            *lost += 1;
            return;
        }
        if matches!(event, Event::Answer(..)) {
            *lost = 0;
        }
        let arrives_ms = self.now_ms + fate.delay_ms;
        if let Some(later_ms) = fate.doubled_after_ms {
            self.plan(arrives_ms + later_ms, event.clone());
        }
        self.plan(arrives_ms, event);
    }

    fn look(&mut self, message: Message, request: Request) {
        let at = At {
            wall_ms: START_MS + self.now_ms,
            steady_ms: self.now_ms,
        };
        match self.totals.sync(&request, at) {
            Some(grants) => self.carry(message.node, Event::Answer(message, grants)),
            None => self.plan(self.now_ms + POLL_MS, Event::Look(message, request)),
        }
    }

    fn answer(&mut self, message: &Message, grants: &[Grant]) {
        let now_ms = self.clock(message.node);
        let node = &mut self.nodes[message.node];
        let mut asked = Asked::NotYet;
        for (report, grant) in message.reports.iter().zip(grants) {
            node.heard.hear(grant.epoch, message.sent_at_ms, now_ms);
            if let Some(slot) = node.tally.slot_of(report) {
                slot.apply(report, grant, message.sent_at_ms, now_ms);
            }
            asked = grant.outcome(report);
        }
        if grants.is_empty() {
            let epoch = self.totals.epoch();
            node.heard.hear(epoch, message.sent_at_ms, now_ms);
        }
        if let Some(round) = message.round
            && asked != Asked::Unanswered
        {
            self.attempt(message.node, asked, round + 1);
        }
    }
}

fn incarnation(node: usize) -> Incarnation {
    let mut bytes = [0; 16];
    bytes[0] = u8::try_from(node).unwrap();
    Incarnation(bytes)
}
