//! Smart Access Gateway: create something exactly once, even across crashes.
//!
//! The client token is derived from the program's own key for the thing. However often the program
//! dies and starts again, the service sees one request.

use cumulo_examples::{Stage, unique};
use cumulo_localcloud::{Fault, FaultKind, Service};
use cumulo_smartag::enterprise_code::{CreateEnterpriseCode, DeleteEnterpriseCode};
use cumulo_smartag::{ClientToken, Error};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let stage = Stage::open().await;
    let sag = stage.smartag().await?;
    let code = unique("")[..5].to_owned();
    let token = ClientToken::derived(&format!("tenant-42/enterprise-code/{code}"));

    // The first run dies after its request went out: all its five attempts lose their answers.
    stage.inject(
        Fault::new(Service::Smartag, FaultKind::LoseResponse)
            .operation("CreateEnterpriseCode")
            .times(5),
    );
    let create = CreateEnterpriseCode::new(code.as_str());
    match create.send(&sag).client_token(token.clone()).await {
        Ok(_) => println!("first run: made"),
        Err(error) => println!("first run: {error}\n  outcome: {}", error.outcome()),
    }

    // The second run does not have to know how far the first one came.
    let made = create.send(&sag).client_token(token).await?;
    println!(
        "second run: there is one code {code}, made by request {}",
        made.request_id().unwrap_or("-")
    );

    DeleteEnterpriseCode::new(code).send(&sag).await?;
    Ok(())
}
