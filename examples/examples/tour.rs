//! The five operations that the project began with, in order, and what makes them safe to call.

use cumulo_apig::app::{CreateAnAppV2, DeleteAppV2};
use cumulo_apig::app_code::CreateAppCodeV2;
use cumulo_examples::{Stage, logged_in, unique};
use cumulo_localcloud::{Fault, FaultKind, Service};
use cumulo_smartag::enterprise_code::{
    CreateEnterpriseCode, DeleteEnterpriseCode, ListEnterpriseCode,
};
use cumulo_smc::Error;
use cumulo_smc::access_token::{CreateAccessToken, DeleteAccessToken, ListAccessTokens};
use cumulo_zstack::access_key::{ChangeAccessKeyState, CreateAccessKey, DeleteAccessKey};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let stage = Stage::open().await;
    activation_code(&stage).await?;
    enterprise_code(&stage).await?;
    app_code(&stage).await?;
    access_key(&stage).await
}

/// 1 and 2: SMC. The code is shown once, and never by accident.
async fn activation_code(stage: &Stage) -> Result<(), Error> {
    println!("SMC: an activation code");
    let smc = stage.smc().await?;
    let made = CreateAccessToken::new()
        .name("tour-code")
        .count(10)
        .send(&smc)
        .await?;
    let id = made.access_token_id.clone().unwrap_or_default();
    println!(
        "  CreateAccessToken: {id} (request {})",
        made.request_id().unwrap_or("-")
    );
    println!("    the code itself prints as {:?}", made.access_token_code);
    let listed = ListAccessTokens::new()
        .access_token_id([id.as_str()])
        .send(&smc)
        .await?;
    for token in &listed.access_tokens {
        println!(
            "  ListAccessTokens: {}, {} of {} registrations, {}",
            token.access_token_id.as_deref().unwrap_or("-"),
            token.registered_count.as_deref().unwrap_or("0"),
            token.count.as_deref().unwrap_or("-"),
            token.status.as_deref().unwrap_or("-"),
        );
    }
    DeleteAccessToken::new(id).send(&smc).await?;
    println!("  DeleteAccessToken: done\n");
    Ok(())
}

/// 3: Smart Access Gateway. The answer is lost on purpose; the repeat carries the same client token,
/// so that the service does not do it twice.
async fn enterprise_code(stage: &Stage) -> Result<(), Error> {
    println!("Smart Access Gateway: an enterprise code, with the first answer lost");
    let sag = stage.smartag().await?;
    let code = unique("")[..5].to_owned();
    let lost =
        Fault::new(Service::Smartag, FaultKind::LoseResponse).operation("CreateEnterpriseCode");
    if !stage.inject(lost) {
        println!("  (answers cannot be lost on purpose in a real cloud)");
    }
    let made = CreateEnterpriseCode::new(code.as_str()).send(&sag).await?;
    for (index, attempt) in made.attempts().iter().enumerate() {
        println!("  CreateEnterpriseCode, attempt {}: {attempt}", index + 1);
    }
    if let Some(token) = made.client_token() {
        println!("    client token of every attempt: {token}");
    }
    let codes = ListEnterpriseCode::new().items(&sag).collect().await?;
    let same = codes
        .iter()
        .filter(|listed| listed.enterprise_code.as_deref() == Some(&code));
    println!("  ListEnterpriseCode: {} named {code}", same.count());
    match CreateEnterpriseCode::new(code.as_str()).send(&sag).await {
        Ok(_) => println!("  made a second time, which should not be possible"),
        Err(error) if error.is_already_exists() => println!("  again, {error}"),
        Err(error) => return Err(error),
    }
    DeleteEnterpriseCode::new(code).send(&sag).await?;
    println!("  DeleteEnterpriseCode: done\n");
    Ok(())
}

/// 4: API Gateway, with a token from Keystone.
async fn app_code(stage: &Stage) -> Result<(), Error> {
    println!("API Gateway: an AppCode, after a login to Keystone");
    let apig = stage.apig().await?;
    let app = CreateAnAppV2::new(unique("tour_")).send(&apig).await?;
    let app_id = app.id.clone().unwrap_or_default();
    println!("  CreateAnAppV2: {app_id} (status {})", app.http_status());
    let secret = format!("+/tour{}#%=", unique("").repeat(8));
    let made = CreateAppCodeV2::new(app_id.as_str(), secret)
        .send(&apig)
        .await?;
    println!(
        "  CreateAppCodeV2: {}, the code prints as {:?}",
        made.id.as_deref().unwrap_or("-"),
        made.app_code
    );
    DeleteAppV2::new(app_id).send(&apig).await?;
    println!("  DeleteAppV2: done\n");
    Ok(())
}

/// 5: ZStack. The server answers 202 and runs a job; the call waits for it.
async fn access_key(stage: &Stage) -> Result<(), Error> {
    println!("ZStack: an access key, disabled by a job");
    let zstack = stage.zstack().await?;
    let (account, user) = logged_in(&zstack).await?;
    let made = CreateAccessKey::new(account, user).send(&zstack).await?;
    let uuid = made
        .into_output()
        .inventory
        .and_then(|key| key.uuid)
        .unwrap_or_default();
    println!("  CreateAccessKey: {uuid}");
    let changed =
        ChangeAccessKeyState::new(uuid.as_str(), ChangeAccessKeyState::STATE_EVENT_DISABLE)
            .send(&zstack)
            .await?;
    println!(
        "  ChangeAccessKeyState: now {} (job {})",
        changed
            .inventory
            .as_ref()
            .and_then(|key| key.state.as_deref())
            .unwrap_or("-"),
        changed.job().unwrap_or("none"),
    );
    DeleteAccessKey::new(uuid).send(&zstack).await?;
    zstack.close().await;
    println!("  DeleteAccessKey: done; logged out");
    Ok(())
}
