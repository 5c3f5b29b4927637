//! The first message of a link: who the region is today.

use requestrocket_proto::region::v1::{Hello, RegionMessage, region_message::Kind};
use tonic::Status;

use crate::region::sealing::RegionKey;

/// A longer URL is a mistake.
const MAX_URL_BYTES: usize = 1024;

/// A hello that makes sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Introduction {
    pub(super) stored_revision: u64,
    pub(super) key: RegionKey,
    pub(super) base_url: String,
}

impl TryFrom<RegionMessage> for Introduction {
    type Error = Status;

    fn try_from(message: RegionMessage) -> Result<Self, Status> {
        let RegionMessage { kind } = message;
        let Some(Kind::Hello(hello)) = kind else {
            return Err(Status::invalid_argument("the first message must be hello"));
        };
        let Hello {
            stored_revision,
            sealing_public_key,
            base_url,
        } = hello;
        let key = RegionKey::try_from(sealing_public_key.as_ref())
            .map_err(|invalid| Status::invalid_argument(invalid.to_string()))?;
        if !is_base_url(&base_url) {
            let problem = "base_url must be an http or https URL without a trailing slash";
            return Err(Status::invalid_argument(problem));
        }
        Ok(Self {
            stored_revision,
            key,
            base_url,
        })
    }
}

fn is_base_url(text: &str) -> bool {
    let Ok(url) = text.parse::<http::Uri>() else {
        return false;
    };
    text.len() <= MAX_URL_BYTES
        && matches!(url.scheme_str(), Some("http" | "https"))
        && url.host().is_some_and(|host| !host.is_empty())
        && url.query().is_none()
        && !text.ends_with('/')
        && !text.contains('@')
}

#[cfg(test)]
mod tests {
    use requestrocket_policy::envelope::sealing::SealingPrivateKey;
    use requestrocket_proto::region::v1::Stored;

    use super::*;

    fn hello(base_url: &str, key: Vec<u8>) -> RegionMessage {
        let base_url = base_url.to_owned();
        let hello = Hello {
            stored_revision: 7,
            sealing_public_key: key.into(),
            base_url,
        };
        RegionMessage {
            kind: Some(Kind::Hello(hello)),
        }
    }

    fn key() -> Vec<u8> {
        SealingPrivateKey::generate()
            .unwrap()
            .public_key()
            .to_bytes()
            .to_vec()
    }

    #[test]
    fn a_region_says_where_it_is_and_what_it_has() {
        for url in [
            "https://eu.example.com",
            "http://127.0.0.1:20001",
            "https://h/gateway",
        ] {
            let introduction = Introduction::try_from(hello(url, key())).unwrap();
            assert_eq!(
                (introduction.stored_revision, introduction.base_url.as_str()),
                (7, url)
            );
        }
    }

    #[test]
    fn a_hello_without_sense_is_refused() {
        for url in [
            "",
            "eu.example.com",
            "ftp://h",
            "https://h/",
            "https://u:p@h",
            "https://h?q",
            "/",
        ] {
            let refusal = Introduction::try_from(hello(url, key())).unwrap_err();
            assert_eq!(refusal.code(), tonic::Code::InvalidArgument, "{url}");
        }
        let url = "https://h";
        for message in [
            hello(url, vec![]),
            hello(url, vec![0; 32]),
            RegionMessage { kind: None },
            RegionMessage {
                kind: Some(Kind::Stored(Stored { revision: 1 })),
            },
        ] {
            let refusal = Introduction::try_from(message).unwrap_err();
            assert_eq!(refusal.code(), tonic::Code::InvalidArgument);
        }
    }
}
