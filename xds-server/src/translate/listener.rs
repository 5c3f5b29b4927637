//! The listeners of a node: for callers, and where the region server brings what callers left with
//! it. They are the same for all nodes but for their addresses.

pub(crate) mod access_log;
mod connection_manager;
mod deliveries;
mod filters;
mod local_reply;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bytes::Bytes;
use envoy_types::pb::envoy::config::core::v3::{
    Address, SocketAddress, address, socket_address::PortSpecifier,
};
use envoy_types::pb::envoy::config::listener::v3::{Filter, FilterChain, Listener, filter};
use envoy_types::pb::google::protobuf::{Struct, value::Kind};
use envoy_types::util::pack_any;
use prost::Message;

use super::wire::number;
use super::{BUFFER_BYTES, Settings};
use crate::xds::resource::Resource;

/// Name of the listener for callers.
const NAME: &str = "proxy-api";
/// Name of the other.
const DELIVERIES: &str = "deliveries";
/// Connections that wait to be accepted; the kernel allows no more than `net.core.somaxconn`. Envoy's
/// own 128 refuses callers that come at once.
const BACKLOG: u32 = 4_096;
/// Connections accepted before a worker looks after those that it has; Envoy would take all there
/// are.
const ACCEPTED_AT_ONCE: u32 = 64;
const DEFAULT_PORT: u16 = 10_000;
/// The shared resources are older than any proxy.
const FIRST_REVISION: u64 = 1;

/// The listeners of all nodes, encoded but for their addresses.
#[derive(Clone, Debug)]
pub struct ListenerTemplate {
    for_callers: Bytes,
    for_deliveries: Bytes,
}

/// Where a node listens for whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListenerAddresses {
    /// For callers.
    pub callers: ListenerAddress,
    /// For the region server; none: it takes no deliveries.
    pub deliveries: Option<ListenerAddress>,
}

/// An address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenerAddress {
    ip: IpAddr,
    port: u16,
}

/// A node's metadata does not say where it listens.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidListenerAddress {
    /// `listener_address`
    #[error("node metadata `listener_address` must be an IP address")]
    Address,
    /// `listener_port`
    #[error("node metadata `listener_port` must be a whole number from 0 to 65535")]
    Port,
    /// `delivery_address` or `delivery_port`
    #[error(
        "node metadata `delivery_address` must be an IP address and `delivery_port` a whole number \
         from 1 to 65535, both or neither"
    )]
    Delivery,
}

impl Default for ListenerAddress {
    fn default() -> Self {
        Self {
            ip: Ipv4Addr::UNSPECIFIED.into(),
            port: DEFAULT_PORT,
        }
    }
}

impl ListenerAddress {
    /// What `node.metadata` says, or the default.
    pub fn from_metadata(metadata: Option<&Struct>) -> Result<Self, InvalidListenerAddress> {
        let default = Self::default();
        let field = |name| metadata?.fields.get(name)?.kind.as_ref();
        let ip = match field("listener_address") {
            None => default.ip,
            Some(Kind::StringValue(text)) => {
                text.parse().map_err(|_| InvalidListenerAddress::Address)?
            }
            Some(_) => return Err(InvalidListenerAddress::Address),
        };
        let port = match field("listener_port") {
            None => default.port,
            Some(Kind::NumberValue(number)) => port(*number)?,
            Some(_) => return Err(InvalidListenerAddress::Port),
        };
        Ok(Self { ip, port })
    }
}

impl ListenerAddresses {
    /// What `node.metadata` says, or the default.
    pub fn from_metadata(metadata: Option<&Struct>) -> Result<Self, InvalidListenerAddress> {
        let field = |name| metadata?.fields.get(name)?.kind.as_ref();
        let deliveries = match (field("delivery_address"), field("delivery_port")) {
            (None, None) => None,
            (Some(Kind::StringValue(address)), Some(Kind::NumberValue(number))) => {
                let ip = address.parse::<IpAddr>().ok();
                // Nobody can be told of a port that is chosen when Envoy listens.
                let port = port(*number).ok().filter(|port| *port > 0);
                let address = ip.zip(port).map(|(ip, port)| ListenerAddress { ip, port });
                Some(address.ok_or(InvalidListenerAddress::Delivery)?)
            }
            _ => return Err(InvalidListenerAddress::Delivery),
        };
        Ok(Self {
            callers: ListenerAddress::from_metadata(metadata)?,
            deliveries,
        })
    }
}

impl From<ListenerAddress> for ListenerAddresses {
    fn from(callers: ListenerAddress) -> Self {
        Self {
            callers,
            deliveries: None,
        }
    }
}

impl From<SocketAddr> for ListenerAddress {
    fn from(at: SocketAddr) -> Self {
        Self {
            ip: at.ip(),
            port: at.port(),
        }
    }
}

impl From<ListenerAddress> for SocketAddr {
    fn from(ListenerAddress { ip, port }: ListenerAddress) -> Self {
        Self::new(ip, port)
    }
}

/// JSON knows one kind of number only; its text form is exact for whole ones of this size.
fn port(number: f64) -> Result<u16, InvalidListenerAddress> {
    number
        .to_string()
        .parse()
        .map_err(|_| InvalidListenerAddress::Port)
}

impl ListenerTemplate {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            for_callers: template(NAME, settings, Side::Callers),
            for_deliveries: template(DELIVERIES, settings, Side::Deliveries),
        }
    }

    /// The listener for callers of a node that listens on `at`.
    #[must_use]
    pub fn at(&self, at: &ListenerAddress) -> Resource {
        listening(NAME, *at, &self.for_callers)
    }

    /// All listeners of a node.
    #[must_use]
    pub fn of_node(&self, at: &ListenerAddresses) -> Vec<Resource> {
        let ListenerAddresses {
            callers,
            deliveries,
        } = at;
        let deliveries = deliveries.map(|at| listening(DELIVERIES, at, &self.for_deliveries));
        std::iter::once(self.at(callers))
            .chain(deliveries)
            .collect()
    }
}

/// Who connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Callers,
    Deliveries,
}

fn template(name: &str, settings: &Settings, side: Side) -> Bytes {
    let manager = connection_manager::build(settings, side);
    let filter = Filter {
        name: "envoy.filters.network.http_connection_manager".to_owned(),
        config_type: Some(filter::ConfigType::TypedConfig(pack_any(manager))),
    };
    let listener = Listener {
        name: name.to_owned(),
        filter_chains: vec![FilterChain {
            filters: vec![filter],
            transport_socket: match side {
                Side::Callers => None,
                Side::Deliveries => Some(deliveries::tls()),
            },
            ..FilterChain::default()
        }],
        per_connection_buffer_limit_bytes: number(BUFFER_BYTES),
        tcp_backlog_size: number(BACKLOG),
        max_connections_to_accept_per_socket_event: number(ACCEPTED_AT_ONCE),
        ..Listener::default()
    };
    listener.encode_to_vec().into()
}

fn listening(name: &str, at: ListenerAddress, template: &Bytes) -> Resource {
    let socket = SocketAddress {
        address: at.ip.to_string(),
        port_specifier: Some(PortSpecifier::PortValue(u32::from(at.port))),
        ..SocketAddress::default()
    };
    let own = Listener {
        address: Some(Address {
            address: Some(address::Address::SocketAddress(socket)),
        }),
        ..Listener::default()
    };
    // Encoded messages that follow each other are read as one.
    let body = [own.encode_to_vec().as_slice(), template].concat();
    Resource::encoded(name.into(), body.into(), FIRST_REVISION, None)
}

#[cfg(test)]
mod tests;
