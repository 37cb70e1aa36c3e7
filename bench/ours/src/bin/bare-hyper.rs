//! Beneath reqwest: HTTP/1.1 by hyper over connections that are kept, nothing signed, nothing decoded.

use std::sync::Mutex;

use bytes::Bytes;
use cumulo_bench::QUERY;
use cumulo_bench_driver::{Contender, Failure};
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;

struct Hyper {
    address: String,
    idle: Mutex<Vec<SendRequest<Empty<Bytes>>>>,
}

impl Contender for Hyper {
    async fn connect(address: &str) -> Result<Self, Failure> {
        Ok(Self {
            address: address.to_owned(),
            idle: Mutex::default(),
        })
    }

    async fn call(&self) -> Result<(), Failure> {
        let kept = self.idle.lock().map_err(|e| e.to_string())?.pop();
        let mut connection = if let Some(connection) = kept {
            connection
        } else {
            let stream = tokio::net::TcpStream::connect(&self.address).await?;
            stream.set_nodelay(true)?;
            let (connection, driver) = handshake(TokioIo::new(stream)).await?;
            tokio::spawn(driver);
            connection
        };
        let request = Request::post(format!("/?{QUERY}"))
            .header("host", &self.address)
            .body(Empty::new())?;
        let answer = connection.send_request(request).await?;
        let body = answer.into_body().collect().await?.to_bytes();
        if body.is_empty() {
            return Err("an empty answer".into());
        }
        // It is ready again at once: the answer was read to its end.
        self.idle
            .lock()
            .map_err(|e| e.to_string())?
            .push(connection);
        Ok(())
    }
}

fn main() -> Result<(), Failure> {
    cumulo_bench_driver::main::<Hyper>()
}
