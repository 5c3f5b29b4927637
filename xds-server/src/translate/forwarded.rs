//! What a target is told of who called: the caller's own words, and its address.
//!
//! Behind our filter, which judges what the caller said, and before the router, because what is done
//! behind that is done for each try.

use envoy_types::pb::envoy::config::core::v3::header_value_option::HeaderAppendAction;
use envoy_types::pb::envoy::extensions::filters::http::header_mutation::v3::{
    HeaderMutation, Mutations,
};

use super::wire::{put_header, remove_header, remove_matching, set_header};

const LIST: &str = "x-forwarded-for";
const PEER: &str = "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%";

/// Appends the peer to the list, and puts back what Envoy replaced.
pub(super) fn edits() -> HeaderMutation {
    let after_list = format!("%REQ({LIST})%, {PEER}");
    let request_mutations = vec![
        // Envoy made this one; the caller's own, if there was one, is put back.
        remove_header("x-forwarded-proto"),
        set_header("x-forwarded-proto", "%REQ(x-rr-xfp)%"),
        put_header(LIST, &after_list, HeaderAppendAction::OverwriteIfExists),
        put_header(LIST, PEER, HeaderAppendAction::AddIfAbsent),
        // A target could take it for the list that ends with the peer.
        remove_matching("x_forwarded[-_]for|x-forwarded_for"),
    ];
    let mutations = Mutations {
        request_mutations,
        ..Mutations::default()
    };
    HeaderMutation {
        mutations: Some(mutations),
        ..HeaderMutation::default()
    }
}
