//! What both programs build their client with: ring, as the others, and keys that are given.

/// The configuration of a service of AWS at this address.
#[macro_export]
macro_rules! config {
    ($service:ident, $address:expr) => {
        $service::Config::builder()
            .behavior_version($service::config::BehaviorVersion::latest())
            .region($service::config::Region::new("us-east-1"))
            .endpoint_url(format!("http://{}", $address))
            .credentials_provider($service::config::Credentials::new(
                "testid",
                "testsecret",
                None,
                None,
                "bench",
            ))
            .http_client($crate::client())
            .build()
    };
}

/// HTTP and TLS by hyper and rustls with ring.
pub fn client() -> aws_smithy_runtime_api::client::http::SharedHttpClient {
    use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
    aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https()
}
