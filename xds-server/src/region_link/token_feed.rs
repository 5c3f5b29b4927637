//! What the control plane is still to be told of tokens.

use std::collections::VecDeque;

use requestrocket_proto::region::v1 as region;
use tokio::sync::watch;

use crate::tokens::{TokenStates, told};

/// One session's.
#[derive(Debug)]
pub(super) struct TokenFeed {
    states: watch::Receiver<TokenStates>,
    /// What was told; None: nothing yet.
    known: Option<TokenStates>,
    messages: VecDeque<region::TokenStates>,
    is_stale: bool,
}

impl TokenFeed {
    /// Of a session that begins.
    pub(super) fn new(states: watch::Receiver<TokenStates>) -> Self {
        Self {
            states,
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
    pub(super) fn next(&mut self) -> Option<region::TokenStates> {
        if self.messages.is_empty() {
            self.is_stale = false;
            let present = self.states.borrow_and_update().clone();
            self.messages = told(self.known.as_ref(), &present).into();
            self.known = Some(present);
        }
        self.messages.pop_front()
    }
}
