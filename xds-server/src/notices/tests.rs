use std::time::Duration;

use requestrocket_proto::meter::v1::counter::Kind as CounterKind;
use requestrocket_proto::meter::v1::{Counter, Grant, Report, Window};
use time::OffsetDateTime;
use uuid::Uuid;

use super::*;

fn register() -> NoticeRegister {
    NoticeRegister::new(Clock::manual(
        OffsetDateTime::UNIX_EPOCH + Duration::from_hours(24),
    ))
}

/// What is told of since `before`, in words.
fn news(register: &NoticeRegister, before: &mut Option<Notices>) -> Vec<String> {
    let after = register.subscribe().borrow().clone();
    let messages = told(before.as_ref(), &after);
    *before = Some(after);
    let notices = messages.into_iter().flat_map(|message| message.notices);
    let word = |notice: wire::Notice| match notice.kind.unwrap() {
        Kind::MeterNearLimit(it) => format!("near {} {}", it.start_ms, it.used_micros),
        Kind::MeterExceeded(it) => format!("exceeded {} {}", it.start_ms, it.used_micros),
        Kind::SecretEcho(it) => format!("echo {} {}", it.credential_id, it.hour_ms),
        Kind::LostCalls(it) => format!("lost {} {}", it.hour_ms, it.calls),
    };
    notices.map(word).collect()
}

#[test]
fn an_echo_is_raised_for_each_credential_and_hour() {
    let (register, mut known) = (register(), None);
    for (given, at_ms, warnings, want) in [
        ("a", 5, vec![], vec![]),
        ("", 5, vec![ECHO], vec![]),
        ("a", 5, vec!["meter-value-missing", ECHO], vec!["echo a 0"]),
        ("a", HOUR_MS - 1, vec![ECHO], vec![]),
        ("b", 7, vec![ECHO], vec!["echo b 0"]),
        ("a", HOUR_MS, vec![ECHO], vec!["echo a 3600000"]),
    ] {
        let record = Record {
            completed_at_ms: at_ms,
            warnings: warnings.iter().map(|it| (*it).to_owned()).collect(),
            ..Record::default()
        };
        register.call(&record, given);
        assert_eq!(news(&register, &mut known), want, "{given} {at_ms}");
    }
    // A session that begins hears of all of it.
    assert_eq!(news(&register, &mut None).len(), 3);
}

#[test]
fn a_meter_is_raised_at_80_percent_and_at_its_end_once_a_window() {
    let (register, mut known) = (register(), None);
    let report = |start_ms, own, wanted| Report {
        counter: Some(Counter {
            kind: CounterKind::Meter.into(),
            id: Uuid::from_u128(1).as_bytes().to_vec().into(),
        }),
        window: Window::Hour.into(),
        start_ms,
        own_micros: own,
        limit_micros: 100,
        wanted_micros: wanted,
        ..Report::default()
    };
    let grant = |others, nodes| Grant {
        others_micros: others,
        nodes,
        ..Grant::default()
    };
    for (report, grant, want) in [
        (report(0, 40, 0), grant(39, 2), vec![]),
        // It does not judge: nothing is known of the others.
        (report(0, 99, 0), grant(0, 0), vec![]),
        (report(0, 41, 0), grant(39, 2), vec!["near 0 80"]),
        (report(0, 60, 0), grant(39, 2), vec![]),
        // It asks for more, and there is as much.
        (report(0, 60, 1), grant(39, 2), vec![]),
        (report(0, 60, 2), grant(39, 2), vec!["exceeded 0 99"]),
        (report(0, 61, 2), grant(39, 2), vec![]),
        (
            report(9, 100, 0),
            grant(0, 1),
            vec!["near 9 100", "exceeded 9 100"],
        ),
    ] {
        register.level(&report, &grant);
        assert_eq!(news(&register, &mut known), want, "{report:?}");
    }
}

#[test]
fn plans_and_proxies_are_nobodys_news() {
    let register = register();
    for kind in [
        CounterKind::Plan,
        CounterKind::Proxy,
        CounterKind::Unspecified,
    ] {
        let report = Report {
            counter: Some(Counter {
                kind: kind.into(),
                id: Uuid::from_u128(1).as_bytes().to_vec().into(),
            }),
            own_micros: 100,
            limit_micros: 100,
            ..Report::default()
        };
        let nodes = Grant {
            nodes: 1,
            ..Grant::default()
        };
        register.level(&report, &nodes);
        assert!(news(&register, &mut None).is_empty(), "{kind:?}");
    }
}

#[test]
fn missed_calls_are_raised_once_an_hour() {
    let (register, mut known) = (register(), None);
    for (hour_ms, calls, want) in [
        (0, 0, vec![]),
        (0, 3, vec!["lost 0 3"]),
        (0, 4, vec![]),
        (HOUR_MS, 1, vec!["lost 3600000 1"]),
    ] {
        register.lost(hour_ms, calls);
        assert_eq!(news(&register, &mut known), want);
    }
}

#[test]
fn no_more_are_remembered_than_there_is_room_for() {
    let register = register();
    let count = || register.subscribe().borrow().known.len();
    for hour in 0..20_000 {
        register.lost(hour, 1);
    }
    assert_eq!(count(), MOST);
    let messages = told(None, &register.subscribe().borrow());
    assert!(
        messages
            .iter()
            .all(|it| it.notices.len() == NOTICES_A_MESSAGE)
    );
    // Those of an hour ago make room.
    register.clock.advance(Duration::from_hours(1));
    register.lost(20_000, 1);
    assert_eq!(count(), 1);
}
