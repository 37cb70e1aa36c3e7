//! How does a program test its own use of these clients? Without an account, in two ways: against the
//! local cloud, which behaves like the services, and against wiremock, which says what the test wants.
//!
//! `cargo test -p cumulo-examples --example own_tests` runs the tests below.

use cumulo_examples::Stage;
use cumulo_smc::access_token::{DeleteAccessToken, ListAccessTokens};
use cumulo_smc::{Client, Error, Kind};

/// The program: removes all activation codes that are used up, and says how many.
///
/// It is given its client, so that a test can give it another.
async fn tidy(smc: &Client) -> Result<usize, Error> {
    let mut removed = 0;
    let used_up = ListAccessTokens::new().status(ListAccessTokens::STATUS_UNACTIVATED);
    for code in &used_up.send(smc).await?.access_tokens {
        let Some(id) = code.access_token_id.as_deref() else {
            continue;
        };
        match DeleteAccessToken::new(id).send(smc).await {
            Ok(_) => removed += 1,
            // Somebody else was quicker.
            Err(error) if error.kind() == Kind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(removed)
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    // It removes codes, so that it never leaves this machine.
    let stage = Stage::local().await;
    let smc = stage.smc().await?;
    println!("{} removed", tidy(&smc).await?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use cumulo_localcloud::{Fault, FaultKind, LocalCloud, Service, accounts};
    use cumulo_smc::RetryPolicy;
    use cumulo_smc::access_token::{CreateAccessToken, DisableAccessToken};
    use cumulo_smc::credentials::Static;
    use serde_json::json;
    use wiremock::matchers::header;
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;

    fn client(endpoint: &str) -> Client {
        Client::builder()
            .endpoint(endpoint)
            .region(accounts::ALIBABA_REGION)
            .credentials(Static::keys(
                accounts::ALIBABA_KEY_ID,
                accounts::ALIBABA_SECRET,
            ))
            .retry(RetryPolicy::never())
            .build()
            .unwrap()
    }

    /// What was made is there, and what was removed is not: the state is the test's own.
    #[tokio::test]
    async fn only_what_is_used_up_goes() {
        let cloud = LocalCloud::start().await;
        let smc = client(&cloud.smc_endpoint());
        for _ in 0..3 {
            CreateAccessToken::new().send(&smc).await.unwrap();
        }
        let all = ListAccessTokens::new().send(&smc).await.unwrap();
        let first = all.access_tokens[0].access_token_id.as_deref().unwrap();
        DisableAccessToken::new(first).send(&smc).await.unwrap();

        assert_eq!(tidy(&smc).await.unwrap(), 1);
        let left = ListAccessTokens::new().send(&smc).await.unwrap();
        assert_eq!(left.access_tokens.len(), 2);
    }

    /// What the real service does once a year.
    #[tokio::test]
    async fn an_outage_is_told() {
        let cloud = LocalCloud::start().await;
        cloud.inject(Fault::new(Service::Smc, FaultKind::Html(502)));
        let error = tidy(&client(&cloud.smc_endpoint())).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable);
    }

    /// One answer, word for word, that the local cloud would never give.
    #[tokio::test]
    async fn a_code_that_vanishes_meanwhile_is_no_failure() {
        let server = MockServer::start().await;
        let listed =
            json!({"AccessTokens": {"AccessToken": [{"AccessTokenId": "at-1"}]}, "TotalCount": 1});
        let gone = json!({"Code": "InvalidAccessTokenId.NotFound", "Message": "gone"});
        for (action, status, body) in [
            ("ListAccessTokens", 200, listed),
            ("DeleteAccessToken", 404, gone),
        ] {
            Mock::given(header("x-acs-action", action))
                .respond_with(ResponseTemplate::new(status).set_body_json(body))
                .expect(1)
                .mount(&server)
                .await;
        }
        assert_eq!(tidy(&client(&server.uri())).await.unwrap(), 0);
    }
}
