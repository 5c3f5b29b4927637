//! `/regions`

use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiResult;
use crate::http::call::Read;
use crate::http::list::{self, Filters, ListParams, Listed, RawQuery};
use crate::region::fleet::Fleets;
use crate::state::AppState;
use crate::store::gateway::region::{RegionRow, region_page};

/// The routes of this file.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_regions))
}

/// A region: where proxies are served.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegionResource {
    region_name: String,
    /// Null until the region connects for the first time.
    #[serde(rename = "regionBaseURL")]
    region_base_url: Option<String>,
    region_connected: bool,
    /// Connected Envoys.
    envoys: usize,
}

impl RegionResource {
    fn new(row: RegionRow, fleets: &Fleets) -> Self {
        let state = fleets.region(&row.region_name);
        Self {
            region_name: row.region_name,
            region_base_url: row.base_url,
            region_connected: state.is_connected(),
            envoys: state.connected_nodes(),
        }
    }
}

/// All regions.
#[utoipa::path(
    get,
    path = "/regions",
    tag = "regions",
    params(ListParams),
    responses((status = 200, body = Listed<RegionResource>))
)]
async fn list_regions(call: Read, query: RawQuery) -> ApiResult {
    let query = query.list(Filters::default())?;
    let page = region_page(&mut *call.state.connect().await?, &query).await?;
    Ok(list::answer(&query, page, |row| {
        RegionResource::new(row, &call.state.fleets)
    }))
}
