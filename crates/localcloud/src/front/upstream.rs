//! How does a request get from the front to wiremock and its answer back? Over a few kept-open
//! connections, with the parts that HTTP libraries normalise in headers of our own.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::backend;
use crate::wire::{Reply, Request};

/// wiremock answers one request at a time; a few connections keep it busy.
const CONNECTIONS: usize = 8;

/// The way to wiremock.
#[derive(Debug)]
pub(super) struct Upstream {
    address: SocketAddr,
    idle: Mutex<Vec<TcpStream>>,
    permits: Arc<Semaphore>,
}

impl Upstream {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            idle: Mutex::default(),
            permits: Arc::new(Semaphore::new(CONNECTIONS)),
        }
    }

    /// Has `request` answered. Never sends a request twice.
    pub(super) async fn send(&self, id: u64, request: &Request) -> io::Result<Reply> {
        let _permit = self.permits.acquire().await.map_err(io::Error::other)?;
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let mut stream = if let Some(stream) = idle {
            stream
        } else {
            let stream = TcpStream::connect(self.address).await?;
            stream.set_nodelay(true)?;
            stream
        };
        stream.write_all(&encode(id, request)).await?;
        let reply = read_reply(&mut stream, request.method == "HEAD").await?;
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(stream);
        Ok(reply)
    }
}

fn encode(id: u64, request: &Request) -> Vec<u8> {
    let mut out = format!(
        "{} / HTTP/1.1\r\nhost: localcloud\r\ncontent-length: {}\r\n",
        request.method,
        request.body.len()
    );
    let mut add = |name: &str, value: &str| {
        out.push_str(name);
        out.push_str(": ");
        out.push_str(value);
        out.push_str("\r\n");
    };
    add(backend::EXCHANGE, &id.to_string());
    add(backend::SERVICE, request.service.name());
    add(backend::TARGET, &request.target);
    for (name, value) in &request.headers {
        if backend::is_ours(name) {
            continue;
        }
        if backend::is_hop_by_hop(name) {
            add(&format!("{}{name}", backend::KEPT), value);
        } else {
            add(name, value);
        }
    }
    out.push_str("\r\n");
    let mut out = out.into_bytes();
    out.extend_from_slice(&request.body);
    out
}

async fn read_reply(stream: &mut TcpStream, head_only: bool) -> io::Result<Reply> {
    let mut buffer = Vec::with_capacity(4096);
    loop {
        if stream.read_buf(&mut buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut parsed = httparse::Response::new(&mut headers);
        let status = parsed.parse(&buffer).map_err(io::Error::other)?;
        let httparse::Status::Complete(head) = status else {
            continue;
        };
        let mut reply = Reply::new(parsed.code.unwrap_or(500));
        let mut length = 0;
        for header in parsed.headers.iter() {
            let value = String::from_utf8_lossy(header.value).into_owned();
            if header.name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().map_err(io::Error::other)?;
            } else {
                reply.headers.push((header.name.to_owned(), value));
            }
        }
        if head_only {
            length = 0;
        }
        let mut body = buffer.split_off(head);
        let missing = length - body.len().min(length);
        let start = body.len();
        body.resize(start + missing, 0);
        stream.read_exact(&mut body[start..]).await?;
        reply.body = body;
        return Ok(reply);
    }
}
