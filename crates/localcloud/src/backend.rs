//! Who makes the answers? wiremock, with one mock that hands every request to the services.

use std::sync::Arc;

use wiremock::http::{HeaderName, HeaderValue};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Respond, ResponseTemplate};

use crate::cloud::Cloud;
use crate::wire::{Call, Reply, Request, Service};

const PREFIX: &str = "x-localcloud-";
/// Number of the exchange, under which the front left its wishes.
pub(crate) const EXCHANGE: &str = "x-localcloud-exchange";
/// Name of the service whose port the request came to.
pub(crate) const SERVICE: &str = "x-localcloud-service";
/// The target of the request line as it was sent.
pub(crate) const TARGET: &str = "x-localcloud-target";
/// Prefix of headers that belong to the client's connection and yet may be signed.
pub(crate) const KEPT: &str = "x-localcloud-kept-";

/// Whether a header is one of the front's own.
pub(crate) fn is_ours(name: &str) -> bool {
    name.get(..PREFIX.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}

/// Whether a header describes one connection only and must not go on as it is.
pub(crate) fn is_hop_by_hop(name: &str) -> bool {
    const NAMES: [&str; 12] = [
        "host",
        "connection",
        "content-length",
        "transfer-encoding",
        "expect",
        "upgrade",
        "http2-settings",
        "keep-alive",
        "proxy-connection",
        "proxy-authorization",
        "te",
        "trailer",
    ];
    NAMES.iter().any(|one| name.eq_ignore_ascii_case(one))
}

/// Starts wiremock with the services behind it.
pub(crate) async fn start(cloud: &Arc<Cloud>) -> MockServer {
    let server = MockServer::builder()
        .disable_request_recording()
        .start()
        .await;
    mount(&server, cloud).await;
    server
}

/// Puts the services behind `server`.
pub(crate) async fn mount(server: &MockServer, cloud: &Arc<Cloud>) {
    Mock::given(any())
        .respond_with(Services(Arc::clone(cloud)))
        .mount(server)
        .await;
}

struct Services(Arc<Cloud>);

impl Respond for Services {
    fn respond(&self, request: &wiremock::Request) -> ResponseTemplate {
        let header = |name: &str| {
            request
                .headers
                .get(name)
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let id = header(EXCHANGE).and_then(|id| id.parse().ok()).unwrap_or(0);
        let service = header(SERVICE)
            .and_then(|name| Service::ALL.into_iter().find(|one| one.name() == name));
        let (Some(service), Some(target)) = (service, header(TARGET)) else {
            return template(&Reply::text(
                400,
                "come through the ports of the local cloud",
            ));
        };
        let (skew, instead) = self
            .0
            .exchanges()
            .get_mut(&id)
            .map_or((0, None), |exchange| {
                (exchange.skew, exchange.instead.take())
            });
        let request = restore(service, target, request);
        let call = Call {
            request: &request,
            now: self.0.clock.now(skew),
            instead,
        };
        let reply = self.0.answer(&call);
        if let Some(exchange) = self.0.exchanges().get_mut(&id) {
            exchange.verdict.clone_from(&reply.verdict);
            exchange.injected = reply.injected;
        }
        template(&reply)
    }
}

/// The request as the client sent it.
fn restore(service: Service, target: String, request: &wiremock::Request) -> Request {
    let headers = request
        .headers
        .iter()
        .filter_map(|(name, value)| {
            let name = name.as_str();
            let name = match name.strip_prefix(KEPT) {
                Some(kept) => kept,
                None if is_ours(name) || is_hop_by_hop(name) => return None,
                None => name,
            };
            Some((
                name.to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            ))
        })
        .collect();
    Request {
        service,
        method: request.method.as_str().to_owned(),
        target,
        headers,
        body: request.body.clone(),
    }
}

fn template(reply: &Reply) -> ResponseTemplate {
    let status = if (200..1000).contains(&reply.status) {
        reply.status
    } else {
        500
    };
    let mut template = ResponseTemplate::new(status).set_body_bytes(reply.body.clone());
    for (name, value) in &reply.headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::try_from(name.as_str()),
            HeaderValue::try_from(value.as_str()),
        ) {
            template = template.append_header(name, value);
        }
    }
    template
}
