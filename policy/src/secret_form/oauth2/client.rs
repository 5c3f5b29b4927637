//! How the client shows at the token endpoint who it is.

use serde_json::Value;

use crate::{
    form::{
        fields::Fields,
        problem::{Fault, Invalid},
    },
    jose::{Curve, Numbers, read_pem},
    secret::SecretText,
    secret_form::{
        obtained::{name, pem},
        private_key::{self, JwsKey, KeyKind, PrivateKey, private_key},
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
    /// With its algorithm.
    pub key: JwsKey,
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
    let algorithm = fields.optional("assertionAlgorithm", private_key::algorithm);
    let key = JwsKey::read(fields, algorithm);
    let key_id = fields.optional("keyId", name);
    let audience = fields.optional("assertionAudience", name);
    Some(Signer {
        key: key?,
        key_id,
        audience,
    })
}

/// `clientCertificate {certificate, privateKey}`
fn certificate(fields: &mut Fields<'_>) -> Option<Certificate> {
    let read = fields.object("clientCertificate", |mut fields| {
        let certificate = fields.required("certificate", certificates);
        let private_key = fields.required("privateKey", |value| {
            let key = tls_key(value)?;
            let certified = certificate.as_ref().map(|(_, numbers)| numbers);
            if certified.is_some_and(|numbers| !key.public().is_some_and(|it| it.is(numbers))) {
                let text = "must be the key of `certificate`";
                return Err(Invalid::new(Fault::InvalidSecret, text));
            }
            pem("PRIVATE KEY")(value)
        });
        fields.finish();
        Some(Certificate {
            certificate: certificate?.0,
            private_key: private_key?,
        })
    });
    read.flatten()
}

/// A chain, and the key of the first of its certificates, which is the client's (RFC 8446 §4.4.2).
fn certificates(value: &Value) -> Result<(SecretText, Numbers), Invalid> {
    const END: &str = "-----END CERTIFICATE-----";
    let chain = pem("CERTIFICATE")(value)?;
    let text = chain.expose();
    let end = text.find(END).map_or(text.len(), |at| at + END.len());
    let leaf = text.get(..end).map(read_pem);
    let key = match leaf {
        Some(Ok(key)) if text.trim_start().starts_with("-----BEGIN CERTIFICATE") => key,
        Some(_) | None => {
            let text = "must begin with a certificate of an RSA, EC (P-256, P-384) or Ed25519 key";
            return Err(Invalid::new(Fault::InvalidSecret, text));
        }
    };
    Ok((chain, key.numbers))
}

/// TLS here does not sign on P-521.
fn tls_key(value: &Value) -> Result<PrivateKey, Invalid> {
    let key = private_key(value)?;
    if key.kind == KeyKind::Ec(Curve::P521) {
        let text = "must be an RSA, P-256, P-384 or Ed25519 key";
        return Err(Invalid::new(Fault::InvalidSecret, text));
    }
    Ok(key)
}
