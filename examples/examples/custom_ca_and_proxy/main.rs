//! A company's network: the service has a certificate of the company's own authority, and is reached
//! through a proxy alone. What does a client need to be told, and what does it say when it was not?

mod office;

use cumulo_localcloud::{LocalCloud, accounts};
use cumulo_smc::access_token::ListAccessTokens;
use cumulo_smc::credentials::Static;
use cumulo_smc::{Client, Environment, Error};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cloud = LocalCloud::start().await;
    let office = office::open(&cloud.smc_endpoint()).await;
    let client = || {
        Client::builder()
            // A name that only the office's proxy knows.
            .endpoint("https://smc.office.test")
            .region(accounts::ALIBABA_REGION)
            .credentials(Static::keys(
                accounts::ALIBABA_KEY_ID,
                accounts::ALIBABA_SECRET,
            ))
    };

    // Neither is told: the name cannot be found.
    let alone = client().environment(Environment::empty()).build()?;
    if let Err(error) = ListAccessTokens::new().send(&alone).await {
        println!("without a proxy: {error}\n");
    }

    // The proxy alone: whoever shows a certificate of an unknown authority may be anybody.
    let trusting_nobody = client().proxy(office.proxy.as_str()).build()?;
    if let Err(error) = ListAccessTokens::new().send(&trusting_nobody).await {
        println!("without the authority: {error}\n");
    }

    // Both. The authority counts beside those of the system; nothing is switched off. The proxy may as well
    // stand in HTTPS_PROXY, as other tools of the company have it.
    let told = client()
        .proxy(office.proxy.as_str())
        .extra_ca(office.authority.as_str())
        .build()?;
    let answer = ListAccessTokens::new().send(&told).await?;
    println!("with both: {} activation codes", answer.access_tokens.len());

    Ok(())
}
