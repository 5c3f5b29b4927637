//! Failures are counted by the address at the other end of the connection, whatever is claimed.

use std::net::{SocketAddr, TcpStream};

use tokio::net::TcpSocket;

use super::{Home, Running, exchange_on};

/// Failures of an address in a minute.
const LIMIT: usize = 3;

/// A connection from one of this machine's own addresses.
async fn connected(from: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    let from = format!("{from}:0").parse().unwrap();
    socket.bind(from).unwrap();
    let connection = socket.connect(to).await.unwrap().into_std().unwrap();
    connection.set_nonblocking(false).unwrap();
    connection
}

/// The status of a call with a token that does not exist.
async fn failure(running: &Running, from: &str, forwarded_for: &str) -> u16 {
    let request = format!(
        "GET /api/regions HTTP/1.1\r\nHost: x\r\nAuthorization: u-unknown\r\n\
         X-Forwarded-For: {forwarded_for}\r\nForwarded: for={forwarded_for}\r\n\
         X-Real-IP: {forwarded_for}\r\nConnection: close\r\n\r\n"
    );
    let connection = connected(from, running.rest).await;
    let answer = exchange_on(connection, request.as_bytes());
    let status = answer.split(' ').nth(1).unwrap_or_default();
    status.parse().unwrap_or_else(|_| panic!("{answer}"))
}

/// Fails until that is refused; a new minute may begin meanwhile, but not two.
async fn used_up(running: &Running, from: &str, forwarded_for: impl Fn(usize) -> String) {
    for attempt in 0..=2 * LIMIT {
        match failure(running, from, &forwarded_for(attempt)).await {
            401 => {}
            status => return assert_eq!(status, 429),
        }
    }
    panic!("{from} may fail as often as it likes");
}

#[tokio::test]
async fn nobody_fails_more_often_by_claiming_to_be_somebody_else() {
    let home = Home::new(&format!("failures_per_minute = {LIMIT}"));
    let running = home.start();
    used_up(&running, "127.0.0.1", |n| format!("198.51.100.{n}")).await;
    assert_eq!(failure(&running, "127.0.0.2", "127.0.0.1").await, 401);
}

#[tokio::test]
async fn a_trusted_balancer_says_whose_failures_those_are() {
    let home = Home::new(&format!(
        "failures_per_minute = {LIMIT}\ntrusted_proxies = [\"127.0.0.3/32\"]"
    ));
    let running = home.start();
    // What a stranger wrote stands before what the balancer appends.
    used_up(&running, "127.0.0.3", |n| {
        format!("203.0.113.{n}, 198.51.100.1")
    })
    .await;
    let other = failure(&running, "127.0.0.3", "198.51.100.1, 198.51.100.2");
    assert_eq!(other.await, 401);
    used_up(&running, "127.0.0.1", |n| format!("198.51.100.{n}")).await;
}
