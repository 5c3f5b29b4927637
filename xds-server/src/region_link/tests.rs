use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::Ordering;

use requestrocket_process::clock::Clock;
use requestrocket_process::tasks::TaskSet;
use requestrocket_proto::region::v1::region_message::Kind;
use requestrocket_proto::region::v1::{
    BilledQuery, Change, ConfigBatch, CredentialAuthType, CredentialSide, Hello, MeterUsageQuery,
    Query, RecordKind, Stored, TokenStates, TokenStatus, UnusableProxy, answer, query,
};
use tokio::net::TcpListener;
use tokio::time::timeout;

use self::fake::{Authority, Control, TOKEN};
use self::queries::Queries;
use super::*;
use crate::access_log::{CallLog, Place, Retention};
use crate::audit::Vault;
use crate::fixtures::{
    CANARY, REGION, Region, id, organisation, proxy, removed, target, translation,
};
use crate::last_use::UseRegister;
use crate::meters::Meters;
use crate::notices::NoticeRegister;
use crate::records::ingest::Ingest;
use crate::records::region_config::RegionUpdate;
use crate::region::RegionWriter;
use crate::store::tests::{fresh_sqlite, test_stores};
use crate::target_tests::TargetChecking;
use crate::terms::KnownTerms;
use crate::usage::Usage;
use crate::xds::publisher::Publisher;

mod fake;

const RETENTION: Retention = Retention {
    days: 90,
    bytes: 1 << 30,
};

/// Who knows what the region is asked for.
async fn sources(region: &Region, publisher: &Publisher, tasks: &TaskSet) -> Sources {
    let (store, clock) = (region.store.store.clone(), Clock::default());
    let meters = Meters::in_memory(store.clone(), clock.clone(), tasks).await;
    let usage = Usage::open(store.clone(), clock.clone(), tasks).await;
    let calls = region.folder.path().join("calls");
    let log = CallLog::open(Place::files(&calls), RETENTION, clock.clone(), tasks);
    let (log, _) = log.await.unwrap();
    let terms = KnownTerms::open(&calls, 90, publisher.subscribe(), (clock, tasks));
    Sources {
        meters: meters.unwrap(),
        calls: log,
        usage: usage.unwrap(),
        vault: Vault::new(store),
        terms: terms.await.unwrap(),
        targets: region.target_tests(&[]),
    }
}

/// A region whose link runs.
struct Running {
    region: Region,
    publisher: Arc<Publisher>,
    fleet: watch::Sender<Vec<NodeStatus>>,
    meters: Meters,
    pki: PathBuf,
    tasks: TaskSet,
}

impl Running {
    async fn start(region: Region, authority: &Authority, url: &str, token: &str) -> Self {
        let ca = region.folder.path().join("control-plane-ca.pem");
        std::fs::write(&ca, &authority.pem).unwrap();
        let pki = region.folder.path().join("pki");
        let publisher = Arc::new(Publisher::new(translation()));
        let writer = RegionWriter::new(region.ingest.clone(), Arc::clone(&publisher));
        writer.load().await.unwrap();
        let fleet = watch::Sender::new(Vec::new());
        let config = LinkConfig {
            region: REGION.to_owned(),
            base_url: "https://eu-1.example.com".to_owned(),
            control_plane_url: url.parse().unwrap(),
            control_plane_ca: ca,
            enrolment_token: Some(SecretText::new(token.to_owned())),
            pki_dir: pki.clone(),
            sealing_public_key: region.keys.sealing.public_key().to_bytes().to_vec(),
        };
        let tasks = TaskSet::default();
        let store = region.store.store.clone();
        let uses = UseRegister::open(store, &tasks).await.unwrap();
        let sources = sources(&region, &publisher, &tasks).await;
        let meters = sources.meters.clone();
        let checks = TargetChecking::start(sources.targets.clone(), &tasks);
        let link = RegionLink {
            config,
            writer: Arc::new(writer),
            fleet: fleet.subscribe(),
            sources,
            uses: uses.subscribe(),
            notices: NoticeRegister::new(Clock::default()).subscribe(),
            checks: checks.subscribe(),
        };
        let stopping = tasks.stopping();
        tasks.spawn("link", async move {
            link.run(stopping).await;
            Ok(())
        });
        Self {
            region,
            publisher,
            fleet,
            meters,
            pki,
            tasks,
        }
    }

    async fn with(control: &Control, authority: &Authority) -> Self {
        let region = Region::with(fresh_sqlite().await).await;
        Self::start(region, authority, &url(control), TOKEN).await
    }

