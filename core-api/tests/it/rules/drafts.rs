//! What is to be saved compiles beside the transactions: nobody waits for another's patterns, and
//! what is saved was compiled with what is there.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use requestrocket_core_api::domain::account::audit::Origin;
use requestrocket_core_api::domain::guard::attachment::{AttachedTo, Attachment};
use requestrocket_core_api::domain::guard::condition::{
    Conditions, PathCondition, Pattern, Presence,
};
use requestrocket_core_api::domain::guard::effect::Effect;
use requestrocket_core_api::domain::guard::rule::RuleForm;
use requestrocket_core_api::domain::label::{Labelled, Labels};
use requestrocket_core_api::domain::people::permission::Permission;
use requestrocket_core_api::domain::people::proof::Proof;
use requestrocket_core_api::domain::version::Expected;
use requestrocket_core_api::error::{ApiResult, Code};
use requestrocket_core_api::identity::caller::{Caller, Scope};
use requestrocket_core_api::region::fleet::Fleets;
use requestrocket_core_api::service::change::Change;
use requestrocket_core_api::service::guard::attachments;
use requestrocket_core_api::state::AppState;
use requestrocket_policy::compile::check_layer;
use requestrocket_policy::form::problem::Problems;
use requestrocket_process::tasks::TaskSet;
use requestrocket_proto::policy::v1 as wire;
use serde_json::json;
use tokio::runtime::Handle;

use crate::world::{REGION, Who, World, id_of};

/// An admin of the organisation with a process of its own, who changes a target's rules.
struct Admin {
    change: Change,
    scope: Scope,
    target: AttachedTo,
}

impl Admin {
    async fn new(world: &World, target: &str) -> Self {
        let (db, clock) = (world.state.db.clone(), world.state.clock.clone());
        let state = AppState::new(db, clock, Fleets::default(), TaskSet::default());
        let user = format!(
            "SELECT user_id FROM member WHERE organisation_id = '{}' AND roles LIKE '%admin%'",
            world.home
        );
        let caller = Caller::User {
            id: world.text(&user).await.parse().unwrap(),
            proof: Proof::Token(uuid::Uuid::new_v4().to_string().parse().unwrap()),
            rights: Arc::default(),
        };
        let scope = Scope::enter(&state, &caller, &world.home, Permission::WriteResources);
        Self {
            scope: scope.await.unwrap(),
            change: Change {
                state,
                actor: caller,
                origin: Origin::default(),
                expected: Expected::Any,
                is_forced: false,
            },
            target: AttachedTo::Target(target.parse().unwrap()),
        }
    }

    /// A new rule on this path; `meanwhile` is done while it compiles.
    async fn create(
        &self,
        path: &str,
        meanwhile: impl Fn() + Send + Sync + 'static,
    ) -> ApiResult<Attachment<RuleForm>> {
        let form = rule(path);
        let read = move || {
            meanwhile();
            let form = form.clone();
            let labels = Labels::default();
            Ok(Labelled { form, labels })
        };
        let made = attachments::create(&self.change, &self.scope, self.target, read).await;
        made.map(|(rule, _)| rule)
    }

    /// Another path in the place of the rule's; `meanwhile` is done while it compiles.
    async fn update(
        &self,
        rule: &str,
        meanwhile: impl Fn() -> &'static str + Send + Sync + 'static,
    ) -> ApiResult<Attachment<RuleForm>> {
        let read = move |current: &Attachment<RuleForm>| {
            let path = meanwhile();
            let mut form = self::rule(path);
            form.notes.clone_from(&current.form.notes);
            let labels = current.labels.clone();
            Ok::<_, Problems>(Labelled { form, labels })
        };
        let made = attachments::update(&self.change, &self.scope, (self.target, rule), read).await;
        made.map(|(rule, _)| rule)
    }
}

fn rule(path: &str) -> RuleForm {
    let pattern = Pattern::parse(path, "").unwrap();
    let presence = Presence::Present;
    RuleForm {
        effect: Effect::Deny,
        priority: 500,
        is_active: true,
        conditions: Conditions {
            path: Some(PathCondition { pattern, presence }),
            ..Conditions::default()
        },
        notes: None,
    }
}

/// What a target weighs whose rules have these paths.
fn weight(paths: &[&str]) -> i64 {
    let rule = |path: &&str| wire::Rule {
        rule_id: uuid::Uuid::new_v4().to_string(),
        effect: wire::Effect::Deny.into(),
        priority: 500,
        conditions: Some(wire::Conditions {
            path: Some(wire::PathCondition {
                pattern: Some(wire::Pattern {
                    pattern: (*path).to_owned(),
                    flags: String::new(),
                }),
                presence: wire::Presence::Present.into(),
            }),
            ..wire::Conditions::default()
        }),
    };
    let layer = wire::Layer {
        default_effect: wire::Effect::Deny.into(),
        rules: paths.iter().map(rule).collect(),
        redactions: Vec::new(),
    };
    i64::try_from(check_layer(layer).unwrap()).unwrap()
}

