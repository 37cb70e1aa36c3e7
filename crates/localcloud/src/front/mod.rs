//! How do requests come in, and how are answers lost? hyper serves each connection; what a fault
//! does to it is done to its stream, and how it ends is told here.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod line;
mod message;

use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::cloud::{Cloud, Fate};
use crate::wire::Service;
use line::{End, Line};
use message::{After, Answer};

/// Larger request heads are refused.
const MAX_HEAD: usize = 512 * 1024;
/// A peer that neither sends nor closes holds a connection no longer than this.
const LINGER: Duration = Duration::from_millis(500);
/// A peer that does not shake hands holds a connection no longer than this.
#[cfg(feature = "tls")]
const HANDSHAKE: Duration = Duration::from_secs(10);

/// What makes connections secret, if anything does.
#[cfg(feature = "tls")]
pub(crate) type Secrecy = Option<crate::tls::Tls>;
/// Nothing makes connections secret.
#[cfg(not(feature = "tls"))]
pub(crate) type Secrecy = Option<Never>;

#[cfg(not(feature = "tls"))]
#[derive(Clone)]
pub(crate) enum Never {}

/// Where connections come in.
pub(crate) struct Served {
    pub(crate) listeners: Vec<(Service, StdListener)>,
    pub(crate) unreachable: StdListener,
    pub(crate) secrecy: Secrecy,
}

/// Serves until `stop` is dropped; reports through `ready` once the ports are served. All
/// connections end with the runtime that it runs on.
pub(crate) async fn run(
    cloud: Arc<Cloud>,
    served: Served,
    ready: oneshot::Sender<io::Result<()>>,
    stop: oneshot::Receiver<()>,
) {
    let started = listen(&cloud, served);
    let failed = started.is_err();
    if ready.send(started).is_err() || failed {
        return;
    }
    // Either a message or the loss of the sender ends the cloud.
    let _ = stop.await;
}

fn listen(cloud: &Arc<Cloud>, served: Served) -> io::Result<()> {
    for (service, listener) in served.listeners {
        let listener = into_tokio(listener)?;
        let cloud = Arc::clone(cloud);
        let secrecy = served.secrecy.clone();
        tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        let secrecy = secrecy.clone();
                        tokio::spawn(serve(Arc::clone(&cloud), service, secrecy, stream));
                    }
                    // Out of file descriptors: wait until some connection has ended.
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        });
    }
    let unreachable = into_tokio(served.unreachable)?;
    let cloud = Arc::clone(cloud);
    tokio::spawn(async move {
        while let Ok((stream, _)) = unreachable.accept().await {
            cloud.stray_connections.fetch_add(1, Ordering::SeqCst);
            drop(stream);
        }
    });
    Ok(())
}

fn into_tokio(listener: StdListener) -> io::Result<TcpListener> {
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

async fn serve(cloud: Arc<Cloud>, service: Service, secrecy: Secrecy, stream: TcpStream) {
    // Without it, an answer of two segments would wait for the client's acknowledgement.
    let _ = stream.set_nodelay(true);
    #[cfg(feature = "tls")]
    if let Some(tls) = secrecy {
        // Who does not shake hands, or speaks plain HTTP, is told so by TLS and gets nothing else.
        let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, tls.acceptor.accept(stream)).await
        else {
            return;
        };
        match converse(cloud, service, stream).await {
            (stream, Some(Lost::Reset)) => drop(stream.get_ref().0.set_zero_linger()),
            (stream, _) => close(stream).await,
        }
        return;
    }
    #[cfg(not(feature = "tls"))]
    let None = secrecy;
    match converse(cloud, service, stream).await {
        // Zero linger makes the close send RST; if the system refuses, it is a plain close.
        (stream, Some(Lost::Reset)) => drop(stream.set_zero_linger()),
        (stream, _) => close(stream).await,
    }
}

/// Answers everything that comes on a connection; gives the stream back as it is when no more
/// requests are taken, and why an answer was withheld, if one was.
async fn converse<S>(cloud: Arc<Cloud>, service: Service, stream: S) -> (S, Option<Lost>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let end = End::default();
    let line = TokioIo::new(Line::new(stream, end.clone()));
    let mut connection = http1::Builder::new()
        // The services date their answers by their own clock.
        .auto_date_header(false)
        // Whoever has sent everything may close that side and still read.
        .half_close(true)
        .max_buf_size(MAX_HEAD)
        .serve_connection(
            line,
            service_fn(|request| Box::pin(respond(&cloud, service, request, &end))),
        );
    let result = poll_fn(|cx| connection.poll_without_shutdown(cx)).await;
    let lost = result.err().and_then(|error| {
        let cause = error.source()?.downcast_ref::<Lost>();
        cause.copied()
    });
    (connection.into_parts().io.into_inner().stream, lost)
}

async fn respond(
    cloud: &Cloud,
    service: Service,
    request: hyper::Request<Incoming>,
    end: &End,
) -> Result<Response<Answer>, Lost> {
    let (head, body) = request.into_parts();
    let mut request = message::head(service, &head);
    let mut stream = None;
    if cloud.streams(&request) {
        stream = Some(body);
    } else {
        request.body = match message::body(body).await {
            Ok(body) => body,
            Err(refusal) => return Ok(message::write(refusal, After::Close, None, end)),
        };
    }
    let head_only = request.method == "HEAD";
    match cloud.handle(request, stream).await {
        Fate::Answer(reply) => Ok(message::write(reply, After::Next, None, end)),
        Fate::Stream(reply, stream) => Ok(message::pass_on(reply, stream, end)),
        Fate::Cut(reply, length) => {
            // A whole answer ends the connection by saying so.
            let whole = head_only || length >= reply.body.len();
            let after = if whole { After::Close } else { After::Next };
            Ok(message::write(reply, after, Some(length), end))
        }
        Fate::Close => Err(Lost::Closed),
        Fate::Reset => Err(Lost::Reset),
    }
}

/// Why a request gets no answer, and how the connection ends.
#[derive(Clone, Copy, Debug)]
enum Lost {
    Closed,
    Reset,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer is lost on purpose")
    }
}

impl Error for Lost {}

/// Ends the connection in good order, taking in what the peer is still sending.
async fn close<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    if stream.shutdown().await.is_ok() {
        let mut part = Vec::with_capacity(16 * 1024);
        let drain = async {
            while let Ok(1..) = stream.read_buf(&mut part).await {
                part.clear();
            }
        };
        let _ = tokio::time::timeout(LINGER, drain).await;
    }
}