    /// Ids of the proxies that are stored.
    async fn proxies(&self) -> Vec<String> {
        match self.region.ingest.load().await.unwrap().1 {
            RegionUpdate::Full(proxies) => proxies.into_iter().map(|p| p.proxy_id).collect(),
            RegionUpdate::Delta(_) => panic!("delta"),
        }
    }

    fn published(&self) -> (Option<u64>, usize) {
        let snapshot = self.publisher.subscribe().borrow().clone();
        (snapshot.revision(), snapshot.proxies())
    }
}

fn url(control: &Control) -> String {
    format!("https://{}", control.address)
}

fn all(region: &Region) -> Vec<Change> {
    vec![
        organisation(false),
        region.caller(&id(10), 1, CANARY),
        region.bearer(&id(20), 1, CANARY),
        target(&id(30), "https://api.example.com"),
        proxy(&id(1), &[&id(10)], &id(30), &id(20)),
    ]
}

#[tokio::test]
async fn a_question_that_has_the_stores_lock_goes_on_while_the_session_waits_for_the_store() {
    let region = Region::with(fresh_sqlite().await).await;
    let (publisher, tasks) = (Publisher::new(translation()), TaskSet::default());
    let mut queries = Queries::new(sources(&region, &publisher, &tasks).await);
    for query_id in 0..8 {
        let kind = Some(query::Kind::Billed(BilledQuery::default()));
        queries.ask(Query { query_id, kind });
    }
    // One is answered, so the next has the lock; the session does not look after it.
    queries.progress().await;
    let store = &region.store.store;
    for _ in 0..8 {
        let begun = timeout(Duration::from_secs(20), store.begin()).await;
        drop(begun.expect("nobody else has the lock").unwrap());
    }
}

#[tokio::test]
async fn a_region_enrols_once_and_resumes_where_it_was() {
    let authority = Authority::new();
    for store in test_stores().await {
        let mut control = Control::start(&authority, REGION).await;
        let region = Region::with(store).await;
        let running = Running::start(region, &authority, &url(&control), TOKEN).await;
        let mut attached = control.attached().await;
        let Hello {
            stored_revision,
            sealing_public_key,
            base_url,
        } = attached.hello.clone();
        assert_eq!(
            (stored_revision, base_url.as_str()),
            (0, "https://eu-1.example.com")
        );
        let public = running.region.keys.sealing.public_key().to_bytes();
        assert_eq!(sealing_public_key.as_ref(), public.as_slice());

        attached.full(7, all(&running.region)).await;
        attached.stored(7).await;
        assert_eq!(running.published(), (Some(7), 1));
        attached
            .delta(8, vec![proxy(&id(2), &[], &id(30), &id(20))])
            .await;
        attached.stored(8).await;
        assert_eq!(running.published(), (Some(8), 2));

        drop(attached);
        let mut attached = control.attached().await;
        assert_eq!(attached.hello.stored_revision, 8);
        attached
            .delta(9, vec![removed(RecordKind::Proxy, &id(1))])
            .await;
        attached.stored(9).await;
        assert_eq!(
            (running.published(), running.proxies().await),
            ((Some(9), 1), vec![id(2)])
        );
        assert_eq!(*control.enrolments.lock().unwrap(), 1);
        running.tasks.shutdown().await;
    }
}

#[tokio::test]
async fn a_full_sync_in_parts_is_one_change() {
    let authority = Authority::new();
    let mut control = Control::start(&authority, REGION).await;
    let running = Running::with(&control, &authority).await;
    let mut attached = control.attached().await;
    attached.full(7, all(&running.region)).await;
    attached.stored(7).await;

    let part = |is_last, changes| ConfigBatch {
        revision: 9,
        is_full: true,
        is_last,
        changes,
    };
    let mut second = all(&running.region);
    let first = second.drain(..3).collect();
    second.push(proxy(&id(2), &[], &id(30), &id(20)));
    attached.batch(part(false, first)).await;
    // The link breaks in the middle: nothing of it counts.
    drop(attached);
    let mut attached = control.attached().await;
    assert_eq!(attached.hello.stored_revision, 7);
    assert_eq!(running.proxies().await, [id(1)]);

    let mut second = all(&running.region);
    let first = second.drain(..3).collect();
    second.push(proxy(&id(2), &[], &id(30), &id(20)));
    attached.batch(part(false, first)).await;
    attached.batch(part(true, second)).await;
    attached.stored(9).await;
    assert_eq!(running.proxies().await, [id(1), id(2)]);
    running.tasks.shutdown().await;
}

