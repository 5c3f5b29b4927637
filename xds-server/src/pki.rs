//! The region's certificate authority for its own nodes.
//!
//! Invariant: private keys are written with mode 0600 and never printed.

use std::io;
use std::path::{Path, PathBuf};

use requestrocket_policy::passage::DELIVERER;
pub use requestrocket_process::authority::Identity as Certificate;
use requestrocket_process::authority::{Authority, AuthorityFailed, Files, Subject, Usage};
use requestrocket_process::file::{create_private_dir, write_private};
use time::{Duration, OffsetDateTime};

pub mod identity;

#[cfg(test)]
mod tests;

const FILES: Files = Files {
    certificate: "node-ca.pem",
    key: "node-ca.key",
};
const LEAF_LIFE: Duration = Duration::days(825);

/// Certificates cannot be made or kept.
#[derive(Debug, thiserror::Error)]
pub enum InvalidPki {
    /// The file system says no.
    #[error("`{}` cannot be read or written", .0.display())]
    File(PathBuf, #[source] io::Error),
    /// Of an identity one file is missing.
    #[error("`{}` is missing although its counterpart is there; restore it from a backup", .0.display())]
    Incomplete(PathBuf),
    /// What the authority says.
    #[error(transparent)]
    Authority(#[from] AuthorityFailed),
    /// A signing request cannot be made.
    #[error("certificate cannot be made")]
    Make(#[from] rcgen::Error),
    /// Not a name of a node of this region.
    #[error("node id `{0}` must be a host name that begins with `{1}-`")]
    NodeId(String, String),
}

/// Signs for this region's server and nodes.
#[derive(Debug)]
pub struct NodeAuthority {
    region: String,
    authority: Authority,
}

impl NodeAuthority {
    /// Reads the authority from `folder`, or makes it on first start.
    ///
    /// # Errors
    /// The files are unreadable, unusable, or only one of the two is there.
    pub fn load_or_create(
        folder: &Path,
        region: &str,
        now: OffsetDateTime,
    ) -> Result<Self, InvalidPki> {
        let name = format!("RequestRocket region {region}");
        Ok(Self {
            region: region.to_owned(),
            authority: Authority::load_or_create(folder, FILES, &name, now)?,
        })
    }

    /// The authority's own certificate, PEM.
    pub fn certificate_pem(&self) -> &str {
        self.authority.certificate_pem()
    }

    /// A certificate for the ADS server under `names` (host names and addresses).
    ///
    /// # Errors
    /// A name fits no certificate.
    pub fn server_certificate(
        &self,
        names: &[String],
        now: OffsetDateTime,
    ) -> Result<Certificate, InvalidPki> {
        self.issue(names, &[Usage::ServerAuth], now)
    }

    /// A certificate for the node `node_id`.
    ///
    /// # Errors
    /// The id fits no certificate or is not of this region.
    pub fn node_certificate(
        &self,
        node_id: &str,
        now: OffsetDateTime,
    ) -> Result<Certificate, InvalidPki> {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let is_own = node_id
            .strip_prefix(&self.region)
            .is_some_and(|rest| rest.starts_with('-'));
        // 63 bytes is the longest label of a host name (RFC 1035 §2.3.4).
        if !is_own || node_id.len() > 63 || !node_id.bytes().all(legal) {
            return Err(InvalidPki::NodeId(node_id.to_owned(), self.region.clone()));
        }
        // It serves those who bring deliveries.
        let usages = [Usage::ClientAuth, Usage::ServerAuth];
        self.issue(&[node_id.to_owned()], &usages, now)
    }

    /// A certificate for whoever brings deliveries to nodes.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn deliverer_certificate(&self, now: OffsetDateTime) -> Result<Certificate, InvalidPki> {
        self.issue(&[DELIVERER.to_owned()], &[Usage::ClientAuth], now)
    }

    fn issue(
        &self,
        names: &[String],
        usages: &[Usage],
        now: OffsetDateTime,
    ) -> Result<Certificate, InvalidPki> {
        let subject = Subject {
            name: names.first().map_or("", String::as_str),
            hosts: names,
            usages,
            life: LEAF_LIFE,
        };
        Ok(self.authority.issue(&subject, now)?)
    }

    /// Writes `node.pem`, `node.key` and `ca.pem` for the node `node_id` into `folder`.
    ///
    /// # Errors
    /// The id is not legal, or the file system says no.
    pub fn write_node_certificate(
        &self,
        node_id: &str,
        folder: &Path,
        now: OffsetDateTime,
    ) -> Result<(), InvalidPki> {
        let made = self.node_certificate(node_id, now)?;
        create_dir(folder)?;
        write(&folder.join("ca.pem"), self.certificate_pem().as_bytes())?;
        write(&folder.join("node.key"), made.key_pem.as_bytes())?;
        write(&folder.join("node.pem"), made.certificate_pem.as_bytes())
    }
}

pub(crate) fn create_dir(folder: &Path) -> Result<(), InvalidPki> {
    create_private_dir(folder).map_err(|source| InvalidPki::File(folder.to_path_buf(), source))
}

pub(crate) fn write(path: &Path, contents: &[u8]) -> Result<(), InvalidPki> {
    write_private(path, contents).map_err(|source| InvalidPki::File(path.to_path_buf(), source))
}

pub(crate) fn read_optional(path: &Path) -> Result<Option<String>, InvalidPki> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(InvalidPki::File(path.to_path_buf(), error)),
    }
}
