//! Questions to the region server that calls wait for, many calls for one answer.
//!
//! Anybody can make up what is asked about. So of one subject there is a question now and then, a few
//! calls wait for its answer, and all others are told at once that there is nothing to wait for.

use std::collections::BTreeMap;

/// How much is asked, and for how long it is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Between two questions about one subject.
    pub(super) pause_ms: u64,
    /// No call waits longer.
    pub(super) patience_ms: u64,
    /// Calls that wait for one answer.
    pub(super) waiting: usize,
    /// Subjects that are remembered.
    pub(super) subjects: usize,
}

/// What one worker asked, by what it is about.
#[derive(Debug)]
pub(super) struct Asking<S> {
    bounds: Bounds,
    questions: BTreeMap<S, Question>,
    /// The subjects that somebody waits for, or may, by the token under which the answer comes.
    open: BTreeMap<u32, S>,
}

#[derive(Debug)]
struct Question {
    asked_at_ms: u64,
    /// When those that wait go on.
    due_ms: u64,
    /// Their streams.
    waiting: Vec<u32>,
}

/// Whether a call waits for a question that was asked before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joined {
    /// It does.
    Yes,
    /// There is nothing to wait for.
    No,
    /// Nobody asked lately: it is to be asked now.
    NotAsked,
}

impl<S: Copy + Ord> Asking<S> {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            questions: BTreeMap::new(),
            open: BTreeMap::new(),
        }
    }

    /// Has the call of a stream wait for what was asked about the subject; none: nobody waits.
    pub(super) fn join(&mut self, subject: S, stream: Option<u32>, now_ms: u64) -> Joined {
        let Bounds {
            pause_ms,
            patience_ms: _,
            waiting,
            subjects,
        } = self.bounds;
        let is_recent = |one: &Question| now_ms < one.asked_at_ms.saturating_add(pause_ms);
        if let Some(question) = self.questions.get_mut(&subject)
            && is_recent(question)
        {
            let is_open = now_ms < question.due_ms && question.waiting.len() < waiting;
            if is_open {
                question.waiting.extend(stream);
            }
            return if is_open { Joined::Yes } else { Joined::No };
        }
        // Anybody can make subjects up, so the list has an end.
        if self.questions.len() >= subjects {
            self.questions
                .retain(|_, one| is_recent(one) || !one.waiting.is_empty());
        }
        if self.questions.len() >= subjects {
            return Joined::No;
        }
        Joined::NotAsked
    }

    /// What somebody waits for, or may.
    pub(super) fn open(&self) -> impl Iterator<Item = &S> {
        self.open.values()
    }

    /// It was asked, and the answer comes under that token.
    pub(super) fn asked(&mut self, subject: S, token: u32, waiting: Vec<u32>, now_ms: u64) {
        let question = Question {
            asked_at_ms: now_ms,
            due_ms: now_ms.saturating_add(self.bounds.patience_ms),
            waiting,
        };
        self.questions.insert(subject, question);
        self.open.insert(token, subject);
    }

    /// The answer under that token is there: those that wait go on in so many milliseconds. None: it
    /// was not asked here, or nobody waits any more.
    pub(super) fn answered(&mut self, token: u32, now_ms: u64, way_ms: u64) -> Option<S> {
        let subject = *self.open.get(&token)?;
        let question = self.questions.get_mut(&subject)?;
        question.due_ms = question.due_ms.min(now_ms.saturating_add(way_ms));
        Some(subject)
    }

    /// The streams of calls that go on now, of as many as are named.
    pub(super) fn due(&mut self, now_ms: u64, most: usize) -> Vec<u32> {
        let mut due = Vec::new();
        let questions = &mut self.questions;
        self.open.retain(|_, subject| {
            let Some(question) = questions.get_mut(subject) else {
                return false;
            };
            if question.due_ms > now_ms {
                return true;
            }
            let room = most.saturating_sub(due.len()).min(question.waiting.len());
            due.extend(question.waiting.drain(..room));
            !question.waiting.is_empty()
        });
        let open = self.open.values().filter_map(|one| questions.get(one));
        let waiting: Vec<&Vec<u32>> = open.map(|one| &one.waiting).collect();
        // A call that waits for several answers goes on with the last.
        due.retain(|stream| !waiting.iter().any(|streams| streams.contains(stream)));
        due
    }
}