#[tokio::test]
async fn changes_arrive_after_the_control_plane_was_away() {
    let authority = Authority::new();
    // The port is known, but nobody is there yet.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let region = Region::with(fresh_sqlite().await).await;
    let url = format!("https://{address}");
    let running = Running::start(region, &authority, &url, TOKEN).await;
    assert_eq!(running.published(), (Some(0), 0));

    for revision in [5, 6] {
        let listener = TcpListener::bind(address).await.unwrap();
        let mut control = Control::start_on(listener, &authority, REGION);
        let mut attached = control.attached().await;
        attached.full(revision, all(&running.region)).await;
        attached.stored(revision).await;
        assert_eq!(running.published(), (Some(revision), 1));
        drop(attached);
        control.stop().await;
    }
    assert_eq!(running.published(), (Some(6), 1));
    running.tasks.shutdown().await;
}

#[tokio::test]
async fn a_poisoned_credential_holds_up_nobody() {
    let authority = Authority::new();
    let mut control = Control::start(&authority, REGION).await;
    let running = Running::with(&control, &authority).await;
    let mut attached = control.attached().await;
    let mut changes = all(&running.region);
    changes.insert(1, running.region.bearer(&id(21), 1, "a\r\nX-Evil: 1"));
    changes.push(proxy(&id(2), &[&id(10)], &id(30), &id(21)));
    attached.full(7, changes).await;
    attached.stored(7).await;
    assert_eq!(running.published(), (Some(7), 2));
    // A second secret of the same credential heals it.
    attached
        .delta(8, vec![running.region.bearer(&id(21), 2, "good")])
        .await;
    attached.stored(8).await;
    let RegionUpdate::Full(proxies) = running.region.ingest.load().await.unwrap().1 else {
        panic!("delta");
    };
    assert!(
        proxies
            .iter()
            .all(|proxy| proxy.target_credential.is_some())
    );
    running.tasks.shutdown().await;
}

#[tokio::test]
async fn the_fleet_is_told_at_once_and_on_every_change() {
    let authority = Authority::new();
    let mut control = Control::start(&authority, REGION).await;
    let running = Running::with(&control, &authority).await;
    let mut attached = control.attached().await;
    let all_usable = |kind: Option<Kind>| matches!(kind, Some(Kind::Unusable(u)) if u.is_last && u.proxies.is_empty());
    assert!(all_usable(attached.next().await));
    assert!(matches!(attached.next().await, Some(Kind::FleetStatus(s)) if s.nodes.is_empty()));
    for settled_revision in [1, 2] {
        let node_id = "eu-1-envoy-1".to_owned();
        let node = NodeStatus {
            node_id,
            settled_revision,
            ..Default::default()
        };
        running.fleet.send_replace(vec![node.clone()]);
        let want = vec![node];
        assert!(matches!(attached.next().await, Some(Kind::FleetStatus(s)) if s.nodes == want));
    }
    // Nobody read these: the next session hears of the last one only.
    drop(attached);
    let mut attached = control.attached().await;
    assert!(all_usable(attached.next().await));
    assert!(matches!(attached.next().await, Some(Kind::FleetStatus(s)) if s.nodes.len() == 1));
    running.tasks.shutdown().await;
}

/// What is told next of what cannot be used, by proxy, and what was told before it.
async fn unusable(attached: &mut fake::Attached) -> (BTreeMap<String, UnusableProxy>, Vec<Kind>) {
    let (mut proxies, mut before) = (BTreeMap::new(), Vec::new());
    loop {
        match attached.next().await.unwrap() {
            Kind::Unusable(part) => {
                let named = part.proxies.into_iter();
                proxies.extend(named.map(|one| (one.proxy_id.clone(), one)));
                if part.is_last {
                    return (proxies, before);
                }
            }
            other => before.push(other),
        }
    }
}

