//! A caller that decides itself when it reads.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::Context;

use crate::process::now;

const PATIENCE: Duration = Duration::from_secs(10);

/// Sends a call of its own connection.
pub(crate) fn ask(url: &str, authorization: &str) -> anyhow::Result<TcpStream> {
    let (host, path) = url
        .strip_prefix("http://")
        .and_then(|rest| rest.split_once('/'))
        .with_context(|| format!("`{url}` is no address"))?;
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let head = format!(
        "GET /{path} HTTP/1.1\r\nhost: {host}\r\nauthorization: {authorization}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    Ok(stream)
}

/// Time from the call to the first byte of the answer's body, and the whole answer.
pub(crate) fn first_byte(url: &str, authorization: &str) -> anyhow::Result<(Duration, String)> {
    let asked = now();
    let mut stream = ask(url, authorization)?;
    let mut answer = Vec::new();
    let mut buffer = [0; 16 * 1024];
    while !has_body(&answer) {
        let count = stream.read(&mut buffer)?;
        anyhow::ensure!(count > 0, "the answer ended in its head");
        answer.extend_from_slice(&buffer[..count]);
    }
    let delay = asked.elapsed();
    stream.read_to_end(&mut answer)?;
    Ok((delay, String::from_utf8(answer)?))
}

fn has_body(answer: &[u8]) -> bool {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
    end.is_some_and(|end| answer.len() > end + 4)
}
