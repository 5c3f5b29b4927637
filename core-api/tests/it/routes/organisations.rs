use serde_json::{Value, json};

use crate::world::{REGION, Who, World, id_of};

const LIMITS: [&str; 4] = [
    "requestsPerMinute",
    "requestsPerDay",
    "credentialRequestsPerMinute",
    "apiRequestsPerMinute",
];

impl World {
    fn home_path(&self) -> String {
        format!("/clients/{}", self.home)
    }

    async fn home_now(&self) -> Value {
        self.call("GET", &self.home_path()).send().await.body
    }
}

#[tokio::test]
async fn who_may_do_what_with_an_organisation() {
    use Who::{Admin, Anonymous, Operator, Owner, Stranger, User};
    let all = [Anonymous, Stranger, User, Admin, Owner, Operator];
    for world in World::each().await {
        let (home, configuration) = (world.home_path(), world.at("configuration"));
        let body = |member: &str, who: Who| match member {
            "clientName" => json!({"clientName": format!("{who:?}")}),
            "clientPlan" => json!({"clientPlan": "team"}),
            "clientStatus" => json!({"clientStatus": "suspended"}),
            "both" => json!({"clientName": format!("{who:?}"), "clientPlan": "basic"}),
            _ => json!({}),
        };
        for (method, path, member, want) in [
            ("GET", &home, "", [401, 404, 200, 200, 200, 200]),
            ("PUT", &home, "clientName", [401, 404, 403, 200, 200, 403]),
            ("PATCH", &home, "clientName", [401, 404, 403, 200, 200, 403]),
            ("GET", &configuration, "", [401, 404, 200, 200, 200, 200]),
            ("PUT", &configuration, "", [401, 404, 403, 200, 200, 403]),
            ("PATCH", &home, "clientPlan", [401, 404, 403, 403, 403, 200]),
            (
                "PATCH",
                &home,
                "clientStatus",
                [401, 404, 403, 403, 403, 200],
            ),
            ("PATCH", &home, "both", [401, 404, 403, 403, 403, 403]),
            ("PUT", &home, "both", [401, 404, 403, 403, 403, 403]),
        ] {
            for (who, want) in all.into_iter().zip(want) {
                let mut call = world.call(method, path).by(who);
                if method != "GET" {
                    call = call.json(&body(member, who));
                }
                assert_eq!(
                    call.send().await.status,
                    want,
                    "{method} {path} {member} {who:?}"
                );
            }
        }
        for (who, want) in [
            (Anonymous, 401),
            (Stranger, 404),
            (User, 403),
            (Admin, 403),
            (Operator, 403),
            (Owner, 204),
        ] {
            assert_eq!(
                world.call("DELETE", &home).by(who).send().await.status,
                want,
                "{who:?}"
            );
        }
    }
}

#[tokio::test]
async fn an_answer_has_the_documented_form() {
    for world in World::each().await {
        let body = world.home_now().await;
        let mut names: Vec<_> = body
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        names.sort_unstable();
        let want = [
            "clientId",
            "clientName",
            "clientPlan",
            "clientStatus",
            "configuration",
            "createdAt",
            "createdBy",
            "labels",
            "updatedAt",
        ];
        assert_eq!(names, want);
        let empty = json!({"limits": LIMITS.map(|name| (name.to_owned(), Value::Null)).into_iter()
            .collect::<serde_json::Map<_, _>>(), "regions": []});
        assert_eq!(body["configuration"], empty);
        let configuration = world.call("GET", &world.at("configuration")).send().await;
        assert_eq!(configuration.body, empty);
    }
}

#[tokio::test]
async fn who_adds_an_organisation_owns_it() {
    for world in World::each().await {
        let body = json!({"clientName": "Second", "configuration": {"regions": [REGION]}});
        let made = world
            .call("POST", "/clients")
            .by(Who::User)
            .json(&body)
            .send()
            .await;
        assert_eq!(made.status, 201, "{}", made.text);
        let id = id_of(&made.body, "clientId");
        assert_eq!(made.header("location"), format!("/clients/{id}"));
        assert_eq!(made.body["clientPlan"], "basic");
        assert_eq!(made.body["configuration"]["regions"], json!([REGION]));
        let members = format!("/clients/{id}/members");
        let members = world.call("GET", &members).by(Who::User).send().await.body;
        assert_eq!(members["data"][0]["roles"], json!(["owner"]));
        assert_eq!(members["pagination"]["total"], 1);
        for (who, total) in [(Who::User, 2), (Who::Owner, 1), (Who::Operator, 3)] {
            let listed = world.call("GET", "/clients").by(who).send().await.body;
            assert_eq!(listed["pagination"]["total"], total, "{who:?}");
        }
        let found = world
            .call("GET", "/clients?search=SECON")
            .by(Who::User)
            .send()
            .await
            .body;
        assert_eq!(found["data"][0]["clientId"], id.as_str());
        let operator = world
            .call("POST", "/clients")
            .by(Who::Operator)
            .json(&body)
            .send()
            .await;
        operator.expect(403, "FORBIDDEN");
    }
}

