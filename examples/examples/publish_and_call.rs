//! API Gateway: how do I publish an API, let an app call it, and call it?

use cumulo_apig::api::{
    ApiMockCreate, AuthOpt, BatchPublishOrOfflineApiV2, CreateApiV2, CreateApiV2Required,
    DeleteApiV2,
};
use cumulo_apig::api_group::{CreateApiGroupV2, DeleteApiGroupV2};
use cumulo_apig::app::{CreateAnAppV2, DeleteAppV2};
use cumulo_apig::app_auth::CreateAuthorizingAppsV2;
use cumulo_apig::app_code::CreateAppCodeAutoV2;
use cumulo_apig::invoke::{Auth, Caller};
use cumulo_apig::{Client, Error};
use cumulo_examples::{Stage, unique};

/// The environment that every gateway has: `RELEASE`.
const RELEASE: &str = "DEFAULT_ENVIRONMENT_RELEASE_ID";

#[tokio::main]
async fn main() -> Result<(), Error> {
    let stage = Stage::open().await;
    let apig = stage.apig().await?;
    let group = CreateApiGroupV2::new(unique("pets_"))
        .send(&apig)
        .await?
        .into_output();
    let app = CreateAnAppV2::new(unique("shop_"))
        .send(&apig)
        .await?
        .into_output();
    let (group_id, app_id) = (group.id.unwrap_or_default(), app.id.unwrap_or_default());

    let api = CreateApiV2::new(CreateApiV2Required {
        name: "read_pet".into(),
        r#type: 1,
        req_protocol: "HTTPS".into(),
        req_method: "GET".into(),
        req_uri: "/pets/health".into(),
        auth_type: "APP".into(),
        backend_type: "MOCK".into(),
        group_id: group_id.clone(),
    })
    // An AppCode is enough.
    .auth_opt(AuthOpt::new().app_code_auth_type("HEADER"))
    .mock_info(ApiMockCreate::new().result_content(r#"{"pets": "well"}"#))
    .send(&apig)
    .await?;
    let api_id = api.into_output().id.unwrap_or_default();
    let done = published(&apig, &api_id, &app_id, async {
        let code = CreateAppCodeAutoV2::new(app_id.as_str())
            .send(&apig)
            .await?
            .into_output();
        // The group's own domain; real ones are called over HTTPS.
        let scheme = if stage.is_live() { "https" } else { "http" };
        let address = format!("{scheme}://{}", group.sl_domain.unwrap_or_default());
        for auth in [
            Auth::AppCode(code.app_code.unwrap_or_default()),
            Auth::Signature {
                key: app.app_key.unwrap_or_default(),
                secret: app.app_secret.unwrap_or_default(),
            },
        ] {
            println!("by {auth:?}");
            let answer = Caller::builder(address.as_str()).auth(auth).build()?;
            let answer = answer.get("/pets/health").send().await?;
            println!("  {} {:?}", answer.status(), answer.body());
        }
        // What the gateway refuses is an error that says what to do.
        let nobody = Caller::builder(address.as_str()).build()?;
        match nobody.get("/pets/health").send().await {
            Ok(answer) => println!("that should not have been possible: {answer:?}"),
            Err(error) => println!("{error}"),
        }
        Ok(())
    })
    .await;

    // Whatever happened, nothing is left behind.
    DeleteApiV2::new(api_id).send(&apig).await?;
    DeleteApiGroupV2::new(group_id).send(&apig).await?;
    DeleteAppV2::new(app_id).send(&apig).await?;
    done
}

/// Does something while an API is published and an app may call it.
async fn published(
    apig: &Client,
    api: &str,
    app: &str,
    work: impl Future<Output = Result<(), Error>>,
) -> Result<(), Error> {
    let apis = vec![api.to_owned()];
    let online = BatchPublishOrOfflineApiV2::new("online", RELEASE).apis(apis.clone());
    online.send(apig).await?;
    let allowed = CreateAuthorizingAppsV2::new(RELEASE, vec![app.to_owned()], apis.clone());
    let done = match allowed.send(apig).await {
        Ok(_) => work.await,
        Err(error) => Err(error),
    };
    let offline = BatchPublishOrOfflineApiV2::new("offline", RELEASE).apis(apis);
    offline.send(apig).await?;
    done
}
