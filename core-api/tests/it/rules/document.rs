//! The API's description says what the API does.

use serde_json::{Value, json};

use crate::world::{Who, World};

#[tokio::test]
async fn the_document_is_as_agreed() {
    let world = World::each().await.remove(0);
    let document = world
        .call("GET", "/openapi.json")
        .by(Who::Anonymous)
        .send()
        .await;
    assert_eq!(document.header("content-type"), "application/json");
    assert_eq!(document.body["openapi"], "3.1.0");
    insta::assert_json_snapshot!("openapi", document.body);
}

/// `/app` is the dashboard's, whether it is built in or not.
#[tokio::test]
async fn no_path_of_the_api_is_one_of_the_dashboard() {
    let world = World::each().await.remove(0);
    let document = world.call("GET", "/openapi.json").send().await.body;
    let mut paths = document["paths"].as_object().unwrap().keys();
    assert!(paths.all(|path| path != "/app" && !path.starts_with("/app/")));
    let refused = world.call("GET", "/app/").by(Who::Anonymous).send().await;
    assert_eq!(refused.status, 404, "it needs no Node to be built without");
}

#[tokio::test]
async fn the_reference_shows_every_operation_and_loads_nothing() {
    let world = World::each().await.remove(0);
    let document = world.call("GET", "/openapi.json").send().await.body;
    let page = world.call("GET", "/docs").by(Who::Anonymous).send().await;
    assert!(page.header("content-type").starts_with("text/html"));
    for path in document["paths"].as_object().unwrap().keys() {
        assert!(
            page.text.contains(&format!("<code>{path}</code>")),
            "{path}"
        );
    }
    for outside in ["=\"http", "=\"//", "url(", "<script", "@import"] {
        assert!(!page.text.contains(outside), "{outside}");
    }
}

#[tokio::test]
async fn every_documented_member_is_read_and_every_operation_says_what_it_answers() {
    let world = World::each().await.remove(0);
    let document = world.call("GET", "/openapi.json").send().await.body;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let responses = operation["responses"].as_object().unwrap();
            assert!(
                responses
                    .keys()
                    .any(|status| status.starts_with(['2', '3'])),
                "{method} {path}"
            );
            assert!(
                responses
                    .values()
                    .all(|response| response["description"].is_string())
            );
            assert!(operation["summary"].is_string(), "{method} {path}");
            assert!(operation["operationId"].is_string(), "{method} {path}");
        }
        let body = &item["post"]["requestBody"]["content"]["application/json"]["schema"];
        if let Some(name) = body["$ref"]
            .as_str()
            .and_then(|path| path.rsplit('/').next())
        {
            let schema = &document["components"]["schemas"][name];
            let variants = schema["oneOf"].as_array().cloned();
            for variant in variants.unwrap_or_else(|| vec![schema.clone()]) {
                check_members(&world, path, &variant["properties"]).await;
            }
        }
    }
}

/// No documented member is called unknown, even with a value that it cannot have.
async fn check_members(world: &World, path: &str, members: &Value) {
    let path = path.replace("{clientId}", &world.home);
    if path.contains('{') {
        return;
    }
    for name in members.as_object().unwrap().keys() {
        let answer = world
            .call("POST", &path)
            .json(&json!({name: {"x": 1}}))
            .send()
            .await;
        let details = answer.body["details"].as_array().unwrap();
        let is_unknown = |detail: &Value| {
            detail["field"] == name.as_str() && detail["problem"] == "is not a known field"
        };
        assert!(!details.iter().any(is_unknown), "{path} {name}");
    }
}
