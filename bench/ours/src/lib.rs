//! What several of the measured programs share: the call that all of them make.

pub mod hand;

use cumulo_smc::access_token::CreateAccessTokenOutput;

// The declared operation is sent by it.
pub use cumulo_smc::Client;

/// The parameters of the small call, encoded.
pub const QUERY: &str = "Action=CreateAccessToken&Count=10&Description=a%20rack%20of%20servers&Name=web-servers&TimeToLiveInDays=30&Version=2019-06-01";

cumulo_core::operation! {
    /// Creates an activation code. The same operation as the client's, but one that may be repeated, so
    /// that its calls share connections as those of everybody else do.
    CreateAccessToken -> CreateAccessTokenOutput: POST "/" Idempotent;
    required {}
    optional {
        query "Count" count: String,
        query "Description" description: String,
        query "Name" name: String,
        query "OwnerId" owner_id: i64,
        query "ResourceOwnerAccount" resource_owner_account: String,
        query "TimeToLiveInDays" time_to_live_in_days: String,
    }
}

/// A program that calls SMC: with this signature, in the query or as a form, by this operation.
#[macro_export]
macro_rules! smc {
    ($signature:ident, form: $form:expr, $operation:ty) => {
        use cumulo_bench_driver::{Contender, Failure};
        use cumulo_smc::access_token::ListAccessTokens;
        use cumulo_smc::credentials::Static;
        use cumulo_smc::{AcsSignature, Client};

        struct Ours(Client);

        impl Contender for Ours {
            async fn connect(address: &str) -> Result<Self, Failure> {
                let client = Client::builder()
                    .endpoint(format!("http://{address}"))
                    .credentials(Static::keys("testid", "testsecret"))
                    .max_in_flight(20_000)
                    .signature(AcsSignature::$signature)
                    .form_body($form);
                Ok(Self(client.build()?))
            }

            async fn call(&self) -> Result<(), Failure> {
                let call = <$operation>::new()
                    .name("web-servers")
                    .description("a rack of servers")
                    .count(10)
                    .time_to_live_in_days(30);
                let made = call.send(&self.0).await?;
                made.access_token_id.as_ref().ok_or("no id")?;
                Ok(())
            }

            async fn list(&self) -> Result<usize, Failure> {
                let page = ListAccessTokens::new().send(&self.0).await?;
                Ok(page.access_tokens.len())
            }
        }

        fn main() -> Result<(), Failure> {
            cumulo_bench_driver::main::<Ours>()
        }
    };
}

/// A program that calls APIG with these credentials.
#[macro_export]
macro_rules! apig {
    ($credentials:expr) => {
        use cumulo_apig::Client;
        use cumulo_apig::app::{ListAppsV2, ShowDetailsOfAppV2};
        use cumulo_bench_driver::{Contender, Failure};

        struct Ours(Client);

        impl Contender for Ours {
            async fn connect(address: &str) -> Result<Self, Failure> {
                let client = Client::builder()
                    .endpoint(format!("http://{address}"))
                    .credentials($credentials)
                    .max_in_flight(20_000)
                    .project_id("73d69ae0cfcf460190522d06b6098c12")
                    .instance_id("eddc4d25480b4cd6b512f270a1b8b341");
                Ok(Self(client.build()?))
            }

            async fn call(&self) -> Result<(), Failure> {
                let call = ShowDetailsOfAppV2::new("98df09fb-d459-4cbf-83a7-2b55ca6f1234");
                call.send(&self.0).await?.name.as_ref().ok_or("no name")?;
                Ok(())
            }

            async fn list(&self) -> Result<usize, Failure> {
                Ok(ListAppsV2::new().send(&self.0).await?.apps.len())
            }
        }

        fn main() -> Result<(), Failure> {
            cumulo_bench_driver::main::<Ours>()
        }
    };
}

/// A program that calls SMC without a client, signed by a function of [`hand`].
#[macro_export]
macro_rules! by_hand {
    ($sign:ident) => {
        use cumulo_bench::hand;
        use cumulo_bench_driver::{Contender, Failure};

        struct Hand(reqwest::Client, String);

        impl Contender for Hand {
            async fn connect(address: &str) -> Result<Self, Failure> {
                Ok(Self(hand::client()?, address.to_owned()))
            }

            async fn call(&self) -> Result<(), Failure> {
                let request = hand::$sign(&self.0, &self.1, hand::SMALL)?;
                let made: hand::Made = hand::send(request).await?;
                made.access_token_id.ok_or("no id")?;
                Ok(())
            }

            async fn list(&self) -> Result<usize, Failure> {
                let request = hand::$sign(&self.0, &self.1, hand::LIST)?;
                let page: hand::Page = hand::send(request).await?;
                Ok(page.access_tokens.access_token.len())
            }
        }

        fn main() -> Result<(), Failure> {
            cumulo_bench_driver::main::<Hand>()
        }
    };
}

/// A program that sends a request by reqwest and reads the answer: nothing signed, nothing decoded.
#[macro_export]
macro_rules! bare {
    (|$client:ident, $address:ident| $request:expr) => {
        use cumulo_bench_driver::{Contender, Failure};

        struct Bare(reqwest::Client, String);

        impl Contender for Bare {
            async fn connect(address: &str) -> Result<Self, Failure> {
                Ok(Self(cumulo_bench::hand::client()?, address.to_owned()))
            }

            async fn call(&self) -> Result<(), Failure> {
                let Self($client, $address) = self;
                let body = $request.send().await?.bytes().await?;
                if body.is_empty() {
                    return Err("an empty answer".into());
                }
                Ok(())
            }
        }

        fn main() -> Result<(), Failure> {
            cumulo_bench_driver::main::<Bare>()
        }
    };
}
