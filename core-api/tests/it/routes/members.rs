use serde_json::{Value, json};

use crate::world::{Who, World, id_of};

impl World {
    /// Path of the member who is `who`.
    async fn member_path(&self, who: Who) -> String {
        let me = self.call("GET", "/users/me").by(who).send().await.body;
        self.at(&format!("members/{}", id_of(&me, "userId")))
    }

    async fn set_roles(&self, by: Who, path: &str, roles: Value) -> u16 {
        let body = json!({"roles": roles});
        self.call("PATCH", path)
            .by(by)
            .json(&body)
            .send()
            .await
            .status
    }
}

#[tokio::test]
async fn who_may_see_and_change_members() {
    use Who::{Admin, Anonymous, Operator, Owner, Stranger, User};
    let all = [Anonymous, Stranger, User, Admin, Owner, Operator];
    for world in World::each().await {
        let (list, user) = (world.at("members"), world.member_path(User).await);
        let roles = json!({"roles": ["user"]});
        for (method, path, body, want) in [
            ("GET", &list, None, [401, 404, 403, 200, 200, 403]),
            ("GET", &user, None, [401, 404, 403, 200, 200, 403]),
            ("PATCH", &user, Some(&roles), [401, 404, 403, 200, 200, 403]),
        ] {
            for (who, want) in all.into_iter().zip(want) {
                let mut call = world.call(method, path).by(who);
                if let Some(body) = body {
                    call = call.json(body);
                }
                assert_eq!(call.send().await.status, want, "{method} {path} {who:?}");
            }
        }
        let admin = world.member_path(Admin).await;
        for (who, want) in all.into_iter().zip([401, 404, 403, 403, 204, 403]) {
            // An admin removing itself is leaving, tested below.
            if who != Admin {
                let call = world.call("DELETE", &admin).by(who);
                assert_eq!(call.send().await.status, want, "{who:?}");
            }
        }
    }
}

#[tokio::test]
async fn members_are_listed_and_found_by_name() {
    for world in World::each().await {
        let listed = world
            .call("GET", &world.at("members?sort=name&order=asc"))
            .send()
            .await
            .body;
        assert_eq!(listed["pagination"]["total"], 3);
        let one = &listed["data"][0];
        let mut names: Vec<_> = one
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        names.sort_unstable();
        let want = [
            "bio",
            "clientId",
            "createdAt",
            "createdBy",
            "email",
            "firstName",
            "lastName",
            "phone",
            "roles",
            "updatedAt",
            "userId",
        ];
        assert_eq!(names, want);
        for query in ["region=local-1", "type=owner", "active=true"] {
            let path = world.at(&format!("members?{query}"));
            world
                .call("GET", &path)
                .send()
                .await
                .expect(400, "VALIDATION_FAILED");
        }
    }
}

#[tokio::test]
async fn only_owners_make_change_and_remove_owners() {
    for world in World::each().await {
        let (user, owner) = (
            world.member_path(Who::User).await,
            world.member_path(Who::Owner).await,
        );
        assert_eq!(
            world.set_roles(Who::Admin, &user, json!(["owner"])).await,
            403
        );
        assert_eq!(
            world.set_roles(Who::Admin, &owner, json!(["user"])).await,
            403
        );
        assert_eq!(
            world
                .call("DELETE", &owner)
                .by(Who::Admin)
                .send()
                .await
                .status,
            403
        );
        let admin = world.member_path(Who::Admin).await;
        assert_eq!(
            world
                .set_roles(Who::Admin, &admin, json!(["owner", "admin"]))
                .await,
            403
        );
        assert_eq!(
            world
                .set_roles(Who::Owner, &user, json!(["owner", "user"]))
                .await,
            200
        );
        assert_eq!(
            world.set_roles(Who::User, &owner, json!(["admin"])).await,
            200
        );
        assert_eq!(
            world.set_roles(Who::Owner, &user, json!(["user"])).await,
            403
        );
    }
}

#[tokio::test]
async fn there_is_always_an_owner() {
    for world in World::each().await {
        let owner = world.member_path(Who::Owner).await;
        let body = json!({"roles": ["admin"]});
        world
            .call("PATCH", &owner)
            .json(&body)
            .send()
            .await
            .expect(409, "LAST_OWNER");
        world
            .call("DELETE", &owner)
            .send()
            .await
            .expect(409, "LAST_OWNER");
        let admin = world.member_path(Who::Admin).await;
        assert_eq!(
            world.set_roles(Who::Owner, &admin, json!(["owner"])).await,
            200
        );
        assert_eq!(world.call("DELETE", &owner).send().await.status, 204);
        world
            .call("GET", &world.at("members"))
            .send()
            .await
            .expect(404, "NOT_FOUND");
        world
            .call("DELETE", &admin)
            .by(Who::Admin)
            .send()
            .await
            .expect(409, "LAST_OWNER");
    }
}

