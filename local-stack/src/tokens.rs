//! The tokens that core-api gives out once, at its first start: what later runs need of them is kept
//! here, and the file that they came in goes.

use anyhow::Context;

use crate::client::Tokens;
use crate::files::{DataDir, read_json, remove, write_json};

/// Where core-api writes them.
pub(crate) const GIVEN: &str = "bootstrap.json";
/// Where they are kept.
const KEPT: &str = "tokens.json";

/// Takes what was given, if something was. To be done also before core-api starts, which never
/// writes over such a file.
///
/// # Errors
/// The files cannot be read or written.
pub(crate) fn take(data: &DataDir) -> anyhow::Result<()> {
    let given = data.file(GIVEN);
    // What was given last counts: the store may be a new one.
    if let Some(tokens) = read_json::<Tokens>(&given)? {
        // In this order: a crash in between leaves two copies and not none.
        write_json(&data.file(KEPT), &tokens)?;
        remove(&given)?;
    }
    Ok(())
}

/// Those that are kept.
///
/// # Errors
/// There are none.
pub(crate) fn kept(data: &DataDir) -> anyhow::Result<Tokens> {
    let path = data.file(KEPT);
    read_json(&path)?.with_context(|| {
        let path = path.display();
        format!("`{path}` is gone, and with it the only copy of the first tokens")
    })
}
