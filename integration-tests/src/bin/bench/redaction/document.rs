//! Bodies of a size: an array of objects as a REST API lists them, the same as in the engine's
//! benchmark.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use serde_json::{Value, json};

/// Stands in what is to be taken out.
pub(super) const SECRET: &str = "078-05-1120";

/// Address of a body below the target's.
pub(super) fn path(megabytes: u64) -> String {
    format!("/data/{megabytes}.json")
}

pub(super) fn write_all(folder: &Path, sizes: &[u64]) -> anyhow::Result<()> {
    for megabytes in sizes {
        let file = folder.join(format!("{megabytes}.json"));
        write(&mut BufWriter::new(File::create(file)?), *megabytes)?;
    }
    Ok(())
}

fn write(out: &mut BufWriter<File>, megabytes: u64) -> anyhow::Result<()> {
    let wanted = megabytes * 1_000_000;
    let (mut written, mut number) = (0, 0);
    out.write_all(b"{\"items\":[")?;
    while written < wanted {
        let text = serde_json::to_vec(&item(number))?;
        if number > 0 {
            out.write_all(b",")?;
        }
        out.write_all(&text)?;
        written += u64::try_from(text.len())? + 1;
        number += 1;
    }
    write!(out, "],\"total\":{number}}}")?;
    Ok(out.flush()?)
}

fn item(n: u32) -> Value {
    json!({
        "id": 9_007_199_254_000_000_u64 + u64::from(n),
        "name": format!("Customer {n}"),
        "email": format!("customer{n}@example.com"),
        "ssn": SECRET,
        "active": n.is_multiple_of(3),
        "balance": f64::from(n) * 1.25,
        "address": {"street": "1 Long Street with a \"quote\"", "city": "Zürich", "zip": "8001"},
        "tags": ["new", "eu", "b2b"],
        "card": {"number": "4111111111111111", "cvv": "123", "expires": "12/29"},
        "secret": "s3cr3t",
        "notes": "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod.",
        "parent": null,
    })
}