#[tokio::test]
async fn put_restores_defaults_and_patch_keeps_what_is_not_named() {
    for world in World::each().await {
        let home = world.home_path();
        let full = json!({
            "clientName": "A",
            "configuration": {"limits": {"requestsPerMinute": 5, "requestsPerDay": 6}, "regions": [REGION]},
        });
        world
            .call("PUT", &home)
            .json(&full)
            .send()
            .await
            .expect(200, "");
        let patch = json!({"configuration": {"limits": {"requestsPerMinute": null, "apiRequestsPerMinute": 9999}}});
        world
            .call("PATCH", &home)
            .json(&patch)
            .send()
            .await
            .expect(200, "");
        let now = world.home_now().await;
        let limits = &now["configuration"]["limits"];
        let numbers: Vec<_> = LIMITS.iter().map(|name| limits[name].as_u64()).collect();
        assert_eq!(numbers, [None, Some(6), None, Some(9999)]);
        assert_eq!(
            (&now["clientName"], &now["configuration"]["regions"]),
            (&json!("A"), &json!([REGION]))
        );
        // What GET shows may be sent back.
        world
            .call("PUT", &home)
            .json(&now)
            .send()
            .await
            .expect(200, "");
        let again = world.home_now().await;
        assert_eq!(again["configuration"], now["configuration"]);
        world
            .call("PUT", &home)
            .json(&json!({"clientName": "B"}))
            .send()
            .await
            .expect(200, "");
        let bare = world.home_now().await;
        assert!(
            LIMITS
                .iter()
                .all(|name| bare["configuration"]["limits"][name].is_null())
        );
        assert_eq!(
            (&bare["clientPlan"], &bare["configuration"]["regions"]),
            (&json!("business"), &json!([]))
        );
    }
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    for world in World::each().await {
        let home = world.home_path();
        let configuration = world.at("configuration");
        for (method, path, body, code, fields) in [
            (
                "PUT",
                &home,
                json!({}),
                "VALIDATION_FAILED",
                vec!["clientName"],
            ),
            (
                "PATCH",
                &home,
                json!({"clientName": null}),
                "VALIDATION_FAILED",
                vec!["clientName"],
            ),
            (
                "PATCH",
                &home,
                json!({"clientName": ""}),
                "VALIDATION_FAILED",
                vec!["clientName"],
            ),
            (
                "PATCH",
                &home,
                json!({"clientId": world.abroad}),
                "FIELD_IMMUTABLE",
                vec!["clientId"],
            ),
            (
                "PATCH",
                &home,
                json!({"createdBy": "x"}),
                "FIELD_IMMUTABLE",
                vec!["createdBy"],
            ),
            (
                "PATCH",
                &home,
                json!({"clientPlan": "gold"}),
                "VALIDATION_FAILED",
                vec!["clientPlan"],
            ),
            (
                "PATCH",
                &home,
                json!({"owner": true}),
                "UNKNOWN_FIELD",
                vec!["owner"],
            ),
            (
                "PATCH",
                &home,
                json!({"configuration": {"limits": {"requestsPerMinute": 0}}}),
                "VALIDATION_FAILED",
                vec!["configuration.limits.requestsPerMinute"],
            ),
            (
                "PATCH",
                &home,
                json!({"configuration": {"regions": ["nowhere"]}}),
                "UNKNOWN_REGION",
                vec!["configuration.regions[0]"],
            ),
            (
                "PUT",
                &configuration,
                json!({"regions": [REGION, "nowhere"]}),
                "UNKNOWN_REGION",
                vec!["regions[1]"],
            ),
            (
                "PUT",
                &configuration,
                json!({"regions": [REGION, REGION]}),
                "VALIDATION_FAILED",
                vec!["regions"],
            ),
            (
                "PUT",
                &configuration,
                json!({"regions": "all"}),
                "VALIDATION_FAILED",
                vec!["regions"],
            ),
            (
                "PUT",
                &configuration,
                json!({"limits": {"requestsPerDay": 1.5}, "x": 1}),
                "UNKNOWN_FIELD",
                vec!["limits.requestsPerDay", "x"],
            ),
            (
                "POST",
                &"/clients".to_owned(),
                json!({"clientName": "A", "clientPlan": "business"}),
                "UNKNOWN_FIELD",
                vec!["clientPlan"],
            ),
        ] {
            let answer = world.call(method, path).json(&body).send().await;
            assert_eq!((answer.expect(400, code).fields(), &body), (fields, &body));
        }
        assert_eq!(world.home_now().await["clientName"], "Org");
    }
}

