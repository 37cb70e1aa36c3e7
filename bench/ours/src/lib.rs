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
