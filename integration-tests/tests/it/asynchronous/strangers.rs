//! Nobody asks about others' requests, and nobody brings deliveries but the region server.

use anyhow::{Result, ensure};
use requestrocket_integration_tests::caller::Request;
use requestrocket_integration_tests::gateway::Gateway;
use requestrocket_integration_tests::target::Target;
use requestrocket_policy::passage::{Delivery, Sender};

use super::{about, accepted, ended, later};

#[tokio::test]
async fn a_request_is_known_to_its_proxy_only() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let other = gateway.proxy_to(&target.url()).await?;
    let id = accepted(&gateway, &later(&proxy, "POST", "/x").body("a")).await?;
    ended(&gateway, &proxy, &id).await?;
    let unknown = "00000000-0000-4000-8000-000000000000";
    let strangers = [
        // Another proxy's caller asks at its own proxy, and at this one.
        about(&other, "GET", &id),
        Request::get(&format!("/requests/{}/{id}", proxy.id))
            .with("authorization", &other.authorization),
        Request::get(&format!("/requests/{unknown}/{id}"))
            .with("authorization", &proxy.authorization),
    ];
    for request in strangers {
        for method in ["GET", "DELETE"] {
            let mut request = request.clone();
            request.method = method.to_owned();
            let reply = gateway.call(&request).await?;
            let got = (reply.status, reply.code());
            ensure!(
                got == (404, "NOT_FOUND".to_owned()),
                "{request:?}: {}",
                reply.text()
            );
        }
    }
    let nobody = Request::get(&format!("/requests/{}/{id}", proxy.id));
    let reply = gateway.call(&nobody).await?;
    ensure!(reply.status == 401, "{}", reply.text());
    for request in [
        Request::new("POST", &format!("/async/{}/x", proxy.id)),
        Request::new("POST", &format!("/async/{unknown}/x")),
    ] {
        let reply = gateway.call(&request).await?;
        ensure!(reply.status == 401, "{}", reply.text());
        let reply = gateway
            .call(&request.with("authorization", "wrong"))
            .await?;
        ensure!(reply.code() == "CREDENTIAL_INVALID", "{}", reply.text());
    }
    Ok(())
}

#[tokio::test]
async fn a_caller_cannot_call_as_the_region_server() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let delivery = Delivery {
        request: uuid::Uuid::from_u128(7),
        attempt: 1,
        sender: Sender {
            credential: proxy.credential_ids[0].parse::<uuid::Uuid>()?.into(),
            claims: None,
        },
    };
    let arrival = requestrocket_policy::passage::Arrival {
        organisation: uuid::Uuid::from_u128(1).into(),
        proxy: proxy.id.parse::<uuid::Uuid>()?.into(),
        sender: delivery.sender.clone(),
    };
    let (delivery, arrival) = (delivery.to_header(), arrival.to_header());
    for name in [
        "x-rr-delivery",
        "X-RR-Delivery",
        "x_rr_delivery",
        "x-rr_delivery",
    ] {
        let reply = gateway
            .call(&Request::get(&proxy.path("/x")).with(name, &delivery))
            .await?;
        ensure!(
            reply.status == 401,
            "{name}: {} {}",
            reply.status,
            reply.text()
        );
    }
    let route = format!("{}/1/arrives", proxy.id);
    let forged = Request::get(&format!("/requests/{}/x", proxy.id))
        .with("x-rr-arrival", &arrival)
        .with("x-rr-route", &route);
    let reply = gateway.call(&forged).await?;
    ensure!(reply.status == 401, "{} {}", reply.status, reply.text());
    // With a credential the words that came along are not those that count.
    let own = proxy
        .get("/x")
        .with("x-rr-arrival", &arrival)
        .with("x-rr-route", &route);
    let reply = gateway.call(&own).await?;
    ensure!(
        reply.status == 200 && target.count() == 1,
        "{}",
        reply.text()
    );
    Ok(())
}
