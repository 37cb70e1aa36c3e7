//! SMC: hand out an activation code for a batch of servers, watch it, retire it.

use cumulo_examples::{Stage, unique};
use cumulo_smc::access_token::{
    CreateAccessToken, DeleteAccessToken, DisableAccessToken, ListAccessTokens,
};
use cumulo_smc::{Error, Timestamp};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let stage = Stage::open().await;
    let smc = stage.smc().await?;

    // A mistake is found before anything is sent.
    let wrong = CreateAccessToken::new()
        .name("1-starts-with-a-digit")
        .count(5000);
    if let Err(faults) = wrong.validate() {
        println!("would be refused: {faults}");
    }

    let request = CreateAccessToken::new()
        .name(unique("rack-"))
        .description("servers of one rack")
        .count(20)
        .time_to_live_in_days(7);
    let made = request.send(&smc).await?;
    let id = made.access_token_id.clone().unwrap_or_default();
    // Reading a secret is always explicit, and this one is given out only here.
    let length = made
        .access_token_code
        .as_ref()
        .map_or(0, |code| code.expose().len());
    println!("activation code {id}: {length} characters to paste into the migration client");

    let active = ListAccessTokens::new().status(ListAccessTokens::STATUS_ACTIVATED);
    for token in &active.send(&smc).await?.access_tokens {
        println!(
            "{} {}: valid {} days, made {}",
            token.access_token_id.as_deref().unwrap_or("-"),
            token.name.as_deref().unwrap_or("-"),
            token.time_to_live_in_days.as_deref().unwrap_or("-"),
            token.creation_time.as_ref().map_or("-", Timestamp::as_str),
        );
    }

    DisableAccessToken::new(id.as_str()).send(&smc).await?;
    DeleteAccessToken::new(id).send(&smc).await?;
    println!("retired");
    Ok(())
}
