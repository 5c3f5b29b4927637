use requestrocket_core_api::region::fleet::OpenQuestion;
use requestrocket_proto::policy::v1::{
    Conditions, Effect, Layer, Meter, NodeCondition, Operation, Redaction, Rule,
};
use requestrocket_proto::record::v1::{MeterDelta, Record, Removed};
use requestrocket_proto::region::v1::{CallerTerms, KeptTerms, Terms, TermsQuery, answer, query};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::requests::{answering, page, record};
use crate::world::{REGION, Who, World, id_of};

fn id(n: u128) -> String {
    Uuid::from_u128(n).to_string()
}

fn layer(rules: Vec<Rule>) -> Layer {
    Layer {
        default_effect: Effect::Allow.into(),
        rules,
        redactions: Vec::new(),
    }
}

/// Denies by method, above a rule that looks into bodies.
fn terms() -> KeptTerms {
    let deny = Rule {
        rule_id: id(2),
        effect: Effect::Deny.into(),
        priority: 900,
        conditions: Some(Conditions {
            methods: vec!["DELETE".to_owned()],
            ..Conditions::default()
        }),
    };
    let looking = Rule {
        rule_id: id(3),
        effect: Effect::Deny.into(),
        priority: 100,
        conditions: Some(Conditions {
            body: vec![NodeCondition {
                path: "$.a".to_owned(),
                ..NodeCondition::default()
            }],
            ..Conditions::default()
        }),
    };
    let redaction = Redaction {
        filter_id: id(4),
        operation: Operation::Destroy.into(),
        paths: vec!["$.a".to_owned()],
        conditions: None,
    };
    let meter = |n| Meter {
        meter_id: id(n),
        ..Meter::default()
    };
    KeptTerms {
        proxy: Some(layer(vec![deny, looking])),
        target: Some(Layer {
            redactions: vec![redaction],
            ..layer(Vec::new())
        }),
        target_credential: None,
        callers: vec![CallerTerms {
            credential_id: id(9),
            layer: Some(layer(Vec::new())),
        }],
        meters: vec![meter(5), meter(6)],
    }
}

async fn telling(
    questions: &mut mpsc::Receiver<OpenQuestion>,
    (record, kept): (Record, Option<KeptTerms>),
) -> TermsQuery {
    answering(questions, page(vec![record], false)).await;
    let OpenQuestion { question, answer } = questions.recv().await.unwrap();
    let told = answer::Kind::Terms(Terms { kept });
    answer.send(Some(told)).unwrap();
    match question {
        query::Kind::Terms(query) => query,
        other => panic!("another question: {other:?}"),
    }
}

async fn explained(
    world: &World,
    proxy: &str,
    told: (Record, Option<KeptTerms>),
) -> (Value, TermsQuery) {
    let mut questions = world.state.fleets.take_questions(REGION);
    let path = world.at(&format!("proxies/{proxy}/requests/{}/explain", id(9)));
    let (answer, asked) = tokio::join!(
        world.call("GET", &path).send(),
        telling(&mut questions, told)
    );
    assert_eq!(answer.status, 200, "{}", answer.text);
    (answer.body, asked)
}

#[tokio::test]
async fn a_call_that_passed_is_explained_by_the_terms_of_its_time() {
    for world in World::each().await {
        let proxy = id_of(&world.proxy().await, "proxyId");
        let passed = Record {
            credential_id: id(9),
            auth_type: "apiKey".to_owned(),
            config_version: "v1".to_owned(),
            status: 200,
            sent_at_ms: Some(10),
            request_bytes: 5,
            code: String::new(),
            denial: None,
            filters: vec![Removed {
                stage: "target".to_owned(),
                nodes: 2,
            }],
            meters: vec![MeterDelta {
                meter_id: Uuid::from_u128(5).as_bytes().to_vec().into(),
                micros: 1_000_000,
            }],
            ..record(&world, &proxy, 9)
        };
        let (told, asked) = explained(&world, &proxy, (passed, Some(terms()))).await;
        let want = TermsQuery {
            organisation_id: world.home.clone(),
            proxy_id: proxy.clone(),
            config_version: "v1".to_owned(),
            credential_id: id(9),
        };
        assert_eq!(asked, want);
        assert_eq!(told["effect"], "allow");
        assert_eq!(told["configurationKnown"], true);
        let layers: Vec<_> = told["layers"].as_array().unwrap().iter().collect();
        let names: Vec<_> = layers.iter().map(|layer| &layer["layer"]).collect();
        assert_eq!(names, ["proxyCredential", "target", "proxy"]);
        // It passed, so what looks into the body did not match.
        assert_eq!(layers[2]["decidedBy"], "default");
        let rules = &layers[2]["rules"];
        assert_eq!(rules[0]["matched"], false);
        assert_eq!(rules[0]["failed"][0]["condition"], "methods");
        assert_eq!(rules[1]["matched"], false);
        let filter = json!({"stage": "target", "filterId": id(4), "operation": "destroy",
            "applied": true});
        assert_eq!(told["filters"], json!([filter]));
        assert_eq!(told["removed"], json!([{"stage": "target", "removed": 2}]));
        let meters = json!([{"meterId": id(5), "matched": true, "delta": 1},
            {"meterId": id(6), "matched": true, "delta": null}]);
        assert_eq!(told["meters"], meters);
        assert_eq!(told["unknown"], json!([]));
    }
}

#[tokio::test]
async fn what_denied_a_call_is_named_and_what_is_not_known_is_said() {
    for world in World::each().await {
        let proxy = id_of(&world.proxy().await, "proxyId");
        let mut denied = record(&world, &proxy, 9);
        denied.credential_id = id(9);
        denied.request_bytes = 5;
        "POST".clone_into(&mut denied.method);
        if let Some(denial) = &mut denied.denial {
            denial.rule_id = id(3);
        }
        let (told, _) = explained(&world, &proxy, (denied.clone(), Some(terms()))).await;
        assert_eq!(
            (&told["effect"], &told["code"]),
            (&json!("deny"), &json!("RULE_DENIED"))
        );
        let layer = &told["layers"][2];
        assert_eq!(layer["decidedBy"], id(3));
        assert_eq!(layer["rules"][1]["matched"], true);
        assert_eq!(told["filters"], json!([]), "it was not let through");
        assert_eq!(told["meters"][0]["delta"], 0);
        // Which rule it was is the record's to say.
        let open = Record {
            denial: None,
            code: "GATEWAY_FAULT".to_owned(),
            ..denied.clone()
        };
        let (told, _) = explained(&world, &proxy, (open, Some(terms()))).await;
        assert_eq!(told["effect"], Value::Null);
        assert_eq!(told["unknown"], json!([format!("rule {}: body[0]", id(3))]));
        let (told, _) = explained(&world, &proxy, (denied, None)).await;
        assert_eq!(told["configurationKnown"], false);
        assert_eq!(
            (&told["effect"], &told["layers"]),
            (&json!("deny"), &json!([]))
        );
    }
}

#[tokio::test]
async fn who_may_have_a_call_explained() {
    for world in World::each().await {
        let proxy = id_of(&world.proxy().await, "proxyId");
        let path = world.at(&format!("proxies/{proxy}/requests/{}/explain", id(9)));
        for (who, want) in [
            (Who::Anonymous, 401),
            (Who::Stranger, 404),
            (Who::User, 503),
        ] {
            let told = world.call("GET", &path).by(who).send().await;
            assert_eq!(told.status, want, "{who:?}");
        }
    }
}
