//! Who saw which secret: each target may see the one that is injected for it, and no other.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, ensure};
use requestrocket_integration_tests::gateway::{ProxyPlan, Secret, unique};
use requestrocket_integration_tests::target::{Recorded, Script, Target};
use requestrocket_integration_tests::wire::Head;

/// What callers say who must not get in.
pub(crate) const STRANGER: &str = "stranger";

/// How every secret of this suite begins: those of targets, and those of callers.
const MARKS: [&str; 2] = ["planted-secret", "key-for-tests"];

/// Looks at what a target receives.
#[derive(Clone, Debug)]
pub(crate) struct Witness {
    own: String,
    strange: Arc<Mutex<Option<String>>>,
}

impl Witness {
    pub(crate) fn new(whose: &str) -> Self {
        Self {
            own: unique(&format!("planted-secret-of-{whose}")),
            strange: Arc::default(),
        }
    }

    /// A target whose requests it looks at.
    pub(crate) async fn target(
        &self,
        answer: impl Fn(&Recorded) -> Script + Send + Sync + 'static,
    ) -> Result<Target> {
        let witness = self.clone();
        Target::answering(move |request| {
            witness.look(request);
            answer(request)
        })
        .await
    }

    /// A proxy to it that injects its secret.
    pub(crate) fn plan(&self, base_url: &str) -> ProxyPlan {
        ProxyPlan::to(base_url).injecting(Secret::api_key(&self.own))
    }

    fn look(&self, request: &Recorded) {
        let mut strange = self.strange.lock().unwrap_or_else(PoisonError::into_inner);
        if request.head.all("authorization") != [self.own.as_str()] {
            *strange = Some(format!("`authorization` of {}", request.path()));
        }
        let head = text(&request.head).replace(&self.own, "");
        if !is_free_of_secrets(&head) || head.contains(STRANGER) {
            *strange = Some(format!("the head of {}", request.path()));
        }
    }

    /// Fails when a request came without the secret of this target, with another, or from somebody
    /// who must not get in.
    pub(crate) fn check(&self) -> Result<()> {
        let strange = self.strange.lock().unwrap_or_else(PoisonError::into_inner);

        ensure!(strange.is_none(), "not what it should be: {:?}", *strange);
        Ok(())
    }
}

pub(crate) fn is_free_of_secrets(text: &str) -> bool {
    MARKS.iter().all(|mark| !text.contains(mark))
}

fn text(head: &Head) -> String {
    let mut text = head.start_line.clone();
    for (name, value) in &head.lines {
        text.push('\n');
        text.push_str(name);
        text.push(':');
        text.push_str(&String::from_utf8_lossy(value));
    }
    text
}

#[test]
fn another_secret_or_none_is_noticed() {
    let witness = Witness::new("a-test");
    let with = |lines: &[(&str, &str)]| {
        let lines = lines.iter().map(|(name, value)| {
            let value = value.as_bytes().to_vec();
            ((*name).to_owned(), value)
        });
        let mut request = Recorded::default();
        request.head.lines = lines.collect();
        let witness = Witness {
            own: witness.own.clone(),
            strange: Arc::default(),
        };
        witness.look(&request);
        witness.check().is_ok()
    };
    let own = ("authorization", witness.own.as_str());
    assert!(with(&[own, ("x-a", "b")]));
    assert!(!with(&[("x-a", "b")]));
    assert!(!with(&[own, ("cookie", "planted-secret-of-another-1")]));
    assert!(!with(&[own, ("x-key", "key-for-tests-1")]));
    assert!(!with(&[own, ("referer", "a-stranger")]));
    assert!(!with(&[("authorization", "planted-secret-of-another-1")]));
}
