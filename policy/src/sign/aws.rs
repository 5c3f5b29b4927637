//! AWS Signature Version 4, in the `Authorization` header.
//!
//! Signed are the host, the content type, all of AWS's own headers, and the body unless the secret
//! says that it is not.

mod canonical;

use sha2::{Digest as _, Sha256};

use self::canonical::{Canonical, PathStyle};
use super::{
    CannotSign, Hash, MacKey, Outgoing, Placed, Scheme, Tools, calendar::Moment, hex, kept::Kept,
};
use crate::secret::SecretBytes;

const AUTHORIZATION: &str = "authorization";
const DATE: &str = "x-amz-date";
const TOKEN: &str = "x-amz-security-token";
/// As hexadecimal digits; it ends the line.
const SIGNATURE_BYTES: usize = 64;
const CONTENT: &str = "x-amz-content-sha256";

/// A caller's lines of these go, whatever of them is put.
const HEADERS: [&str; 4] = [AUTHORIZATION, DATE, TOKEN, CONTENT];

/// What stands in place of a hash.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// Services that take a path as it is and want to be told the body's hash.
const OBJECT_STORES: [&str; 4] = ["s3", "s3express", "s3-object-lambda", "s3-outposts"];

/// What is signed of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Payload {
    Hashed,
    Unsigned,
}

/// The parts of the secret.
#[derive(Debug)]
pub(crate) struct AwsSecret {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: SecretBytes,
    pub(crate) session_token: Option<SecretBytes>,
    pub(crate) region: String,
    pub(crate) service: String,
    pub(crate) payload: Payload,
}

/// Signs requests to one service in one region.
#[derive(Debug)]
pub(crate) struct AwsSigner {
    secret: AwsSecret,
    is_object_store: bool,
    headers: [Box<str>; 4],
    /// The key of the day.
    key: Kept<MacKey>,
}

impl AwsSigner {
    pub(crate) fn new(secret: AwsSecret) -> Self {
        Self {
            is_object_store: OBJECT_STORES.contains(&&*secret.service),
            secret,
            headers: HEADERS.map(Box::from),
            key: Kept::nothing(),
        }
    }

    fn path_style(&self) -> PathStyle {
        if self.is_object_store {
            PathStyle::Plain
        } else {
            PathStyle::Twice
        }
    }

    /// Hash of the body as the signature has it.
    fn payload(&self, request: &Outgoing<'_>) -> Result<String, CannotSign> {
        match self.secret.payload {
            Payload::Unsigned => Ok(UNSIGNED.to_owned()),
            Payload::Hashed => Ok(hex(&request.body_sha256.ok_or(CannotSign)?)),
        }
    }

    /// Whether the target has to be told what was signed of the body.
    fn says_payload(&self) -> bool {
        self.is_object_store || self.secret.payload == Payload::Unsigned
    }

    /// Of a canonical request: scope, names of what is signed, signature.
    fn authorization(
        &self,
        canonical: &Canonical,
        moment: &Moment,
    ) -> Result<SecretBytes, CannotSign> {
        let AwsSecret {
            access_key_id,
            region,
            service,
            ..
        } = &self.secret;
        let scope = format!("{}/{region}/{service}/aws4_request", moment.day);
        let hashed = hex(&Sha256::digest(&canonical.text));
        let text = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{hashed}", moment.second);
        let signature = hex(&self.key_of(moment)?.mac(text.as_bytes()));
        let names = &canonical.signed_headers;
        let value = format!(
            "AWS4-HMAC-SHA256 Credential={access_key_id}/{scope}, SignedHeaders={names}, \
             Signature={signature}"
        );
        Ok(SecretBytes::from(value.into_bytes()))
    }

    fn key_of(&self, moment: &Moment) -> Result<MacKey, CannotSign> {
        // One moment stands for the whole day.
        let last_ms = moment.day_end_ms.saturating_sub(1);
        self.key.get_or_make(last_ms, || {
            let AwsSecret {
                secret_access_key,
                region,
                service,
                ..
            } = &self.secret;
            let first = SecretBytes::from([b"AWS4", secret_access_key.expose()].concat());
            let parts = [&moment.day, region, service, "aws4_request"];
            let mut key = mac_key(&first)?;
            for part in parts {
                key = mac_key(&SecretBytes::from(key.mac(part.as_bytes())))?;
            }
            Ok((key, moment.day_end_ms))
        })
    }
}

fn mac_key(bytes: &SecretBytes) -> Result<MacKey, CannotSign> {
    MacKey::new(Hash::Sha256, bytes.expose()).ok_or(CannotSign)
}

impl Scheme for AwsSigner {
    fn headers(&self) -> &[Box<str>] {
        &self.headers
    }

    fn reads_body(&self) -> bool {
        self.secret.payload == Payload::Hashed
    }

    fn sign(
        &self,
        request: &Outgoing<'_>,
        _tools: &dyn Tools,
    ) -> Result<Vec<Placed<'_>>, CannotSign> {
        let moment = Moment::of(request.now_ms).ok_or(CannotSign)?;
        let payload = self.payload(request)?;
        let mut put = vec![(DATE, SecretBytes::from(moment.second.as_bytes()))];
        if self.says_payload() {
            put.push((CONTENT, SecretBytes::from(payload.as_bytes())));
        }
        if let Some(token) = &self.secret.session_token {
            put.push((TOKEN, token.clone()));
        }
        let signed = request.headers.iter().copied();
        let mut signed: Vec<(&[u8], &[u8])> = signed.filter(|(name, _)| is_signed(name)).collect();
        signed.push((b"host", request.host));
        signed.extend(
            put.iter()
                .map(|(name, value)| (name.as_bytes(), value.expose())),
        );
        let canonical = Canonical::of(request, (self.path_style(), &signed), &payload);
        let authorization = self.authorization(&canonical, &moment)?;
        put.push((AUTHORIZATION, authorization));
        let placed = put.into_iter().map(|(name, value)| {
            let length = value.expose().len();
            let secret = match name {
                TOKEN => 0..length,
                AUTHORIZATION => length.saturating_sub(SIGNATURE_BYTES)..length,
                _ => 0..0,
            };
            Placed {
                header: Some(name),
                value,
                secret,
            }
        });
        Ok(placed.collect())
    }
}

/// Whether a header of the caller's is signed: Envoy passes it as it is, and AWS wants it.
fn is_signed(name: &[u8]) -> bool {
    name == b"content-type" || name.starts_with(b"x-amz-")
}

#[cfg(test)]
mod tests;
