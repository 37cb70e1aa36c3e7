//! Who may call a published API? Nobody is asked, or an app by one of its secrets, or a user of IAM;
//! and an app must have been authorized for the API in the environment.

use base64::Engine as _;

use crate::platform::lock;
use crate::wire::{Call, Request};

use super::super::refusal::Refusal;
use super::super::{State, sdk_hmac, token_caller};
use super::find::Found;
use super::{text, things};

/// Whose call it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Who {
    Anybody,
    /// The id of the app.
    App(String),
    User,
}

fn unknown_app(why: &str) -> Refusal {
    Refusal::gateway(
        401,
        "APIG.0303",
        format!("Incorrect app authentication information: {why}"),
    )
}

pub(super) fn admit(state: &mut State, found: &Found, call: &Call<'_>) -> Result<Who, Refusal> {
    match text(found.definition(), "auth_type") {
        "NONE" => Ok(Who::Anybody),
        "APP" => app(state, found, call).map(Who::App),
        "IAM" => user(state, call).map(|()| Who::User),
        other => Err(
            Refusal::gateway(401, "APIG.0305", "Incorrect authentication information").verdict(
                format!("{other}: the local cloud runs no custom authorizers"),
            ),
        ),
    }
}

fn user(state: &mut State, call: &Call<'_>) -> Result<(), Refusal> {
    let admitted = if call.request.header("authorization").is_some() {
        let keys = &mut state.identity.keys;
        keys.admit(call.request, call.now, call.strict_time)
    } else {
        token_caller(&state.identity.tokens, call).map(drop)
    };
    admitted.map_err(|refusal| refusal.with_code("APIG.0301"))
}

fn app(state: &State, found: &Found, call: &Call<'_>) -> Result<String, Refusal> {
    let id = identify(state, found, call)?;
    let one = &found.publication;
    let granted = things(&mut lock(&state.published.store), "app-auth", |auth| {
        text(auth, "app_id") == id
            && text(auth, "api_id") == one.api
            && matches!(text(auth, "env_id"), env if env.is_empty() || env == one.env)
    });
    if granted.is_empty() {
        return Err(Refusal::gateway(
            403,
            "APIG.0304",
            "The app is not authorized to access the API",
        )
        .verdict(format!(
            "app {id} may not call API {} in {}",
            one.api, found.stage
        )));
    }
    Ok(id)
}

/// The app that calls, by whichever of its secrets the call carries.
fn identify(state: &State, found: &Found, call: &Call<'_>) -> Result<String, Refusal> {
    let request = call.request;
    if let Some(code) = request.header("x-apig-appcode") {
        let simple = found.definition().get("auth_opt");
        let simple = simple.and_then(|options| options["app_code_auth_type"].as_str());
        if simple != Some("HEADER") {
            return Err(
                unknown_app("AppCode authentication is not supported by the API")
                    .verdict("auth_opt.app_code_auth_type is not HEADER"),
            );
        }
        let app = state.apps.by_code(code);
        return app
            .map(|app| app.id.clone())
            .ok_or_else(|| unknown_app("app not found by AppCode"));
    }
    match request.header("authorization") {
        Some(header) if header.starts_with("SDK-HMAC-SHA256") => {
            let secret = |key: &str| state.apps.by_key(key).map(|app| app.secret.clone());
            let key = sdk_hmac::admit_app(request, secret, call.now, call.strict_time)?;
            let app = state.apps.by_key(&key);
            app.map(|app| app.id.clone())
                .ok_or_else(|| unknown_app("app not found"))
        }
        Some(header) if header.starts_with("Basic ") => {
            let pair =
                basic(header).ok_or_else(|| unknown_app("Authorization format is incorrect"))?;
            with_secret(state, &pair.0, &pair.1)
        }
        Some(_) => Err(unknown_app("Authorization format is incorrect")),
        None => match (request.header("x-hw-id"), request.header("x-hw-appkey")) {
            (Some(key), Some(secret)) => with_secret(state, key, secret),
            _ => Err(unknown_app("Authorization not found").verdict(expected(request))),
        },
    }
}

fn expected(request: &Request) -> String {
    format!(
        "{} {} carries no X-Apig-AppCode, no Authorization and no X-HW-ID with X-HW-AppKey",
        request.method,
        request.path()
    )
}

fn with_secret(state: &State, key: &str, secret: &str) -> Result<String, Refusal> {
    let app = state.apps.by_key(key).filter(|app| app.secret == secret);
    app.map(|app| app.id.clone())
        .ok_or_else(|| unknown_app("AppKey or AppSecret is invalid"))
}

fn basic(header: &str) -> Option<(String, String)> {
    let text = header.strip_prefix("Basic ")?.trim();
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(text)
        .ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (key, secret) = text.split_once(':')?;
    Some((key.to_owned(), secret.to_owned()))
}
