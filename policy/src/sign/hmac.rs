//! HMAC over a text that the credential lays out.

mod template;

use base64::{Engine as _, engine::general_purpose::STANDARD};

pub(crate) use self::template::Template;
use super::{CannotSign, MacKey, Outgoing, Placed, Scheme, Tools, hex};
use crate::secret::SecretBytes;

/// How the signature is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Hex,
    Base64,
}

/// Where the signature goes, and the time that it is of. Names are in lower case.
#[derive(Debug)]
pub(crate) struct HmacPlaces {
    pub(crate) header: String,
    /// Before the signature.
    pub(crate) prefix: String,
    pub(crate) timestamp_header: Option<String>,
}

/// Signs a text made of the request.
#[derive(Debug)]
pub(crate) struct HmacSigner {
    key: MacKey,
    template: Template,
    encoding: Encoding,
    prefix: Box<str>,
    /// That of the signature, and that of the time if there is one.
    headers: Box<[Box<str>]>,
}

impl HmacSigner {
    pub(crate) fn new(
        key: MacKey,
        template: Template,
        encoding: Encoding,
        places: HmacPlaces,
    ) -> Self {
        let HmacPlaces {
            header,
            prefix,
            timestamp_header,
        } = places;
        let headers = std::iter::once(header).chain(timestamp_header);
        Self {
            key,
            template,
            encoding,
            prefix: prefix.into(),
            headers: headers.map(String::into_boxed_str).collect(),
        }
    }
}

impl Scheme for HmacSigner {
    fn headers(&self) -> &[Box<str>] {
        &self.headers
    }

    fn reads_body(&self) -> bool {
        self.template.reads_body()
    }

    fn sign(
        &self,
        request: &Outgoing<'_>,
        _tools: &dyn Tools,
    ) -> Result<Vec<Placed<'_>>, CannotSign> {
        let seconds = (request.now_ms / 1_000).to_string();
        let of_time = self.headers.get(1).map(|name| &**name);
        let text = self.template.fill(request, (&seconds, of_time))?;
        let mac = self.key.mac(&text);
        let signature = match self.encoding {
            Encoding::Hex => hex(&mac),
            Encoding::Base64 => STANDARD.encode(mac),
        };
        let value = [&*self.prefix, &signature].concat();
        let secret = self.prefix.len()..value.len();
        let placed = self.headers.iter().zip([(value, secret), (seconds, 0..0)]);
        Ok(placed
            .map(|(name, (value, secret))| Placed {
                header: Some(name),
                value: SecretBytes::from(value.into_bytes()),
                secret,
            })
            .collect())
    }
}

#[cfg(test)]
mod tests;