#[tokio::test]
async fn regions_hear_of_a_suspension_and_not_of_a_name() {
    for world in World::each().await {
        let select = format!(
            "SELECT COUNT(*) FROM change WHERE region_name = '*' AND record_id = '{}'",
            world.home
        );
        let home = world.home_path();
        world
            .call("PATCH", &home)
            .json(&json!({"clientName": "N"}))
            .send()
            .await
            .expect(200, "");
        assert_eq!(world.number(&select).await, 0);
        let body = json!({"clientStatus": "suspended"});
        let call = world.call("PATCH", &home).by(Who::Operator).json(&body);
        assert_eq!(call.send().await.body["clientStatus"], "suspended");
        assert_eq!(world.number(&select).await, 1);
    }
}

#[tokio::test]
async fn the_configuration_shares_its_tag_with_the_organisation() {
    for world in World::each().await {
        let (home, configuration) = (world.home_path(), world.at("configuration"));
        let read = world.call("GET", &configuration).send().await;
        let tag = read.header("etag").to_owned();
        let body = json!({"limits": {"requestsPerMinute": 7}});
        let changed = world
            .call("PUT", &configuration)
            .header("If-Match", &tag)
            .json(&body);
        let changed = changed.send().await;
        assert_eq!(changed.status, 200);
        assert_eq!(changed.body["limits"]["requestsPerMinute"], 7);
        assert_eq!(
            world.call("GET", &home).send().await.header("etag"),
            changed.header("etag")
        );
        for path in [&home, &configuration] {
            let body = json!({"clientName": "N"});
            let stale = world
                .call("PUT", path)
                .header("If-Match", &tag)
                .json(&body)
                .send()
                .await;
            stale.expect(412, "PRECONDITION_FAILED");
        }
        world
            .call("DELETE", &home)
            .header("If-Match", &tag)
            .send()
            .await
            .expect(412, "PRECONDITION_FAILED");
    }
}

#[tokio::test]
async fn an_organisation_with_proxies_goes_only_by_force_and_takes_all_along() {
    for world in World::each().await {
        let proxy = world.proxy().await;
        let home = world.home_path();
        let refused = world.call("DELETE", &home).send().await;
        refused.expect(409, "RESOURCE_IN_USE");
        let id = id_of(&proxy, "proxyId");
        let want = json!([{"field": "proxyId", "problem": format!("{id} {}", id_of(&proxy, "proxyName"))}]);
        assert_eq!(refused.body["details"], want);
        let gone = world
            .call("DELETE", &format!("{home}?force=true"))
            .send()
            .await;
        assert_eq!(gone.status, 204, "{}", gone.text);
        world
            .call("GET", &home)
            .send()
            .await
            .expect(404, "NOT_FOUND");
        for table in ["proxy", "credential", "target", "proxy_credential"] {
            let left = format!(
                "SELECT COUNT(*) FROM {table} WHERE organisation_id = '{}'",
                world.home
            );
            assert_eq!(world.number(&left).await, 0, "{table}");
        }
        // One proxy, two credentials, one target and the organisation itself.
        let version: i64 = gone.header("requestrocket-config-version").parse().unwrap();
        let told =
            format!("SELECT COUNT(*) FROM change WHERE is_removed = 1 AND revision = {version}");
        assert_eq!(world.number(&told).await, 5);
        let abroad = format!("/clients/{}", world.abroad);
        assert_eq!(
            world
                .call("GET", &abroad)
                .by(Who::Stranger)
                .send()
                .await
                .status,
            200
        );
    }
}

#[tokio::test]
async fn an_organisation_is_limited_to_its_regions() {
    for world in World::each().await {
        let body = json!({"regions": [crate::world::OTHER_REGION]});
        world
            .call("PUT", &world.at("configuration"))
            .json(&body)
            .send()
            .await
            .expect(200, "");
        let target = json!({
            "targetName": "T", "targetBaseURL": "https://api.example.com", "targetRegion": REGION,
        });
        let refused = world
            .call("POST", &world.at("targets"))
            .json(&target)
            .send()
            .await;
        refused.expect(400, "REGION_NOT_ALLOWED");
    }
}
