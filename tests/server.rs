//! A TCP server that answers with given bytes, HTTP or not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

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
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let listener = Listener {
        address: socket.local_addr().expect("a bound socket").to_string(),
        connections: Arc::default(),
    };
    let connections = Arc::clone(&listener.connections);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = socket.accept().await {
            connections.fetch_add(1, Ordering::SeqCst);
            let bytes = Arc::clone(&bytes);
            tokio::spawn(async move {
                let mut start = [0; 4096];
                let _ = stream.read(&mut start).await;
                if bytes.is_empty() {
                    std::future::pending::<()>().await;
                }
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    listener
}