#[tokio::test]
async fn what_cannot_be_used_is_told_before_it_is_stored_and_anew_to_every_session() {
    let authority = Authority::new();
    let mut control = Control::start(&authority, REGION).await;
    let running = Running::with(&control, &authority).await;
    let mut attached = control.attached().await;
    assert!(unusable(&mut attached).await.0.is_empty());

    let mut changes = all(&running.region);
    let header = serde_json::json!({ "headers": { "x_rr_valve": CANARY } });
    let custom = (CredentialSide::Target, CredentialAuthType::Custom);
    changes.push(
        running
            .region
            .credential(&id(21), 1, custom, &header.to_string()),
    );
    changes.push(proxy(&id(2), &[&id(10)], &id(30), &id(21)));
    attached.full(7, changes).await;
    let (told, before) = unusable(&mut attached).await;
    let is_stored = |kind: &Kind| matches!(kind, Kind::Stored(stored) if stored.revision == 7);
    assert!(!before.iter().any(is_stored), "{before:?}");
    let name = format!(
        "credential {}: secret holds a value or name that is refused",
        id(21)
    );
    let want = UnusableProxy {
        proxy_id: id(2),
        after_revision: 0,
        revision: 7,
        detail: name.clone(),
    };
    assert_eq!(told, BTreeMap::from([(id(2), want)]));
    attached.stored(7).await;

    // As long as it is so, also to a session that knows of no change.
    drop(attached);
    let mut attached = control.attached().await;
    let (told, before) = unusable(&mut attached).await;
    assert_eq!(before, []);
    assert_eq!(told[&id(2)].detail, name);
    let repaired = running.region.credential(
        &id(21),
        2,
        (CredentialSide::Target, CredentialAuthType::Custom),
        &header.to_string().replace("x_rr_valve", "x-key"),
    );
    attached.delta(8, vec![repaired]).await;
    assert!(unusable(&mut attached).await.0.is_empty());
    running.tasks.shutdown().await;
}

#[tokio::test]
async fn tokens_are_told_at_once_and_on_every_change() {
    let authority = Authority::new();
    let mut control = Control::start(&authority, REGION).await;
    let running = Running::with(&control, &authority).await;
    let mut attached = control.attached().await;
    let secret = r#"{"grantType": "client_credentials", "clientId": "me", "clientSecret": "s",
                     "tokenUrl": "https://a.example/token"}"#;
    let kind = (CredentialSide::Target, CredentialAuthType::Oauth2);
    let credential = running.region.credential(&id(20), 3, kind, secret);
    attached
        .delta(1, vec![organisation(false), credential])
        .await;
    let mut told = Vec::new();
    // The first states may hold the credential already.
    while told
        .iter()
        .all(|states: &TokenStates| states.tokens.is_empty())
    {
        if let Kind::TokenStates(states) = attached.next_of_all().await.unwrap() {
            told.push(states);
        }
    }
    assert!(told[0].is_first && told[1..].iter().all(|states| !states.is_first));
    let one = &told.last().unwrap().tokens[0];
    assert_eq!(
        (one.credential_id.as_str(), one.version),
        (id(20).as_str(), 3)
    );
    assert_eq!(one.status(), TokenStatus::Obtaining);
    running.tasks.shutdown().await;
}

#[tokio::test]
async fn a_region_that_starts_again_knows_why_it_cannot_use_something() {
    for store in test_stores().await {
        let region = Region::with(store).await;
        let mut changes = all(&region);
        changes.push(region.caller(&id(11), 3, "a\r\nX-Evil: 1"));
        changes.push(proxy(&id(2), &[&id(10), &id(11)], &id(30), &id(20)));
        region.ingest.apply_full(5, changes).await.unwrap();
        let (store, keys) = (region.store.store.clone(), Arc::clone(&region.keys));
        let again = Ingest::new(store, REGION.to_owned(), keys);
        again.load().await.unwrap();
        let told = again.unusable().borrow().clone();
        let problem = "secret holds a value or name that is refused";
        assert_eq!(
            told.values()
                .map(|one| one.detail.clone())
                .collect::<Vec<_>>(),
            [format!("credential {}: {problem}", id(11))]
        );
    }
}

#[tokio::test]
async fn a_delta_that_goes_backwards_ends_the_session_and_changes_nothing() {
    let authority = Authority::new();
    let mut control = Control::start(&authority, REGION).await;
    let running = Running::with(&control, &authority).await;
    let mut attached = control.attached().await;
    attached.full(7, all(&running.region)).await;
    attached.stored(7).await;
    attached
        .delta(6, vec![removed(RecordKind::Proxy, &id(1))])
        .await;
    while attached.next().await.is_some() {}
    let attached = control.attached().await;
    assert_eq!(attached.hello.stored_revision, 7);
    assert_eq!(running.proxies().await, [id(1)]);
    running.tasks.shutdown().await;
}

#[tokio::test]
async fn a_token_that_is_refused_or_of_another_region_gives_no_identity() {
    let authority = Authority::new();
    for (token, region) in [("wrong", REGION), (TOKEN, "us-1")] {
        let control = Control::start(&authority, region).await;
        let own = Region::with(fresh_sqlite().await).await;
        let running = Running::start(own, &authority, &url(&control), token).await;
        while *control.enrolments.lock().unwrap() < 2 {
            tokio::task::yield_now().await;
        }
        assert!(Identity::load(&running.pki).unwrap().is_none(), "{token}");
        running.tasks.shutdown().await;
    }
}

