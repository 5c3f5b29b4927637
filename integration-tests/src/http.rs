//! Clients of HTTP.

use reqwest::{Client, ClientBuilder};

/// A client that goes through no proxy. reqwest asks for somebody who does its cryptography, whether
/// or not there is any.
pub fn client() -> ClientBuilder {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy()
}
