//! API Gateway: apps and their AppCodes, page by page.

use cumulo_apig::Error;
use cumulo_apig::app::{CreateAnAppV2, DeleteAppV2, ListAppsV2};
use cumulo_apig::app_code::{CreateAppCodeV2, DeleteAppCodeV2, ListAppCodesV2};
use cumulo_examples::{Stage, unique};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let stage = Stage::open().await;
    let apig = stage.apig().await?;
    let app = CreateAnAppV2::new(unique("billing_"))
        .remark("nightly export")
        .send(&apig)
        .await?;
    let app_id = app.id.clone().unwrap_or_default();

    for _ in 0..3 {
        let value = unique("").repeat(10);
        let code = CreateAppCodeV2::new(app_id.as_str(), value)
            .send(&apig)
            .await?;
        println!("made AppCode {}", code.id.as_deref().unwrap_or("-"));
    }

    // All pages, however many: the service returns 20 items a page when nobody asks for more.
    let mut apps = ListAppsV2::new().items(&apig);
    while let Some(app) = apps.next().await {
        let app = app?;
        println!(
            "app {} {}",
            app.id.as_deref().unwrap_or("-"),
            app.name.as_deref().unwrap_or("-")
        );
    }
    for code in ListAppCodesV2::new(app_id.as_str())
        .items(&apig)
        .collect()
        .await?
    {
        let id = code.id.unwrap_or_default();
        DeleteAppCodeV2::new(app_id.as_str(), id)
            .send(&apig)
            .await?;
    }
    DeleteAppV2::new(app_id).send(&apig).await?;

    // An id that would name something else is refused before it is sent.
    match DeleteAppV2::new("..").send(&apig).await {
        Ok(_) => println!("that should not have been possible"),
        Err(error) => println!("{error}"),
    }
    Ok(())
}
