//! Calls whose token may be signed with a key that is not known here yet. The region server is asked
//! to look for newer ones, and the call waits for that. One that there is nothing to wait for is
//! refused at once.

use std::cell::{RefCell, RefMut};

use requestrocket_policy::{id::CredentialId, renewal};

use super::{
    Call, Flow,
    asking::{Asking, Bounds, Joined},
};
use crate::host::{Host, HostFailure, Shared};

/// The region asks an issuer less often than it is asked about a credential. New keys come on
/// another way than the answer, and a call waits for both.
const BOUNDS: Bounds = Bounds {
    pause_ms: 5_000,
    patience_ms: 2_000,
    waiting: 32,
    subjects: 10_000,
};
/// What that takes.
const ON_THEIR_WAY_MS: u64 = 300;

/// What one worker asked.
#[derive(Debug)]
pub struct NewerKeys(RefCell<Asking<CredentialId>>);

impl Default for NewerKeys {
    fn default() -> Self {
        Self(RefCell::new(Asking::new(BOUNDS)))
    }
}

impl NewerKeys {
    /// Has the call of a stream wait for newer keys of these credentials. False: there is nothing to
    /// wait for.
    pub(super) fn wait(
        &self,
        host: &impl Shared,
        credentials: &[CredentialId],
        stream: u32,
    ) -> Result<bool, HostFailure> {
        let now_ms = host.now_ms()?;
        let mut waits = false;
        for credential in credentials {
            let joined = self.asking()?.join(*credential, Some(stream), now_ms);
            waits |= match joined {
                Joined::Yes => true,
                Joined::No => false,
                Joined::NotAsked => self.ask(host, *credential, stream, now_ms).is_ok(),
            };
        }
        Ok(waits)
    }

    fn ask(
        &self,
        host: &impl Shared,
        credential: CredentialId,
        stream: u32,
        now_ms: u64,
    ) -> Result<(), HostFailure> {
        let timeout_ms = u32::try_from(BOUNDS.patience_ms).unwrap_or(u32::MAX);
        // Not borrowed meanwhile: the host may call back.
        let token = host.renew_keys(&renewal::request(credential), timeout_ms)?;
        self.asking()?
            .asked(credential, token, vec![stream], now_ms);
        Ok(())
    }

    /// The region server answered, or will not. False: it was not asked from here, or nobody waits
    /// for it any more.
    pub fn on_answer(&self, host: &impl Shared, token: u32, bytes: Option<&[u8]>) -> bool {
        let Ok(mut asking) = self.asking() else {
            return false;
        };
        let way_ms = match bytes {
            Some(bytes) if renewal::is_renewed(bytes) => ON_THEIR_WAY_MS,
            Some(_) | None => 0,
        };
        let now_ms = host.now_ms().unwrap_or(u64::MAX);
        asking.answered(token, now_ms, way_ms).is_some()
    }

    /// The streams of calls that go on now, of as many as are named.
    pub fn due(&self, host: &impl Shared, most: usize) -> Vec<u32> {
        let now_ms = host.now_ms().unwrap_or(u64::MAX);
        let asking = self.asking();
        asking.map_or_else(|_| Vec::new(), |mut asking| asking.due(now_ms, most))
    }

    fn asking(&self) -> Result<RefMut<'_, Asking<CredentialId>>, HostFailure> {
        self.0.try_borrow_mut().map_err(|_| HostFailure)
    }
}

impl Call {
    /// There may be newer keys now: the call is judged by what its route says then.
    pub fn on_newer_keys(&mut self, host: &impl Host, shared: &super::Shared) -> Flow {
        match self.take_waiting() {
            Some(waiting) => self.come_again(host, shared, &waiting),
            None => Flow::Ended,
        }
    }
}