#[tokio::test]
async fn a_control_plane_of_another_authority_gets_nothing() {
    let (own, other) = (Authority::new(), Authority::new());
    let mut control = Control::start(&own, REGION).await;
    let running = Running::with(&control, &own).await;
    drop(control.attached().await);
    let address = control.address;
    control.stop().await;
    let listener = TcpListener::bind(address).await.unwrap();
    let mut impostor = Control::start_on(listener, &other, REGION);
    // A third connection begins only when the first two came to nothing.
    while impostor.connections.load(Ordering::SeqCst) < 3 {
        tokio::task::yield_now().await;
    }
    assert!(impostor.attached_yet().is_none());
    running.tasks.shutdown().await;
}

/// Everything that is logged while it lives, at the finest level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn l1_no_log_line_holds_a_secret() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // With one subscriber alone, tracing asks whichever thread comes first what to log at all.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    // One thread runs everything of this test, so this is the log of all of it.
    let guard = tracing::subscriber::set_default(subscriber);
    let authority = Authority::new();
    let mut control = Control::start(&authority, REGION).await;
    let running = Running::with(&control, &authority).await;
    let mut attached = control.attached().await;
    let mut changes = all(&running.region);
    changes.push(running.region.bearer(&id(21), 1, &format!("{CANARY}\r\n")));
    attached.full(7, changes).await;
    attached.stored(7).await;
    attached.delta(6, Vec::new()).await;
    while attached.next().await.is_some() {}
    running.tasks.shutdown().await;
    drop(guard);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        text.contains("credential cannot be used") && text.contains(&id(21)),
        "{text}"
    );
    assert!(text.contains("goes on without it"), "{text}");
    for secret in [CANARY, TOKEN, "PRIVATE KEY"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn queries_are_answered_beside_batches() {
    let authority = Authority::new();
    let mut control = Control::start(&authority, REGION).await;
    let running = Running::with(&control, &authority).await;
    let mut attached = control.attached().await;
    attached.full(7, all(&running.region)).await;
    let usage = |meter_id: &str| {
        Some(query::Kind::MeterUsage(MeterUsageQuery {
            meter_id: meter_id.to_owned(),
        }))
    };
    for (query_id, kind) in [(1, usage(&id(50))), (2, usage("no id")), (3, None)] {
        attached.query(Query { query_id, kind }).await;
    }
    attached
        .delta(8, vec![removed(RecordKind::Proxy, &id(1))])
        .await;
    let (mut answers, mut stored) = (Vec::new(), 0);
    while answers.len() < 3 || stored < 8 {
        match attached.next().await.unwrap() {
            Kind::Answer(answer) => answers.push(answer),
            Kind::Stored(Stored { revision }) => stored = revision,
            Kind::FleetStatus(_)
            | Kind::Unusable(_)
            | Kind::TokenStates(_)
            | Kind::CredentialUses(_)
            | Kind::SlotFailures(_)
            | Kind::Notices(_)
            | Kind::TargetChecks(_) => {}
            kind @ Kind::Hello(_) => panic!("{kind:?}"),
        }
    }
    answers.sort_by_key(|answer| answer.query_id);
    let want = running.meters.usage(&id(50)).await.unwrap();
    assert_eq!(want.windows.len(), 4);
    let kinds = answers.into_iter().map(|answer| answer.kind);
    let want = [Some(answer::Kind::MeterUsage(want)), None, None];
    assert!(kinds.eq(want));
    running.tasks.shutdown().await;
}

#[tokio::test]
async fn more_queries_than_are_looked_into_at_a_time_are_all_answered() {
    let authority = Authority::new();
    let mut control = Control::start(&authority, REGION).await;
    let running = Running::with(&control, &authority).await;
    let mut attached = control.attached().await;
    for query_id in 0..500 {
        let kind = Some(query::Kind::MeterUsage(MeterUsageQuery {
            meter_id: id(50),
        }));
        attached.query(Query { query_id, kind }).await;
    }
    let mut answered = std::collections::BTreeSet::new();
    while answered.len() < 500 {
        if let Kind::Answer(answer) = attached.next().await.unwrap() {
            assert!(answered.insert(answer.query_id));
        }
    }
    running.tasks.shutdown().await;
}
