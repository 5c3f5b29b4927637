//! What a body may be, on every route that takes one.

use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn content_types_sizes_and_depth() {
    let good =
        r#"{"targetName":"T","targetBaseURL":"https://t.example.com","targetRegion":"local-1"}"#;
    let deep = format!(
        "{}{}",
        r#"{"a":"#.repeat(80),
        "1".to_owned() + &"}".repeat(80)
    );
    let large = format!(r#"{{"targetName":"{}"}}"#, "x".repeat(1024 * 1024));
    for world in World::each().await {
        for (content_type, body, status, code) in [
            ("application/json", good, 201, ""),
            ("application/json; charset=utf-8", good, 201, ""),
            ("text/plain", good, 415, "UNSUPPORTED_MEDIA_TYPE"),
            (
                "application/x-www-form-urlencoded",
                good,
                415,
                "UNSUPPORTED_MEDIA_TYPE",
            ),
            (
                "application/merge-patch+json",
                good,
                415,
                "UNSUPPORTED_MEDIA_TYPE",
            ),
            (
                "application/json; charset=utf-16",
                good,
                415,
                "UNSUPPORTED_MEDIA_TYPE",
            ),
            ("application/json", "", 400, "INVALID_JSON"),
            ("application/json", "{", 400, "INVALID_JSON"),
            ("application/json", "[]", 400, "INVALID_JSON"),
            ("application/json", "null", 400, "INVALID_JSON"),
            ("application/json", "{} {}", 400, "INVALID_JSON"),
            ("application/json", r#"{"a":1,"a":2}"#, 400, "INVALID_JSON"),
            ("application/json", deep.as_str(), 400, "INVALID_JSON"),
            ("application/json", large.as_str(), 413, "BODY_TOO_LARGE"),
        ] {
            let call = world.call("POST", &world.at("targets"));
            let answer = call.bytes(content_type, body.to_owned()).send().await;
            assert_eq!(
                (answer.status, answer.code()),
                (status, code),
                "{content_type}"
            );
        }
        let path = world.at("targets");
        let bare = world.call("POST", &path).send().await;
        bare.expect(415, "UNSUPPORTED_MEDIA_TYPE");
        let packed = world.call("POST", &path).header("Content-Encoding", "gzip");
        packed
            .bytes("application/json", good)
            .send()
            .await
            .expect(415, "UNSUPPORTED_MEDIA_TYPE");
        let latin = world
            .call("POST", &path)
            .bytes("application/json", &b"{\"a\":\"\xff\"}"[..]);
        latin.send().await.expect(400, "INVALID_JSON");
        let declared = world
            .call("POST", &path)
            .header("Content-Length", "1048577");
        declared
            .bytes("application/json", good)
            .send()
            .await
            .expect(413, "BODY_TOO_LARGE");
    }
}

#[tokio::test]
async fn patch_takes_both_spellings_of_json() {
    for world in World::each().await {
        let path = world.at(&format!("targets/{}", world.target("local-1").await));
        for (content_type, status) in [
            ("application/merge-patch+json", 200),
            ("application/json", 200),
            ("application/json-patch+json", 415),
        ] {
            let body = json!({"targetName": "N"}).to_string();
            let answer = world
                .call("PATCH", &path)
                .bytes(content_type, body)
                .send()
                .await;
            assert_eq!(answer.status, status, "{content_type}");
        }
    }
}

#[tokio::test]
async fn names_are_data() {
    for world in World::each().await {
        for name in [
            "'; DROP TABLE target; --",
            "\" OR 1=1",
            "%_\\",
            "{{7*7}}",
            "<script>alert(1)</script>",
            "名前 — ñandú 🚀",
            "null",
            "\u{202e}txt",
            &"𝒳".repeat(200),
        ] {
            let body = json!({
                "targetName": name, "targetBaseURL": "https://t.example.com", "targetRegion": "local-1",
            });
            assert_eq!(world.create("targets", &body).await["targetName"], name);
        }
        for name in ["", "a\u{0}b", "a\nb", &"x".repeat(201)] {
            let body = json!({
                "targetName": name, "targetBaseURL": "https://t.example.com", "targetRegion": "local-1",
            });
            let answer = world
                .call("POST", &world.at("targets"))
                .json(&body)
                .send()
                .await;
            assert_eq!(
                answer.expect(400, "VALIDATION_FAILED").fields(),
                ["targetName"],
                "{name:?}"
            );
        }
    }
}

#[tokio::test]
async fn paths_and_methods_that_do_not_exist() {
    for world in World::each().await {
        for path in [
            "/",
            "/nope",
            "/api",
            "/api/nope",
            "/api/api/regions",
            "/clients/%ff/targets",
            "/clients/x/targets/",
        ] {
            world
                .call("GET", path)
                .send()
                .await
                .expect(404, "NOT_FOUND");
        }
        for (method, path) in [
            ("DELETE", "targets"),
            ("PUT", "proxies"),
            ("POST", "credentials/x"),
        ] {
            let answer = world
                .call(method, &world.at(path))
                .json(&json!({}))
                .send()
                .await;
            answer.expect(405, "METHOD_NOT_ALLOWED");
            assert!(
                answer.header("allow").contains("GET"),
                "{}",
                answer.header("allow")
            );
        }
        world
            .call("TRACE", "/openapi.json")
            .send()
            .await
            .expect(405, "METHOD_NOT_ALLOWED");
    }
}

#[tokio::test]
async fn the_api_prefix_is_the_same_api() {
    for world in World::each().await {
        let path = format!("/api{}", world.at("targets"));
        let body = json!({
            "targetName": "T", "targetBaseURL": "https://t.example.com", "targetRegion": "local-1",
        });
        let created = world.call("POST", &path).json(&body).send().await;
        assert_eq!(created.status, 201);
        let location = created.header("location");
        assert!(location.starts_with(&path), "{location}");
        assert_eq!(world.call("GET", location).send().await.body, created.body);
        let plain = location.strip_prefix("/api").unwrap();
        assert_eq!(world.call("GET", plain).send().await.body, created.body);
        for probe in [
            "/healthz",
            "/readyz",
            "/api/healthz",
            "/docs",
            "/api/openapi.json",
        ] {
            let call = world.call("GET", probe).by(crate::world::Who::Anonymous);
            assert_eq!(call.send().await.status, 200, "{probe}");
        }
    }
}
