//! Pages, order, filters and search.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{OTHER_REGION, REGION, World};

async fn targets(world: &World, names: &[&str]) {
    for (index, name) in names.iter().enumerate() {
        let region = if index % 2 == 0 { REGION } else { OTHER_REGION };
        let body = json!({
            "targetName": name, "targetBaseURL": "https://t.example.com", "targetRegion": region,
        });
        world.create("targets", &body).await;
        world.pass(Duration::from_millis(1));
    }
}

async fn names(world: &World, query: &str) -> Vec<String> {
    let answer = world
        .call("GET", &world.at(&format!("targets{query}")))
        .send()
        .await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text);
    let data = answer.body["data"].as_array().unwrap();
    data.iter()
        .map(|item| item["targetName"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn order_filters_and_search() {
    for world in World::each().await {
        targets(&world, &["beta", "Alpha", "gamma 100%", "Ñandú_1", "alpha"]).await;
        for (query, want) in [
            ("", vec!["alpha", "Ñandú_1", "gamma 100%", "Alpha", "beta"]),
            (
                "?order=asc",
                vec!["beta", "Alpha", "gamma 100%", "Ñandú_1", "alpha"],
            ),
            (
                "?sort=name&order=desc",
                vec!["Ñandú_1", "gamma 100%", "beta"],
            ),
            ("?search=ALPHA", vec!["alpha", "Alpha"]),
            ("?search=%C3%91AND", vec!["Ñandú_1"]),
            ("?search=100%25", vec!["gamma 100%"]),
            ("?search=_", vec!["Ñandú_1"]),
            ("?search=%27%20OR%201%3D1", vec![]),
            ("?search=%5C", vec![]),
            ("?region=local-2", vec!["Ñandú_1", "Alpha"]),
            ("?region=local-2&search=alpha", vec!["Alpha"]),
            ("?region=nowhere", vec![]),
            ("?limit=2&page=2", vec!["gamma 100%", "Alpha"]),
        ] {
            let found = names(&world, query).await;
            let found: Vec<_> = found
                .iter()
                .map(String::as_str)
                .take(want.len().max(1))
                .collect();
            assert_eq!(found, want, "{query}");
        }
        // Equal but for case: the tie goes by id.
        assert_eq!(names(&world, "?sort=name&order=asc").await[..2].len(), 2);
    }
}

#[tokio::test]
async fn pages_cover_the_list_once() {
    for world in World::each().await {
        let all: Vec<_> = (0..7).map(|n| format!("t{n}")).collect();
        for name in &all {
            // At the same moment, so that ties must be broken.
            let body = json!({
                "targetName": name, "targetBaseURL": "https://t.example.com", "targetRegion": REGION,
            });
            world.create("targets", &body).await;
        }
        let whole = names(&world, "?limit=100").await;
        let mut paged = Vec::new();
        for page in 1..=3 {
            let query = format!("?limit=3&page={page}");
            paged.extend(names(&world, &query).await);
            let answer = world
                .call("GET", &world.at(&format!("targets{query}")))
                .send()
                .await;
            let want = json!({"page": page, "limit": 3, "total": 7, "pages": 3});
            assert_eq!(answer.body["pagination"], want);
        }
        assert_eq!(paged, whole);
        let mut reversed = names(&world, "?limit=100&order=asc").await;
        reversed.reverse();
        assert_eq!(reversed, whole);
        let past = world
            .call("GET", &world.at("targets?page=9007199254740991"))
            .send()
            .await;
        assert_eq!((past.status, &past.body["data"]), (200, &json!([])));
        let empty = world.call("GET", &world.at("proxies")).send().await;
        let want = json!({"page": 1, "limit": 20, "total": 0, "pages": 0});
        assert_eq!(empty.body["pagination"], want);
    }
}

#[tokio::test]
async fn parameters_that_are_refused_on_every_list() {
    for world in World::each().await {
        for kind in ["targets", "credentials", "proxies"] {
            for query in [
                "page=0",
                "page=-1",
                "page=1e3",
                "page=99999999999999999999",
                "limit=0",
                "limit=101",
                "limit=1000000000",
                "page=1&page=2",
                "sort=targetName",
                "sort=name,createdAt",
                "order=ascending",
                "active=yes",
                "type=all",
                "cursor=1",
                "search=%ff",
                "region=EU",
            ] {
                let path = world.at(&format!("{kind}?{query}"));
                let answer = world.call("GET", &path).send().await;
                let name = query.split('=').next().unwrap();
                let fields = answer.expect(400, "VALIDATION_FAILED").fields();
                let want = if query == "search=%ff" { "query" } else { name };
                assert_eq!(fields, [want], "{kind}?{query}");
            }
        }
    }
}

#[tokio::test]
async fn credentials_and_proxies_have_their_own_filters() {
    for world in World::each().await {
        world.proxy().await;
        let inactive = json!({
            "credentialName": "off", "credentialType": "target", "credentialAuthType": "none",
            "credentialRegion": REGION, "credentialActive": false,
        });
        world.create("credentials", &inactive).await;
        for (path, total) in [
            ("credentials", 3),
            ("credentials?type=proxy", 1),
            ("credentials?type=target", 2),
            ("credentials?type=target&active=false", 1),
            ("credentials?active=true", 2),
            ("credentials?includeTemporary=true", 3),
            ("proxies?active=true&region=local-1", 1),
            ("proxies?active=false", 0),
        ] {
            let answer = world.call("GET", &world.at(path)).send().await;
            let found: &Value = &answer.body["pagination"]["total"];
            assert_eq!(found, &json!(total), "{path}");
        }
    }
}
