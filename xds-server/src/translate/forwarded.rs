//! What a target is told of who called: the caller's own words, and its address.
//!
//! Behind our filter, which judges what the caller said, and before the router, because what is done
//! behind that is done for each try.

use envoy_types::pb::envoy::config::common::mutation_rules::v3::HeaderMutation as Mutation;
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
    let [without_envoys, with_callers] = put_back();
    let request_mutations = vec![
        without_envoys,
        with_callers,
        put_header(LIST, &after_list, HeaderAppendAction::OverwriteIfExists),
        put_header(LIST, PEER, HeaderAppendAction::AddIfAbsent),
        // A target could take it for the list that ends with the peer.
        remove_matching("x_forwarded[-_]for|x-forwarded_for"),
    ];
    mutation(request_mutations)
}

/// Only puts back what Envoy replaced.
pub(super) fn restored() -> HeaderMutation {
    mutation(put_back().into())
}

/// Envoy made this one; the caller's own, if there was one, is put back.
fn put_back() -> [Mutation; 2] {
    const NAME: &str = "x-forwarded-proto";
    [remove_header(NAME), set_header(NAME, "%REQ(x-rr-xfp)%")]
}

fn mutation(request_mutations: Vec<Mutation>) -> HeaderMutation {
    let mutations = Mutations {
        request_mutations,
        ..Mutations::default()
    };
    HeaderMutation {
        mutations: Some(mutations),
        ..HeaderMutation::default()
    }
}
