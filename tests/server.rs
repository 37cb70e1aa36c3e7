//! A TCP server that answers with given bytes, HTTP or not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A running server; it ends with the test's runtime.
#[derive(Debug, Clone)]
pub struct Listener {
    /// `127.0.0.1:port`.
    pub address: String,
    connections: Arc<AtomicUsize>,
}

impl Listener {
    /// The connections so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Answers every connection with `bytes` after its first bytes came, then closes it. Without bytes it
/// stays silent and keeps the connection open.
///
/// # Panics
/// When no port is free.
pub async fn serve(bytes: impl Into<Vec<u8>>) -> Listener {
    let bytes = Arc::new(bytes.into());
    serve_by(move |mut stream, _| {
        let bytes = Arc::clone(&bytes);
        async move {
            let mut start = [0; 4096];
            let _ = stream.read(&mut start).await;
            if bytes.is_empty() {
                std::future::pending::<()>().await;
            }
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
    })
    .await
}

/// Serves every connection, of which the first has number 0, by what `serve` makes of it.
///
/// # Panics
/// When no port is free.
pub async fn serve_by<F>(serve: impl Fn(TcpStream, usize) -> F + Send + 'static) -> Listener
where
    F: Future<Output = ()> + Send + 'static,
{
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let listener = Listener {
        address: socket.local_addr().expect("a bound socket").to_string(),
        connections: Arc::default(),
    };
    let connections = Arc::clone(&listener.connections);
    tokio::spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            let number = connections.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(serve(stream, number));
        }
    });
    listener
}
