//! Messages of the filter's policy in TEXT columns: base64 of their encoding.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost::Message;

pub(super) fn encode(message: &impl Message) -> String {
    STANDARD.encode(message.encode_to_vec())
}

/// None for what `encode` did not make.
pub(super) fn decode<M: Message + Default>(column: Option<&str>) -> Option<M> {
    let bytes = STANDARD.decode(column?).ok()?;
    M::decode(bytes.as_slice()).ok()
}

pub(super) fn encode_list(messages: &[impl Message]) -> String {
    let encoded = messages.iter().map(Message::encode_length_delimited_to_vec);
    STANDARD.encode(encoded.collect::<Vec<_>>().concat())
}

/// None for what `encode_list` did not make.
pub(super) fn decode_list<M: Message + Default>(column: Option<&str>) -> Option<Vec<M>> {
    let bytes = STANDARD.decode(column?).ok()?;
    let (mut rest, mut messages) = (bytes.as_slice(), Vec::new());
    while !rest.is_empty() {
        messages.push(M::decode_length_delimited(&mut rest).ok()?);
    }
    Some(messages)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use requestrocket_proto::policy::v1::{Effect, Layer, Limits};

    use super::*;

    #[test]
    fn what_nobody_encoded_is_nothing() {
        for column in [None, Some("%%%"), Some("/////w=="), Some("CAE=x")] {
            assert_eq!(decode::<Layer>(column), None, "{column:?}");
            assert_eq!(decode_list::<Layer>(column), None, "{column:?}");
        }
        // Half a message.
        let whole = encode_list(&[Layer {
            default_effect: Effect::Allow.into(),
            rules: Vec::new(),
            redactions: Vec::new(),
        }]);
        let bytes = STANDARD.decode(whole).unwrap();
        let half = STANDARD.encode(&bytes[..2]);
        assert_eq!(decode_list::<Layer>(Some(&half)), None);
    }

    fn limits() -> impl Strategy<Value = Limits> {
        let limit = || proptest::option::of(any::<u64>());
        (limit(), limit(), limit(), limit()).prop_map(|(minute, hour, day, month)| Limits {
            minute,
            hour,
            day,
            month,
        })
    }

    proptest! {
        #[test]
        fn messages_come_back_as_they_were(list in proptest::collection::vec(limits(), 0..4)) {
            prop_assert_eq!(decode_list(Some(&encode_list(&list))), Some(list.clone()));
            for one in list {
                prop_assert_eq!(decode(Some(&encode(&one))), Some(one));
            }
        }

        #[test]
        fn no_text_is_a_panic(text in ".*") {
            let _ = decode::<Layer>(Some(&text));
            let _ = decode_list::<Layer>(Some(&text));
        }
    }
}
