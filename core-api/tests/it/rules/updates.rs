//! What a body may not set.

use serde_json::{Value, json};

use crate::world::{REGION, World, id_of};

async fn resources(world: &World) -> Vec<(&'static str, String, Value, Value)> {
    let sent = world.proxy_body(REGION).await;
    let proxy = world.create("proxies", &sent).await;
    let target = world.call(
        "GET",
        &world.at(&format!("targets/{}", id_of(&proxy, "proxyTargetId"))),
    );
    let credential = id_of(&proxy, "proxyTargetCredentialId");
    let credential = world.call("GET", &world.at(&format!("credentials/{credential}")));
    let (target, credential) = (target.send().await.body, credential.send().await.body);
    let target_input = json!({
        "targetName": "T", "targetBaseURL": "https://t.example.com", "targetRegion": REGION,
    });
    let credential_input = json!({
        "credentialName": "C", "credentialType": "target", "credentialRegion": REGION,
        "credentialAuthType": "none",
    });
    vec![
        ("proxies", id_of(&proxy, "proxyId"), proxy, sent),
        ("targets", id_of(&target, "targetId"), target, target_input),
        (
            "credentials",
            id_of(&credential, "credentialId"),
            credential,
            credential_input,
        ),
    ]
}

const EVERYWHERE: [&str; 9] = [
    "clientId",
    "createdAt",
    "updatedAt",
    "createdBy",
    "role",
    "roles",
    "billing",
    "isActive",
    "id",
];

#[tokio::test]
async fn creation_takes_no_member_that_the_server_sets() {
    for world in World::each().await {
        for (kind, _, document, input) in resources(&world).await {
            let own = document.as_object().unwrap().keys().map(String::as_str);
            let own = own.filter(|name| {
                ["Id", "URL", "Status", "Version"]
                    .iter()
                    .any(|end| name.ends_with(end))
                    && input.get(name).is_none()
                    && *name != "proxyProxyCredentialId"
            });
            for name in EVERYWHERE.into_iter().chain(own) {
                let mut body = input.clone();
                body[name] = json!("x");
                let answer = world.call("POST", &world.at(kind)).json(&body).send().await;
                assert_eq!(
                    answer.expect(400, "UNKNOWN_FIELD").fields(),
                    [name],
                    "{kind}"
                );
            }
        }
    }
}

#[tokio::test]
async fn fixed_members_may_be_repeated_but_not_changed() {
    for world in World::each().await {
        for (kind, id, document, _) in resources(&world).await {
            let path = world.at(&format!("{kind}/{id}"));
            let prefix = kind.strip_suffix('s').unwrap().replace("proxie", "proxy");
            let own = [
                "Id",
                "Region",
                "BaseURL",
                "AsyncBaseURL",
                "Type",
                "Version",
                "Status",
            ]
            .map(|end| format!("{prefix}{end}"));
            let own = own
                .iter()
                .map(String::as_str)
                .filter(|name| document.get(name).is_some() && *name != "targetBaseURL");
            let names = ["clientId", "createdAt", "updatedAt", "createdBy"]
                .into_iter()
                .chain(own);
            for name in names.collect::<Vec<_>>() {
                for other in [json!("other"), json!(7), Value::Null] {
                    let mut whole = document.clone();
                    whole[name] = other.clone();
                    for (method, body) in [("PUT", &whole), ("PATCH", &json!({name: other}))] {
                        let answer = world.call(method, &path).json(body).send().await;
                        let fields = answer.expect(400, "FIELD_IMMUTABLE").fields();
                        assert_eq!(fields, [name], "{method} {kind}");
                    }
                }
                let same = json!({name: document[name]});
                assert_eq!(
                    world.call("PATCH", &path).json(&same).send().await.status,
                    200
                );
                // The moment of change is one of the members.
                assert_eq!(document["updatedAt"], "2026-01-01T00:00:00.000Z");
            }
        }
    }
}

#[tokio::test]
async fn unknown_members_are_named_also_when_null_and_nested() {
    for world in World::each().await {
        for (kind, id, document, _) in resources(&world).await {
            let path = world.at(&format!("{kind}/{id}"));
            for (patch, field) in [
                (json!({"bogus": 1}), "bogus"),
                (json!({"bogus": null}), "bogus"),
                (json!({"": 1}), ""),
                (json!({"__proto__": {"a": 1}}), "__proto__"),
            ] {
                let answer = world.call("PATCH", &path).json(&patch).send().await;
                assert_eq!(
                    answer.expect(400, "UNKNOWN_FIELD").fields(),
                    [field],
                    "{kind}"
                );
                let mut whole = document.clone();
                whole
                    .as_object_mut()
                    .unwrap()
                    .extend(patch.as_object().unwrap().clone());
                let answer = world.call("PUT", &path).json(&whole).send().await;
                assert_eq!(
                    answer.expect(400, "UNKNOWN_FIELD").fields(),
                    [field],
                    "{kind}"
                );
            }
        }
    }
}

#[tokio::test]
async fn null_resets_what_is_optional_and_is_refused_for_what_is_required() {
    for world in World::each().await {
        for (kind, id, document, _) in resources(&world).await {
            let path = world.at(&format!("{kind}/{id}"));
            for name in document.as_object().unwrap().keys() {
                let required = [
                    "Name",
                    "targetBaseURL",
                    "proxyTargetId",
                    "proxyTargetCredentialId",
                ];
                let is_required = required.iter().any(|end| name.ends_with(end));
                let optional = ["Active", "Effect", "TestPath", "Seconds", "Bytes", "Alias"];
                let is_optional = optional.iter().any(|end| name.ends_with(end));
                let answer = world
                    .call("PATCH", &path)
                    .json(&json!({name: null}))
                    .send()
                    .await;
                if is_required && !name.contains("AsyncBaseURL") {
                    assert_eq!(answer.expect(400, "VALIDATION_FAILED").fields(), [name]);
                } else if is_optional {
                    assert_eq!(answer.status, 200, "{name}: {}", answer.text);
                    assert_eq!(
                        answer.body[name], document[name],
                        "{name} was at its default"
                    );
                }
            }
        }
    }
}
