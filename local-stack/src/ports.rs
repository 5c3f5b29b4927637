//! Which port each listener gets, and the reservation of an Envoy's port.
//!
//! A listener keeps its port over restarts of the stack where the machine allows it, so that URLs
//! someone copied stay good.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Context;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, bind, getsockname, setsockopt, socket, sockopt,
};

use crate::files::{read_json, write_json};

/// `auto`, or the first of a row of ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ports {
    /// The ports of the last run when they are free, else any free ones.
    Auto,
    /// This port, the next one, and so on.
    From(u16),
}

/// Neither `auto` nor a port.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidPorts;

impl std::fmt::Display for InvalidPorts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("must be `auto` or a port from 1024 to 65000")
    }
}

impl std::error::Error for InvalidPorts {}

impl FromStr for Ports {
    type Err = InvalidPorts;

    fn from_str(raw: &str) -> Result<Self, InvalidPorts> {
        match (raw, raw.parse()) {
            ("auto", _) => Ok(Self::Auto),
            (_, Ok(first @ 1024..=65000)) => Ok(Self::From(first)),
            _ => Err(InvalidPorts),
        }
    }
}

/// Ports by listener name, kept in a file of the data directory.
#[derive(Debug)]
pub(crate) struct PortBook {
    rule: Ports,
    path: PathBuf,
    remembered: BTreeMap<String, u16>,
    handed_out: u16,
}

impl PortBook {
    pub(crate) fn open(rule: Ports, path: PathBuf) -> anyhow::Result<Self> {
        let remembered = read_json(&path)?.unwrap_or_default();
        Ok(Self {
            rule,
            path,
            remembered,
            handed_out: 0,
        })
    }

    /// The port that `listener` is to ask for; 0 means any. Asked once for each listener, in a
    /// fixed order.
    pub(crate) fn assign(&mut self, listener: &str) -> anyhow::Result<u16> {
        match self.rule {
            Ports::Auto => {
                let port = self.remembered.get(listener).copied().unwrap_or(0);
                Ok(if is_free(port) { port } else { 0 })
            }
            Ports::From(first) => {
                let port = first
                    .checked_add(self.handed_out)
                    .context("no port is left")?;
                self.handed_out += 1;
                anyhow::ensure!(is_free(port), "port {port} (for {listener}) is taken");
                Ok(port)
            }
        }
    }

    /// Remembers what `listener` got.
    pub(crate) fn learn(&mut self, listener: &str, port: u16) -> anyhow::Result<()> {
        self.remembered.insert(listener.to_owned(), port);
        write_json(&self.path, &self.remembered)
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// A port that no other process gets while this value lives, though nothing listens on it.
///
/// Envoy binds with `SO_REUSEPORT`, so it can share the port with this socket of the same user.
#[derive(Debug)]
pub(crate) struct Reservation {
    port: u16,
    _socket: OwnedFd,
}

impl Reservation {
    /// Reserves `port` on the loopback interface; 0 means any.
    pub(crate) fn take(port: u16) -> anyhow::Result<Self> {
        let socket = socket(
            AddressFamily::Inet,
            SockType::Stream,
            SockFlag::SOCK_CLOEXEC,
            None,
        )?;
        setsockopt(&socket, sockopt::ReusePort, &true)?;
        let address = SockaddrIn::from(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port));
        bind(socket.as_raw_fd(), &address).with_context(|| format!("port {port} is taken"))?;
        let bound: SockaddrIn = getsockname(socket.as_raw_fd())?;
        Ok(Self {
            port: bound.port(),
            _socket: socket,
        })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

/// The loopback address with `port`.
pub(crate) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_auto_or_a_number() {
        for (raw, want) in [
            ("auto", Ok(Ports::Auto)),
            ("20000", Ok(Ports::From(20000))),
            ("80", Err(InvalidPorts)),
            ("", Err(InvalidPorts)),
            ("70000", Err(InvalidPorts)),
        ] {
            assert_eq!(raw.parse(), want, "{raw}");
        }
    }

    #[test]
    fn a_listener_keeps_its_port_while_that_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ports.json");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        PortBook::open(Ports::Auto, path.clone())
            .unwrap()
            .learn("a", port)
            .unwrap();
        let mut book = PortBook::open(Ports::Auto, path).unwrap();
        assert_eq!(book.assign("a").unwrap(), 0, "taken by someone else");
        drop(listener);
        assert_eq!(book.assign("a").unwrap(), port);
        assert_eq!(book.assign("b").unwrap(), 0);
    }

    #[test]
    fn a_reserved_port_is_not_free() {
        let reservation = Reservation::take(0).unwrap();
        assert!(!is_free(reservation.port()));
        let port = reservation.port();
        drop(reservation);
        assert!(is_free(port));
    }
}
