//! To which hosts a target credential may be given.

use serde_json::{Value, json};

use crate::world::{REGION, World, id_of};

const HOSTS: &str = "credentialAllowedHosts";

fn credential(side: &str, hosts: &Value) -> Value {
    json!({
        "credentialName": "C", "credentialType": side, "credentialRegion": REGION,
        "credentialAuthType": "bearer", "credentialSecret": {"token": "t0ken-t0ken"},
        "credentialAllowedHosts": hosts,
    })
}

fn target(base_url: &str) -> Value {
    json!({"targetName": "T", "targetRegion": REGION, "targetBaseURL": base_url})
}

/// Paths of a credential, a target that it may be given to, and a proxy that does so.
async fn bound(world: &World) -> [String; 3] {
    let hosts = json!(["api.example.com", "*.Example.org"]);
    let target_credential = world
        .create("credentials", &credential("target", &hosts))
        .await;
    assert_eq!(
        target_credential[HOSTS],
        json!(["*.example.org", "api.example.com"])
    );
    let target = world
        .create("targets", &target("https://API.example.com:8443/v1"))
        .await;
    let bound = id_of(&target_credential, "credentialId");
    let target = id_of(&target, "targetId");
    let caller = world
        .create("credentials", &credential("proxy", &Value::Null))
        .await;
    let proxy = json!({
        "proxyName": "P", "proxyRegion": REGION, "proxyTargetId": target,
        "proxyTargetCredentialId": bound, "proxyProxyCredentialIds": [id_of(&caller, "credentialId")],
    });
    let proxy = world.create("proxies", &proxy).await;
    let proxy = id_of(&proxy, "proxyId");
    [
        world.at(&format!("credentials/{bound}")),
        world.at(&format!("targets/{target}")),
        world.at(&format!("proxies/{proxy}")),
    ]
}

/// The change is refused, and nothing is changed.
async fn refused(world: &World, path: &str, patch: &Value, field: &str) {
    let newest = world.number("SELECT newest FROM revision").await;
    let answer = world.call("PATCH", path).json(patch).send().await;
    assert_eq!(answer.status, 400, "{patch} {}", answer.body);
    let error = &answer.body;
    assert_eq!(error["code"], "DESTINATION_NOT_ALLOWED", "{patch}");
    assert_eq!(error["details"][0]["field"], field, "{patch}");
    assert_eq!(world.number("SELECT newest FROM revision").await, newest);
}

#[tokio::test]
async fn no_change_gives_a_credential_to_another_host() {
    for world in World::each().await {
        let [credential, moved, proxy] = bound(&world).await;
        for base_url in [
            "https://evil.example",
            "https://api.example.com.evil.example",
        ] {
            let patch = json!({ "targetBaseURL": base_url });
            refused(&world, &moved, &patch, "targetBaseURL").await;
        }
        let patch = json!({"credentialAllowedHosts": ["other.example.com"]});
        refused(&world, &credential, &patch, HOSTS).await;
        let other = world
            .create("targets", &target("https://example.org"))
            .await;
        let patch = json!({"proxyTargetId": id_of(&other, "targetId")});
        refused(&world, &proxy, &patch, "proxyTargetCredentialId").await;
        let below = json!({"targetBaseURL": "https://a.b.example.org"});
        let answer = world.call("PATCH", &moved).json(&below).send().await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        // Without hosts it may go everywhere again.
        let patch = json!({"credentialAllowedHosts": null});
        let answer = world.call("PATCH", &credential).json(&patch).send().await;
        assert_eq!((answer.status, &answer.body[HOSTS]), (200, &json!([])));
        let anywhere = json!({"targetBaseURL": "https://evil.example"});
        let answer = world.call("PATCH", &moved).json(&anywhere).send().await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

#[tokio::test]
async fn what_is_no_host_is_refused_by_name() {
    for world in World::each().await {
        for (hosts, field) in [
            (json!("api.example.com"), HOSTS.to_owned()),
            (
                json!(["ok.example", "https://a.example"]),
                format!("{HOSTS}[1]"),
            ),
            (json!(["a.example:443"]), format!("{HOSTS}[0]")),
            (json!(["*"]), format!("{HOSTS}[0]")),
            (json!(["*.com"]), format!("{HOSTS}[0]")),
            (json!(vec!["a.example"; 33]), HOSTS.to_owned()),
        ] {
            let sent = credential("target", &hosts);
            let answer = world
                .call("POST", &world.at("credentials"))
                .json(&sent)
                .send()
                .await;
            assert_eq!(answer.status, 400, "{hosts}");
            assert_eq!(answer.body["details"][0]["field"], field, "{hosts}");
        }
        let sent = credential("proxy", &json!(["a.example"]));
        let answer = world
            .call("POST", &world.at("credentials"))
            .json(&sent)
            .send()
            .await;
        assert_eq!(answer.status, 400, "{}", answer.body);
        assert_eq!(answer.body["details"][0]["field"], HOSTS);
    }
}
