//! Entity tags.

use serde_json::{Value, json};

use crate::world::{REGION, World, id_of};

#[tokio::test]
async fn a_stale_tag_changes_nothing() {
    for world in World::each().await {
        let proxy = id_of(&world.proxy().await, "proxyId");
        let credential = world.credential(REGION, "proxy").await;
        let target = world.target(REGION).await;
        for (path, name) in [
            (format!("proxies/{proxy}"), "proxyName"),
            (format!("credentials/{credential}"), "credentialName"),
            (format!("targets/{target}"), "targetName"),
        ] {
            let path = world.at(&path);
            let patch = |text: &str| json!({name: text});
            let first = world.call("GET", &path).send().await;
            let tag = first.header("etag").to_owned();
            assert!(tag.starts_with('"'), "strong: {tag}");
            let call = world.call("PATCH", &path).header("If-Match", &tag);
            let second = call.json(&patch("second")).send().await;
            assert_eq!(second.status, 200);
            assert_ne!(second.header("etag"), tag);
            assert_eq!(
                world.call("GET", &path).send().await.header("etag"),
                second.header("etag")
            );
            for method in ["PUT", "PATCH", "DELETE"] {
                let call = world.call(method, &path).header("If-Match", &tag);
                call.json(&patch("third"))
                    .send()
                    .await
                    .expect(412, "PRECONDITION_FAILED");
            }
            let call = world.call("PATCH", &path).header("If-Match", "unquoted");
            call.json(&json!({}))
                .send()
                .await
                .expect(400, "VALIDATION_FAILED");
            assert_eq!(world.call("GET", &path).send().await.body[name], "second");
            let any = world.call("DELETE", &path).header("If-Match", "\"r0\", *");
            any.send().await.expect(400, "VALIDATION_FAILED");
            let any = world
                .call("DELETE", &path)
                .header("If-Match", "*")
                .send()
                .await;
            assert_eq!(any.status, 204);
            let gone = world
                .call("PATCH", &path)
                .header("If-Match", "*")
                .json(&json!({}));
            gone.send().await.expect(404, "NOT_FOUND");
        }
    }
}

#[tokio::test]
async fn what_the_caller_has_is_not_sent_again() {
    for world in World::each().await {
        let path = world.at(&format!("targets/{}", world.target(REGION).await));
        let tag = world
            .call("GET", &path)
            .send()
            .await
            .header("etag")
            .to_owned();
        for (line, status) in [
            (tag.as_str(), 304),
            ("*", 304),
            ("\"r0\"", 200),
            ("W/\"r0\"", 200),
        ] {
            let answer = world
                .call("GET", &path)
                .header("If-None-Match", line)
                .send()
                .await;
            assert_eq!(answer.status, status, "{line}");
            assert_eq!(answer.header("etag"), tag);
            assert_eq!(answer.text.is_empty(), status == 304);
        }
        assert_eq!(
            world
                .call("GET", &world.at("targets"))
                .send()
                .await
                .header("etag"),
            ""
        );
    }
}

#[tokio::test]
async fn a_new_secret_alters_the_tag() {
    for world in World::each().await {
        let path = world.at(&format!(
            "credentials/{}",
            world.credential(REGION, "proxy").await
        ));
        let tag = world
            .call("GET", &path)
            .send()
            .await
            .header("etag")
            .to_owned();
        let secret = json!({"credentialSecret": {"token": "other-other"}});
        let rotated = world.call("PATCH", &path).json(&secret).send().await;
        assert_ne!(rotated.header("etag"), tag);
    }
}

#[tokio::test]
async fn of_many_writers_with_one_tag_one_wins() {
    for world in World::each().await {
        let path = world.at(&format!("targets/{}", world.target(REGION).await));
        let tag = world
            .call("GET", &path)
            .send()
            .await
            .header("etag")
            .to_owned();
        let writers = (0..8).map(|writer| {
            let call = world.call("PATCH", &path).header("If-Match", &tag);
            call.json(&json!({"targetName": format!("writer {writer}")}))
                .send()
        });
        let answers = futures::future::join_all(writers).await;
        let won: Vec<_> = answers
            .iter()
            .filter(|answer| answer.status == 200)
            .collect();
        assert_eq!(won.len(), 1);
        assert_eq!(
            answers.iter().filter(|answer| answer.status == 412).count(),
            7
        );
        let name: &Value = &won[0].body["targetName"];
        assert_eq!(
            &world.call("GET", &path).send().await.body["targetName"],
            name
        );
    }
}

#[tokio::test]
async fn versions_count_every_change_and_only_changes() {
    for world in World::each().await {
        let path = world.at("targets");
        let body = json!({
            "targetName": "T", "targetBaseURL": "https://t.example.com", "targetRegion": REGION,
        });
        for want in ["1", "2", "3"] {
            let created = world.call("POST", &path).json(&body).send().await;
            assert_eq!(created.header("requestrocket-config-version"), want);
            let refused = world.call("POST", &path).json(&json!({})).send().await;
            assert_eq!(refused.header("requestrocket-config-version"), "");
        }
    }
}