async fn expect_weight(world: &World, target: &str, paths: &[&str]) {
    let select = format!("SELECT attached_weight FROM target WHERE target_id = '{target}'");
    assert_eq!(world.number(&select).await, weight(paths), "{paths:?}");
}

#[tokio::test]
async fn while_one_change_compiles_others_are_made() {
    for world in World::each().await {
        let target = world.target(REGION).await;
        let admin = Admin::new(&world, &target).await;
        let (started, mut is_started) = tokio::sync::mpsc::unbounded_channel();
        let (end, ends) = mpsc::channel::<()>();
        let ends = Mutex::new(ends);
        let mut compiling = tokio::task::JoinSet::new();
        compiling.spawn(async move {
            let meanwhile = move || {
                let _ = started.send(());
                let _ = ends.lock().unwrap().recv();
            };
            admin.create("^/slow", meanwhile).await.unwrap()
        });
        is_started.recv().await.unwrap();
        // The same organisation and another one, the latter also what compiles.
        world.target(REGION).await;
        let body = json!({
            "targetName": "T", "targetBaseURL": "https://api.example.com",
            "targetRegion": REGION,
        });
        let path = format!("/clients/{}/targets", world.abroad);
        let made = world.call("POST", &path).by(Who::Stranger).json(&body);
        let made = made.send().await;
        assert_eq!(made.status, 201, "{}", made.text);
        let path = format!("{path}/{}/rules", id_of(&made.body, "targetId"));
        let body = json!({"effect": "deny", "path": {"pattern": "^/a"}});
        let made = world.call("POST", &path).by(Who::Stranger).json(&body);
        assert_eq!(made.send().await.status, 201);
        drop(end);
        compiling.join_next().await.unwrap().unwrap();
        expect_weight(&world, &target, &["^/slow"]).await;
    }
}

#[tokio::test]
async fn what_others_change_meanwhile_is_compiled_too() {
    for world in World::each().await {
        let target = world.target(REGION).await;
        let (admin, other) = (
            Admin::new(&world, &target).await,
            Arc::new(Admin::new(&world, &target).await),
        );
        let (compiled, runtime) = (Arc::new(AtomicUsize::new(0)), Handle::current());
        let (count, overtaking) = (Arc::clone(&compiled), Arc::clone(&other));
        let made = admin.create("^/mine", move || {
            if count.fetch_add(1, Ordering::SeqCst) == 0 {
                let made = overtaking.create("^/theirs", || ());
                runtime.block_on(made).unwrap();
            }
        });
        let mine = made.await.unwrap().id.to_string();
        assert_eq!(compiled.swap(0, Ordering::SeqCst), 2);
        expect_weight(&world, &target, &["^/mine", "^/theirs"]).await;

        // The same rule, which the other one gives another path and notes.
        let (count, overtaking) = (Arc::clone(&compiled), Arc::clone(&other));
        let (rule, runtime) = (mine.clone(), Handle::current());
        let changed = admin.update(&mine, move || {
            if count.fetch_add(1, Ordering::SeqCst) == 0 {
                let made = overtaking.update(&rule, || "^/changed");
                runtime.block_on(made).unwrap();
            }
            "^/mine/again"
        });
        changed.await.unwrap();
        assert_eq!(compiled.load(Ordering::SeqCst), 2);
        expect_weight(&world, &target, &["^/mine/again", "^/theirs"]).await;
    }
}

#[tokio::test]
async fn who_is_always_overtaken_gives_up() {
    for world in World::each().await {
        let target = world.target(REGION).await;
        let admin = Admin::new(&world, &target).await;
        let other = Admin::new(&world, &target).await;
        let (runtime, names) = (Handle::current(), AtomicUsize::new(0));
        let made = admin.create("^/mine", move || {
            let path = format!("^/{}", names.fetch_add(1, Ordering::SeqCst));
            runtime.block_on(other.create(&path, || ())).unwrap();
        });
        assert_eq!(made.await.unwrap_err().code(), Code::Unavailable);
        let rules = world.number("SELECT COUNT(*) FROM rule").await;
        assert_eq!(rules, 4, "only the other one's");
    }
}

#[tokio::test]
async fn changes_of_one_organisation_take_turns() {
    for world in World::each().await {
        let target = world.target(REGION).await;
        let path = world.at(&format!("targets/{target}/rules"));
        let mut changes = tokio::task::JoinSet::new();
        let paths: Vec<_> = (0..8).map(|n| format!("^/{n}")).collect();
        for pattern in &paths {
            let body = json!({"effect": "deny", "path": {"pattern": pattern}});
            changes.spawn(world.call("POST", &path).json(&body).send());
        }
        while let Some(made) = changes.join_next().await {
            let made = made.unwrap();
            assert_eq!(made.status, 201, "{}", made.text);
        }
        let paths: Vec<_> = paths.iter().map(String::as_str).collect();
        expect_weight(&world, &target, &paths).await;
    }
}
