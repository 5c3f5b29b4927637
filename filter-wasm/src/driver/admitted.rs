//! A call whose caller is let in, and that waited for the policy it is judged by.

use requestrocket_policy::denial::Denial;

use super::{Call, Flow, Shared};
use crate::host::Host;

impl Call {
    /// The policy is there, or will not be. The configuration may have changed in the meantime, so
    /// the call is judged by what its route says now.
    pub fn on_policy(&mut self, host: &impl Host, shared: &Shared) -> Flow {
        let Some(mut waiting) = self.take_waiting() else {
            return Flow::Ended;
        };
        if !waiting.is_judged_again {
            return self.come_again(host, shared, &waiting);
        }
        waiting.exchange = None;
        let flow = self.judge(host, shared, waiting);
        if flow != Flow::AwaitBody {
            return flow;
        }
        // It is held as a whole, and can no longer be held without its body.
        match self.take_waiting() {
            Some(waiting) => self.refuse_judged(host, shared, &waiting, &Denial::Overloaded.into()),
            None => Flow::Ended,
        }
    }
}