#[tokio::test]
async fn everybody_may_leave_and_is_out_at_once() {
    for world in World::each().await {
        for who in [Who::User, Who::Admin] {
            let path = world.member_path(who).await;
            assert_eq!(
                world.call("DELETE", &path).by(who).send().await.status,
                204,
                "{who:?}"
            );
            let targets = world.call("GET", &world.at("targets")).by(who).send().await;
            targets.expect(404, "NOT_FOUND");
            assert_eq!(
                world.call("GET", "/users/me").by(who).send().await.status,
                200
            );
        }
    }
}

#[tokio::test]
async fn roles_are_one_or_more_known_words() {
    for world in World::each().await {
        let user = world.member_path(Who::User).await;
        for (body, code, field) in [
            (json!({"roles": []}), "VALIDATION_FAILED", "roles"),
            (json!({"roles": null}), "VALIDATION_FAILED", "roles"),
            (json!({"roles": "admin"}), "VALIDATION_FAILED", "roles"),
            (json!({"roles": ["root"]}), "VALIDATION_FAILED", "roles[0]"),
            (
                json!({"roles": ["user"], "isActive": true}),
                "UNKNOWN_FIELD",
                "isActive",
            ),
            (
                json!({"email": "x@example.com"}),
                "FIELD_IMMUTABLE",
                "email",
            ),
        ] {
            let answer = world.call("PATCH", &user).json(&body).send().await;
            assert!(answer.expect(400, code).fields().contains(&field), "{body}");
        }
        let unchanged = world.call("GET", &user).send().await;
        assert_eq!(unchanged.body["roles"], json!(["user"]));
        let stale = world
            .call("PATCH", &user)
            .header("If-Match", "\"r999\"")
            .json(&json!({"roles": ["admin"]}));
        stale.send().await.expect(412, "PRECONDITION_FAILED");
    }
}

#[tokio::test]
async fn a_stranger_is_no_member() {
    for world in World::each().await {
        let me = world
            .call("GET", "/users/me")
            .by(Who::Stranger)
            .send()
            .await
            .body;
        for id in [id_of(&me, "userId"), "x".to_owned()] {
            let path = world.at(&format!("members/{id}"));
            for method in ["GET", "DELETE"] {
                world
                    .call(method, &path)
                    .send()
                    .await
                    .expect(404, "NOT_FOUND");
            }
            let body = json!({"roles": ["user"]});
            world
                .call("PATCH", &path)
                .json(&body)
                .send()
                .await
                .expect(404, "NOT_FOUND");
        }
    }
}

#[tokio::test]
async fn of_two_owners_who_go_at_once_one_stays() {
    for world in World::each().await {
        let (owner, admin) = (
            world.member_path(Who::Owner).await,
            world.member_path(Who::Admin).await,
        );
        let body = json!({"roles": ["user"]});
        let owners = "UPDATE member SET roles = '[\"owner\"]' WHERE roles = '[\"user\"]' AND \
                      user_id IN (SELECT user_id FROM user_account WHERE first_name <> 'User')";
        for round in 0..8 {
            // Whoever stopped being one is one again.
            world.run(owners).await;
            world
                .run("UPDATE member SET roles = '[\"owner\"]' WHERE roles = '[\"admin\"]'")
                .await;
            let (one, other) = tokio::join!(
                world.call("PATCH", &owner).json(&body).send(),
                world
                    .call("PATCH", &admin)
                    .by(Who::Admin)
                    .json(&body)
                    .send(),
            );
            let mut statuses = [one.status, other.status];
            statuses.sort_unstable();
            // Who lost the race may have lost the right to change members as well.
            assert!(
                statuses[0] == 200 && [403, 409].contains(&statuses[1]),
                "{round}: {statuses:?}"
            );
        }
        world.run(owners).await;
        let (one, other) = tokio::join!(
            world.call("DELETE", &owner).send(),
            world.call("DELETE", "/users/me").by(Who::Admin).send(),
        );
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 409], "{} {}", one.text, other.text);
        let left = "SELECT COUNT(*) FROM member WHERE roles = '[\"owner\"]'";
        assert_eq!(
            world.number(left).await,
            2,
            "with the one of the other organisation"
        );
    }
}
