//! A target that sends the first record of an answer at once and the rest later.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// Stands in what is to be taken out.
pub(super) const SECRET: &str = "078-05-1120";
/// Stands in the last record only.
pub(super) const LAST: &str = "the last";

/// Whoever waits for the whole answer is this much later.
const PAUSE: Duration = Duration::from_millis(20);

/// Serves until the program ends.
#[derive(Debug)]
pub(super) struct SlowTarget {
    port: u16,
}

impl SlowTarget {
    pub(super) fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || serve(stream));
            }
        });
        Ok(Self { port })
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// Answers the calls of a connection one after another; a caller that went away ends it.
fn serve(stream: TcpStream) {
    let _ended = stream.set_nodelay(true).and_then(|()| {
        let mut reader = BufReader::new(stream);
        while let Some(head) = read_head(&mut reader)? {
            answer(reader.get_mut(), &head)?;
            if head.contains("connection: close") {
                break;
            }
        }
        Ok(())
    });
}

fn read_head(reader: &mut BufReader<TcpStream>) -> std::io::Result<Option<String>> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(None);
        }
    }
    Ok(Some(head))
}

fn answer(stream: &mut TcpStream, head: &str) -> std::io::Result<()> {
    let (kind, first, rest) = if head.contains("/events ") {
        (
            "text/event-stream",
            format!("data: {{\"id\":1,\"ssn\":\"{SECRET}\"}}\n\n"),
            format!("data: {{\"id\":2,\"ssn\":\"{SECRET}\",\"name\":\"{LAST}\"}}\n\n"),
        )
    } else {
        (
            "application/json",
            format!("{{\"items\":[{{\"id\":1,\"ssn\":\"{SECRET}\"}},"),
            format!("{{\"id\":2,\"ssn\":\"{SECRET}\",\"name\":\"{LAST}\"}}]}}"),
        )
    };
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n");
    stream.write_all((head + &chunk(&first)).as_bytes())?;
    std::thread::sleep(PAUSE);
    stream.write_all((chunk(&rest) + "0\r\n\r\n").as_bytes())
}

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}
