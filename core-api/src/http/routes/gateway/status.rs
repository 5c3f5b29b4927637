//! `/clients/{clientId}/proxies/{proxyId}/status`

use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::domain::gateway::proxy::{PlacedProxy, Proxy};
use crate::domain::moment::Moment;
use crate::domain::people::permission::Permission;
use crate::error::{ApiError, ApiResult, id};
use crate::http::call::{InPath, Read};
use crate::region::fleet::{Fleets, NodeView, ProxyCondition};
use crate::state::AppState;
use crate::store::gateway::proxy::proxy_fetch;

/// The routes of this file.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_status))
}

/// How far a proxy's newest state came.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusResource {
    proxy_id: Uuid,
    /// `pending`, `applied`, `rejected`, `incomplete` or `inactive`.
    proxy_status: &'static str,
    /// The newest version that touched the proxy or a record it uses.
    desired_version: u64,
    /// The region's Envoys; those gone for ten minutes are left out.
    nodes: Vec<NodeResource>,
}

/// What one Envoy has of a proxy.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeResource {
    node_id: String,
    connected: bool,
    /// Everything up to this version is settled there.
    version: u64,
    /// `acknowledged`, `rejected` or `pending`, of the desired version.
    state: &'static str,
    /// When this last changed.
    at: Option<String>,
    /// Envoy's error text, or what the region cannot use.
    rejection: Option<String>,
}

impl From<NodeView> for NodeResource {
    fn from(view: NodeView) -> Self {
        let NodeView {
            node_id,
            is_connected,
            revision,
            state,
            changed_at_ms,
            rejection,
        } = view;
        Self {
            node_id,
            connected: is_connected,
            version: revision,
            state: state.as_str(),
            at: Moment::of_unix_ms(changed_at_ms).map(|at| at.to_string()),
            rejection,
        }
    }
}

/// The state of a proxy, Envoy by Envoy.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/proxies/{proxyId}/status",
    tag = "proxies",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("proxyId" = Uuid, Path, description = "The proxy"),
    ),
    responses((status = 200, body = StatusResource), (status = 304, description = "As known"))
)]
async fn get_status(call: Read, InPath((client, proxy)): InPath<(String, String)>) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadResources).await?;
    let found = proxy_fetch(&mut *call.state.connect().await?, scope.id(), id(&proxy)?).await?;
    let placed = found.ok_or_else(ApiError::not_found)?;
    let (fleets, proxy) = (&call.state.fleets, &placed.proxy);
    let region = fleets.region(proxy.region.as_str());
    let now_ms = call.state.clock.unix_ms();
    let desired = placed.desired_revision;
    let nodes = region.nodes_of_proxy(&proxy.id.to_string(), desired, now_ms);
    call.answer_content(&StatusResource {
        proxy_id: proxy.id.uuid(),
        proxy_status: word(&placed, fleets),
        desired_version: desired,
        nodes: nodes.into_iter().map(NodeResource::from).collect(),
    })
}

/// How far a proxy came, all Envoys together.
pub(super) fn word(placed: &PlacedProxy, fleets: &Fleets) -> &'static str {
    let proxy = &placed.proxy;
    let region = fleets.region(proxy.region.as_str());
    let id = proxy.id.to_string();
    let status = region.proxy_status(condition(proxy), &id, placed.desired_revision);
    status.as_str()
}

/// What the proxy's records say of it, whatever the nodes have.
fn condition(proxy: &Proxy) -> ProxyCondition {
    if !proxy.form.is_active {
        ProxyCondition::Inactive
    } else if proxy.is_incomplete() {
        ProxyCondition::Incomplete
    } else {
        ProxyCondition::Serving
    }
}
