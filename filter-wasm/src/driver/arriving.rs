//! Asynchronous requests on their way in, to the region server, and out, from it.

use requestrocket_policy::{
    exchange::Edit,
    http::HeaderLine,
    passage::{ARRIVES, DELIVERER, DELIVERY_HEADER, Delivery},
};

use super::policies::ROUTE_HEADER;
use crate::host::{Host, HostFailure};

/// What a call with this head is that the region server makes; none: a caller makes it. Who says so
/// must have shown Envoy the region server's certificate: the header alone is worth nothing.
pub(super) fn delivery(
    host: &impl Host,
    lines: &[HeaderLine<'_>],
) -> Result<Option<Delivery>, HostFailure> {
    let mut lines = lines.iter();
    let Some((_, value)) = lines.find(|(name, _)| *name == DELIVERY_HEADER.as_bytes()) else {
        return Ok(None);
    };
    let is_region_servers = host.peer_name()?.as_deref() == Some(DELIVERER.as_bytes());
    let delivery = is_region_servers.then(|| Delivery::from_header(value));
    delivery.flatten().ok_or(HostFailure).map(Some)
}

/// The edit that has Envoy choose the route to the region server.
pub(super) fn by_route(lines: &[HeaderLine<'_>]) -> Option<Edit<'static>> {
    let mut lines = lines.iter();
    let (_, name) = lines.find(|(name, _)| *name == ROUTE_HEADER.as_bytes())?;
    let name = [name, ARRIVES.as_bytes()].concat();
    Some(Edit::SetComputed(ROUTE_HEADER, name.into()))
}
