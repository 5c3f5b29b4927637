//! How the client shows at the token endpoint who it is.

use crate::{
    form::{
        fields::Fields,
        problem::{Fault, Invalid},
    },
    secret::SecretText,
    secret_form::{
        obtained::{name, pem},
        value::text,
    },
};

/// Who asks an authorization server, and how that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// `clientId`
    pub id: String,
    /// How that is shown.
    pub auth: ClientAuth,
    /// Of TLS.
    pub certificate: Option<Certificate>,
}

impl Client {
    /// `clientId`, `clientAuth`, and what belongs to it.
    pub(in crate::secret_form) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let id = fields.required("clientId", name);
        let certificate = certificate(fields);
        let auth = auth(fields, certificate.is_some());
        Some(Self {
            id: id?,
            auth: auth?,
            certificate,
        })
    }
}

/// One way, and never another by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// `Authorization: Basic`
    Basic(SecretText, IdEncoding),
    /// In the parameters.
    Post(SecretText),
    /// A signed JWT (RFC 7523).
    PrivateKeyJwt(Signer),
    /// The certificate (RFC 8705).
    Tls,
    /// Not at all.
    None,
}

/// How id and secret are written before they are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdEncoding {
    /// As RFC 6749 §2.3.1 wants it.
    Form,
    /// As they are.
    Raw,
}

/// Signs for the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// PEM.
    pub private_key: SecretText,
    /// `kid`
    pub key_id: Option<String>,
    /// `aud`; none: the token URL.
    pub audience: Option<String>,
}

/// A TLS client certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// PEM, the chain.
    pub certificate: SecretText,
    /// PEM.
    pub private_key: SecretText,
}

/// `clientAuth`, and what belongs to it.
fn auth(fields: &mut Fields<'_>, has_certificate: bool) -> Option<ClientAuth> {
    let word = fields.optional("clientAuth", |value| match value.as_str() {
        Some(word @ ("basic" | "post" | "private_key_jwt" | "tls_client" | "none")) => {
            Ok(word.to_owned())
        }
        _ => Err(Invalid::value(
            "must be one of `basic`, `post`, `private_key_jwt`, `tls_client`, `none`",
        )),
    });
    match word.as_deref().unwrap_or("basic") {
        "post" => fields.required("clientSecret", text).map(ClientAuth::Post),
        "private_key_jwt" => signer(fields).map(ClientAuth::PrivateKeyJwt),
        "tls_client" => {
            if !has_certificate {
                let text = "is required with `clientAuth` `tls_client`";
                fields.problem(Fault::ValidationFailed, "clientCertificate", text);
            }
            Some(ClientAuth::Tls)
        }
        "none" => Some(ClientAuth::None),
        _ => {
            let secret = fields.required("clientSecret", text);
            let encoding = fields.optional("clientAuthEncoding", |value| match value.as_str() {
                Some("form") => Ok(IdEncoding::Form),
                Some("raw") => Ok(IdEncoding::Raw),
                _ => Err(Invalid::value("must be `form` or `raw`")),
            });
            Some(ClientAuth::Basic(
                secret?,
                encoding.unwrap_or(IdEncoding::Form),
            ))
        }
    }
}

fn signer(fields: &mut Fields<'_>) -> Option<Signer> {
    let private_key = fields.required("privateKey", pem("PRIVATE KEY"));
    Some(Signer {
        private_key: private_key?,
        key_id: fields.optional("keyId", name),
        audience: fields.optional("assertionAudience", name),
    })
}

/// `clientCertificate {certificate, privateKey}`
fn certificate(fields: &mut Fields<'_>) -> Option<Certificate> {
    let read = fields.object("clientCertificate", |mut fields| {
        let certificate = fields.required("certificate", pem("CERTIFICATE"));
        let private_key = fields.required("privateKey", pem("PRIVATE KEY"));
        fields.finish();
        Some(Certificate {
            certificate: certificate?,
            private_key: private_key?,
        })
    });
    read.flatten()
}
