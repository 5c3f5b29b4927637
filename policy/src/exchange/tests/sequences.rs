//! Every sequence of up to five events, against a model of the phases.

use super::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// A head with the right credential.
    Right,
    /// A head with a wrong one.
    Wrong,
    /// A response that passes.
    Small,
    /// A response that is too large.
    Large,
    /// Envoy's own refusal.
    Local,
}

const EVENTS: [Event; 5] = [
    Event::Right,
    Event::Wrong,
    Event::Small,
    Event::Large,
    Event::Local,
];

/// What the caller may have got so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Nothing,
    Asked,
    Answered,
    Refused(Denial),
}

/// The state after an event, and the refusal that the event itself gets.
fn model(state: State, event: Event) -> (State, Option<Denial>) {
    let refuse = |denial| (State::Refused(denial), Some(denial));
    match (state, event) {
        (State::Nothing, Event::Right) => (State::Asked, None),
        (State::Nothing, Event::Wrong) => refuse(Denial::CredentialInvalid),
        (State::Nothing, Event::Local) => (State::Refused(Denial::BadRequest), None),
        (State::Asked, Event::Small | Event::Local) => (State::Answered, None),
        (State::Asked, Event::Large) => refuse(Denial::ResponseTooLarge),
        // Our refusal goes out: it passes, and asking again changes nothing.
        (State::Refused(denial), Event::Right | Event::Wrong) => (state, Some(denial)),
        (State::Refused(_), Event::Small | Event::Large | Event::Local) => (state, None),
        (
            State::Nothing | State::Asked | State::Answered,
            Event::Right | Event::Wrong | Event::Small | Event::Large | Event::Local,
        ) => refuse(Denial::GatewayFault),
    }
}

fn feed(exchange: &mut Exchange, event: Event) -> Option<Denial> {
    let path = api("/");
    let head = |credential| lines("GET", &path, &[("authorization", credential)]);
    let response = |lines: &[(&str, &str)]| FakeResponse::new(lines);
    match event {
        Event::Right | Event::Wrong => {
            let credential = if event == Event::Right {
                "key"
            } else {
                "wrong"
            };
            let lines = head(credential);
            let head = RequestHead::new(&lines);
            refusal(exchange.on_request(&head, RequestBody::Whole(&[]), &Admitting(0)))
        }
        Event::Small => exchange.on_head(&response(&[(":status", "200")])),
        Event::Large => exchange.on_head(&response(&[
            (":status", "200"),
            ("content-length", "99999999"),
        ])),
        Event::Local => exchange.on_head(&response(&[
            (":status", "400"),
            ("requestrocket-proxy-code", "proxy-access-denied"),
        ])),
    }
}

fn sequences(length: usize) -> Vec<Vec<Event>> {
    (0..length).fold(vec![Vec::new()], |shorter, _| {
        let longer = shorter.iter().flat_map(|sequence| {
            EVENTS.map(|event| sequence.iter().copied().chain([event]).collect::<Vec<_>>())
        });
        let longer: Vec<_> = longer.collect();
        shorter.into_iter().chain(longer).collect()
    })
}

#[test]
fn every_sequence_of_events_follows_the_model() {
    let resolved = resolved(&fixture());
    for sequence in sequences(4) {
        let mut exchange = Exchange::new(resolved.clone());
        let mut state = State::Nothing;
        let mut was_granted = false;
        for &event in &sequence {
            let (next, want) = model(state, event);
            assert_eq!(
                feed(&mut exchange, event),
                want,
                "{event:?} of {sequence:?} in {state:?}"
            );
            was_granted |= next == State::Asked;
            state = next;
        }
        let record = exchange.finish(&Admitting(0));
        let want = match state {
            State::Nothing | State::Asked | State::Answered => None,
            State::Refused(denial) => Some(denial),
        };
        assert_eq!(record.denial, want, "{sequence:?}");
        assert_eq!(record.credential.is_some(), was_granted, "{sequence:?}");
    }
}
