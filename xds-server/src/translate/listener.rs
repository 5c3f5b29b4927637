//! The one listener: the same for all nodes but for its address.

pub(crate) mod access_log;
mod connection_manager;
mod filters;
mod local_reply;

use std::net::{IpAddr, Ipv4Addr};

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

/// Name of the listener.
const NAME: &str = "proxy-api";
/// Connections that wait to be accepted; the kernel allows no more than `net.core.somaxconn`. Envoy's
/// own 128 refuses callers that come at once.
const BACKLOG: u32 = 4_096;
/// Connections accepted before a worker looks after those that it has; Envoy would take all there
/// are.
const ACCEPTED_AT_ONCE: u32 = 64;
const DEFAULT_PORT: u16 = 10_000;
/// The shared resources are older than any proxy.
const FIRST_REVISION: u64 = 1;

/// The listener of all nodes, encoded but for its address.
#[derive(Clone, Debug)]
pub struct ListenerTemplate {
    shared: Bytes,
}

/// Where a node listens.
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

/// JSON knows one kind of number only; its text form is exact for whole ones of this size.
fn port(number: f64) -> Result<u16, InvalidListenerAddress> {
    number
        .to_string()
        .parse()
        .map_err(|_| InvalidListenerAddress::Port)
}

impl ListenerTemplate {
    pub(super) fn new(settings: &Settings) -> Self {
        let manager = connection_manager::build(settings);
        let filter = Filter {
            name: "envoy.filters.network.http_connection_manager".to_owned(),
            config_type: Some(filter::ConfigType::TypedConfig(pack_any(manager))),
        };
        let listener = Listener {
            name: NAME.to_owned(),
            filter_chains: vec![FilterChain {
                filters: vec![filter],
                ..FilterChain::default()
            }],
            per_connection_buffer_limit_bytes: number(BUFFER_BYTES),
            tcp_backlog_size: number(BACKLOG),
            max_connections_to_accept_per_socket_event: number(ACCEPTED_AT_ONCE),
            ..Listener::default()
        };
        Self {
            shared: listener.encode_to_vec().into(),
        }
    }

    /// The listener of a node that listens on `at`.
    #[must_use]
    pub fn at(&self, at: &ListenerAddress) -> Resource {
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
        let body = [own.encode_to_vec().as_slice(), &self.shared].concat();
        Resource::encoded(NAME.into(), body.into(), FIRST_REVISION, None)
    }
}

#[cfg(test)]
mod tests;
