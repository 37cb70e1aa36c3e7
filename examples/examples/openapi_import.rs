//! API Gateway: how do I make APIs of an OpenAPI file, without leaving half of them behind?

use cumulo_apig::Error;
use cumulo_apig::api::{BatchPublishOrOfflineApiV2, DeleteApiV2};
use cumulo_apig::api_group::DeleteApiGroupV2;
use cumulo_apig::app::{CreateAnAppV2, DeleteAppV2};
use cumulo_apig::invoke::Caller;
use cumulo_apig::openapi::{Definition, Import};
use cumulo_examples::{Stage, unique};

const RELEASE: &str = "DEFAULT_ENVIRONMENT_RELEASE_ID";

#[tokio::main]
async fn main() -> Result<(), Error> {
    let stage = Stage::open().await;
    let apig = stage.apig().await?;
    let app = CreateAnAppV2::new(unique("shop_")).send(&apig).await?;
    let app = app.into_output().id.unwrap_or_default();
    let scheme = if stage.is_live() { "https" } else { "http" };

    // A group of this name must not be there yet.
    let file =
        include_str!("pets.yaml").replace("title: pets", &format!("title: {}", unique("pets_")));
    let import = |path: &'static str| {
        let import = Import::new(Definition::read(file.as_str())?).publish_to(RELEASE);
        Ok::<_, Error>(import.authorize(app.as_str()).tried_by(move |domain| {
            Ok(Caller::builder(format!("{scheme}://{domain}"))
                .build()?
                .get(path))
        }))
    };
    println!("{}", import("/pets/7")?.plan(&apig).await?);

    // A test call that fails: all that was made is taken back.
    let report = import("/cats/7")?.run(&apig).await;
    println!("{report}");

    let report = import("/pets/7")?.run(&apig).await;
    println!("{report}");
    let report = report.into_result()?;

    // Clean up.
    let ids: Vec<String> = report.ids().map(str::to_owned).collect();
    let offline = BatchPublishOrOfflineApiV2::new("offline", RELEASE).apis(ids.clone());
    offline.send(&apig).await?;
    for id in ids {
        DeleteApiV2::new(id).send(&apig).await?;
    }
    if let Some(group) = report.group_id {
        DeleteApiGroupV2::new(group).send(&apig).await?;
    }
    DeleteAppV2::new(app).send(&apig).await?;
    Ok(())
}
