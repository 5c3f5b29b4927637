//! What is put on a request and taken off it.

use requestrocket_policy::exchange::Edit;

use crate::host::{Host, HostFailure};

/// Makes one edit.
pub(super) fn apply(host: &impl Host, edit: &Edit<'_>) -> Result<(), HostFailure> {
    match edit {
        Edit::SetPath(path) => host.set_request_header(":path", path),
        Edit::SetHeader(name, value) => host.set_request_header(name, value),
        Edit::SetComputed(name, value) => host.set_request_header(name, value.expose()),
        Edit::RemoveHeader(name) => host.remove_request_header(name),
        Edit::Warn(text) => host.warn_caller(text),
    }
}
