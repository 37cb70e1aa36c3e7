//! A peer on loopback that answers when the test says so, or never.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};

/// It takes requests and keeps quiet.
pub(crate) struct Peer {
    pub(crate) address: String,
    requests: Receiver<Request>,
}

/// A request that has arrived whole, and its connection.
pub(crate) struct Request {
    pub(crate) head: String,
    stream: TcpStream,
}

impl Peer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (sender, requests) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let sender = sender.clone();
                std::thread::spawn(move || {
                    if let Some(request) = Request::read(stream) {
                        // The test may be over.
                        let _ = sender.send(request);
                    }
                });
            }
        });
        Self { address, requests }
    }

    /// The next request, once it has arrived.
    pub(crate) fn next(&self) -> Request {
        self.requests.recv().unwrap()
    }
}

impl Request {
    fn read(mut stream: TcpStream) -> Option<Self> {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).ok()?;
            head.push(byte[0]);
        }
        Some(Self {
            head: String::from_utf8(head).unwrap(),
            stream,
        })
    }

    /// The value that follows `name` in the head, up to what ends a parameter or a header.
    pub(crate) fn value(&self, name: &str) -> String {
        let lower = self.head.to_lowercase();
        let at = lower.find(&name.to_lowercase()).expect("it is in the head") + name.len();
        let value = self.head[at..].split(['&', ' ', '\r']).next();
        value.unwrap_or_default().to_owned()
    }

    pub(crate) fn answer(mut self, status: u16, body: &[u8]) {
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        // Whoever asked may have been ended by a signal meanwhile.
        let _ = self
            .stream
            .write_all(head.as_bytes())
            .and_then(|()| self.stream.write_all(body));
    }
}

/// Sends a signal, such as `INT`.
pub(crate) fn kill(child: &Child, signal: &str) {
    let sent = Command::new("kill")
        .args([&format!("-{signal}"), &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}
