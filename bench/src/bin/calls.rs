//! Makes N small calls of one kind: `calls ADDRESS KIND N`.

use cumulo_core::alibaba::AcsSignature;
use cumulo_core::credentials::Static;
use cumulo_smc::Client;
use cumulo_smc::access_token::{CreateAccessToken, CreateAccessTokenOutput};

/// The same operation as if it could be repeated, so that its calls share a connection as those of
/// plain reqwest do.
mod shared {
    use super::CreateAccessTokenOutput;

    cumulo_core::operation! {
        /// Creates an activation code.
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
}

/// The same calls from a thread without async.
fn blocking(client: &Client, times: u32) -> Result<(), Failure> {
    for _ in 0..times {
        let call = shared::CreateAccessToken::new()
            .name("web-servers")
            .description("a rack of servers")
            .count(10)
            .time_to_live_in_days(30);
        assert!(call.send_blocking(client)?.access_token_id.is_some());
    }
    Ok(())
}

type Failure = Box<dyn std::error::Error>;

fn client(address: &str, signature: AcsSignature, form: bool) -> Result<Client, Failure> {
    Ok(Client::builder()
        .endpoint(format!("http://{address}"))
        .credentials(Static::keys("testid", "testsecret"))
        .signature(signature)
        .form_body(form)
        .build()?)
}

macro_rules! ours {
    ($name:ident, $operation:ty) => {
        async fn $name(client: &Client, times: u32) -> Result<(), Failure> {
            for _ in 0..times {
                let call = <$operation>::new()
                    .name("web-servers")
                    .description("a rack of servers")
                    .count(10)
                    .time_to_live_in_days(30);
                let made = call.send(client).await?;
                assert!(made.access_token_id.is_some());
            }
            Ok(())
        }
    };
}
ours!(ours, shared::CreateAccessToken);
// Each call on a connection of its own.
ours!(alone, CreateAccessToken);

const QUERY: &str = "Action=CreateAccessToken&Count=10&Description=a%20rack%20of%20servers&Name=web-servers&TimeToLiveInDays=30&Version=2019-06-01";

async fn bare(address: &str, times: u32, form: bool) -> Result<(), Failure> {
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(
            cumulo_core::transport::tls_config(&cumulo_core::transport::HttpOptions::default())
                .map_err(|e| e.to_string())?,
        )
        .build()?;
    for _ in 0..times {
        let request = if form {
            client
                .post(format!("http://{address}/"))
                .header("content-type", "application/x-www-form-urlencoded")
                .body(QUERY)
        } else {
            client.post(format!("http://{address}/?{QUERY}"))
        };
        let body = request.send().await?.bytes().await?;
        assert!(!body.is_empty());
    }
    Ok(())
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, address, kind, times] = &arguments[..] else {
        return Err("calls ADDRESS KIND N".into());
    };
    let times: u32 = times.parse()?;
    if kind == "v3-blocking" {
        return blocking(&client(address, AcsSignature::V3, false)?, times);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match kind.as_str() {
            "v3" => ours(&client(address, AcsSignature::V3, false)?, times).await,
            "v1" => ours(&client(address, AcsSignature::V1, false)?, times).await,
            "v1-form" => ours(&client(address, AcsSignature::V1, true)?, times).await,
            "v3-alone" => alone(&client(address, AcsSignature::V3, false)?, times).await,
            "reqwest" => bare(address, times, false).await,
            "reqwest-form" => bare(address, times, true).await,
            other => Err(format!("no such kind: {other}").into()),
        }
    })
}
