//! What the control plane is still to be told of something that changes: all of it at first, then
//! what became of it.

use std::collections::VecDeque;

use tokio::sync::watch;

/// Of one session; `S` is how things stand, `M` a message about it.
#[derive(Debug)]
pub(super) struct News<S, M> {
    states: watch::Receiver<S>,
    /// What makes the second of the first, in messages; None: nothing was told yet.
    tell: fn(Option<&S>, &S) -> Vec<M>,
    /// What was told; None: nothing yet.
    known: Option<S>,
    messages: VecDeque<M>,
    is_stale: bool,
}

impl<S: Clone, M> News<S, M> {
    /// Of a session that begins.
    pub(super) fn new(states: watch::Receiver<S>, tell: fn(Option<&S>, &S) -> Vec<M>) -> Self {
        Self {
            states,
            tell,
            known: None,
            messages: VecDeque::new(),
            is_stale: true,
        }
    }

    /// Returns when there is something new.
    pub(super) async fn changed(&mut self) {
        match self.states.changed().await {
            Ok(()) => self.is_stale = true,
            // Its end is that of the process.
            Err(_) => std::future::pending().await,
        }
    }

    /// There is something to tell.
    pub(super) fn is_any(&self) -> bool {
        self.is_stale || !self.messages.is_empty() || self.states.has_changed().unwrap_or(false)
    }

    /// The next message.
    pub(super) fn next(&mut self) -> Option<M> {
        if self.messages.is_empty() {
            self.is_stale = false;
            let present = self.states.borrow_and_update().clone();
            self.messages = (self.tell)(self.known.as_ref(), &present).into();
            self.known = Some(present);
        }
        self.messages.pop_front()
    }
}
