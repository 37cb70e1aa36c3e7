//! ZStack: replace an access key without an outage.

use cumulo_examples::{Stage, logged_in};
use cumulo_zstack::Error;
use cumulo_zstack::access_key::{
    ChangeAccessKeyState, CreateAccessKey, DeleteAccessKey, QueryAccessKey,
};
use cumulo_zstack::credentials::Static;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let stage = Stage::open().await;
    let zstack = stage.zstack().await?;
    let (account, user) = logged_in(&zstack).await?;

    let old = CreateAccessKey::new(account.as_str(), user.as_str())
        .send(&zstack)
        .await?;
    let old = old
        .into_output()
        .inventory
        .and_then(|key| key.uuid)
        .unwrap_or_default();

    // The secret is stored before the old key goes, and the new key proves itself first.
    let new = CreateAccessKey::new(account.as_str(), user.as_str())
        .send(&zstack)
        .await?;
    let new = new.into_output().inventory.unwrap_or_default();
    println!(
        "new key {}: {:?}",
        new.access_key_id.as_deref().unwrap_or("-"),
        new.access_key_secret
    );
    let (Some(id), Some(secret)) = (new.access_key_id, new.access_key_secret) else {
        println!("the server gave no key");
        return Ok(());
    };
    let keyed = stage.zstack_with(Static::keys(id, secret.expose()))?;
    let keys = QueryAccessKey::new().send(&keyed).await?;
    println!("the new key works: it sees {} keys", keys.inventories.len());

    let disabled = ChangeAccessKeyState::new(old.as_str(), "disable")
        .send(&zstack)
        .await?;
    println!(
        "old key {}",
        disabled
            .inventory
            .as_ref()
            .and_then(|key| key.state.as_deref())
            .unwrap_or("-")
    );
    DeleteAccessKey::new(old).send(&zstack).await?;
    DeleteAccessKey::new(new.uuid.unwrap_or_default())
        .send(&zstack)
        .await?;
    zstack.close().await;
    Ok(())
}
