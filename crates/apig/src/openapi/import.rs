//! From a file to APIs that are published, may be called, and were called once; and back again.

use std::fmt;

use super::read::key;
use super::report::{Report, Result as ApiResult};
use super::{Defined, Definition, Effect, ImportApiDefinitionsV2, NAME};
use crate::api::{BatchPublishOrOfflineApiV2, DeleteApiV2, ListApisV2};
use crate::api_group::{DeleteApiGroupV2, ListApiGroupsV2, ShowDetailsOfApiGroupV2};
use crate::app_auth::{CancelingAuthorizationV2, CreateAuthorizingAppsV2};
use crate::invoke::Invoke;
use crate::throttling_binding::{
    AssociateRequestThrottlingPolicyV2, DisassociateRequestThrottlingPolicyV2,
};
use crate::{Bytes, Client, Error, Kind, Outcome};

type Try = Box<dyn FnOnce(&str) -> Result<Invoke, Error> + Send>;

/// An import, before it is made.
#[must_use = "nothing is imported before `run`"]
pub struct Import {
    definition: Definition,
    group: Option<String>,
    overwrite: bool,
    partly: bool,
    env: Option<String>,
    apps: Vec<String>,
    throttle: Option<String>,
    tried: Option<Try>,
}

impl fmt::Debug for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Import")
            .field("definition", &self.definition)
            .field("group", &self.group)
            .field("env", &self.env)
            .finish_non_exhaustive()
    }
}

/// What will become of an operation of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// A new API.
    Create,
    /// The group has such an API, which gets this definition.
    Update,
    /// The group has such an API, which stays as it is.
    Keep,
    /// The gateway will refuse it.
    Refused,
}

/// An operation of the file, and what will become of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Planned {
    /// The operation.
    pub defined: Defined,
    /// What will become of it.
    pub step: Step,
}

/// What an import will do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Plan {
    /// The name of the group that will be made, or the id of the one that is there.
    pub group: String,
    /// Each operation.
    pub apis: Vec<Planned>,
    /// What follows, in words.
    pub then: Vec<String>,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "group {}", self.group)?;
        for Planned { defined, step } in &self.apis {
            let step = match step {
                Step::Create => "create",
                Step::Update => "update",
                Step::Keep => "keep",
                Step::Refused => "refused",
            };
            writeln!(f, "{step} {} {}", defined.method, defined.path)?;
            for one in &defined.restrictions {
                writeln!(f, "  {one}")?;
            }
        }
        for one in &self.then {
            writeln!(f, "then {one}")?;
        }
        Ok(())
    }
}

fn invalid(why: impl Into<String>) -> Error {
    Error::new(Kind::InvalidInput, NAME, why)
}

impl Import {
    /// An import into a new group, which gets the file's title for a name.
    pub fn new(definition: Definition) -> Self {
        Self {
            definition,
            group: None,
            overwrite: false,
            partly: false,
            env: None,
            apps: Vec::new(),
            throttle: None,
            tried: None,
        }
    }

    /// Into a group that is there, by its id.
    pub fn into_group(mut self, id: impl Into<String>) -> Self {
        self.group = Some(id.into());
        self
    }

    /// Whether APIs that are there get the file's definition; otherwise they stay as they are.
    pub fn overwrite(mut self, on: bool) -> Self {
        self.overwrite = on;
        self
    }

    /// Whether an import counts as done although some operations become no APIs. Otherwise a file with
    /// what the gateway refuses is not sent, and what is refused all the same has the rest taken back.
    pub fn allow_partial(mut self, on: bool) -> Self {
        self.partly = on;
        self
    }

    /// Publishes the APIs to an environment, by its id.
    pub fn publish_to(mut self, env_id: impl Into<String>) -> Self {
        self.env = Some(env_id.into());
        self
    }

    /// Lets an app call the APIs, by its id; needs [`publish_to`](Self::publish_to).
    pub fn authorize(mut self, app_id: impl Into<String>) -> Self {
        self.apps.push(app_id.into());
        self
    }

    /// Limits calls by a throttling policy, by its id; needs [`publish_to`](Self::publish_to).
    pub fn throttle(mut self, policy_id: impl Into<String>) -> Self {
        self.throttle = Some(policy_id.into());
        self
    }

    /// Makes a call at the end, given the group's domain. A refusal, no answer, or one of 400 and above
    /// fails the import.
    pub fn tried_by(
        mut self,
        call: impl FnOnce(&str) -> Result<Invoke, Error> + Send + 'static,
    ) -> Self {
        self.tried = Some(Box::new(call));
        self
    }

    /// What will be made and changed. Only reads.
    ///
    /// # Errors
    /// When the file's title names no group, or one that is there; when steps do not fit together; and
    /// those of the reads.
    pub async fn plan(&self, apig: &Client) -> Result<Plan, Error> {
        if self.env.is_none()
            && (!self.apps.is_empty() || self.throttle.is_some() || self.tried.is_some())
        {
            return Err(invalid("what is not published cannot be bound or called")
                .with_hint("Name the environment with `publish_to(..)`"));
        }
        let title = self.definition.title();
        let mut there = Vec::new();
        match &self.group {
            Some(group) => {
                let mut apis = ListApisV2::new().group_id(group.as_str()).items(apig);
                while let Some(api) = apis.next().await {
                    let api = api?;
                    let text = |text: Option<String>| text.unwrap_or_default();
                    let prefix = api.match_mode.as_deref() == Some("SWA");
                    there.push(key(&text(api.req_method), &text(api.req_uri), prefix));
                }
            }
            None => {
                let letters = title.chars().all(|one| one.is_alphanumeric() || one == '_');
                let first = title.chars().next().is_some_and(char::is_alphabetic);
                if !letters || !first || !(3..=64).contains(&title.chars().count()) {
                    let why = format!("`info.title` {title:?} names no group");
                    return Err(invalid(why).with_hint(
                        "Give it 3 to 64 letters, digits and _, a letter first, or import `into_group(..)`",
                    ));
                }
                if group_named(apig, title).await?.is_some() {
                    let why = format!("a group {title} is there already");
                    return Err(Error::new(Kind::AlreadyExists, NAME, why)
                        .with_hint("Import `into_group(..)`, or change `info.title`"));
                }
            }
        }
        let planned = |defined: &Defined| Planned {
            step: match there.contains(&defined.key()) {
                _ if defined.is_refused() => Step::Refused,
                false => Step::Create,
                true if self.overwrite => Step::Update,
                true => Step::Keep,
            },
            defined: defined.clone(),
        };
        let mut then = Vec::new();
        if let Some(env) = &self.env {
            then.push(format!("publish to {env}"));
        }
        then.extend(self.apps.iter().map(|app| format!("authorize app {app}")));
        then.extend(
            self.throttle
                .iter()
                .map(|policy| format!("throttle by {policy}")),
        );
        then.extend(self.tried.iter().map(|_| "make a test call".to_owned()));
        Ok(Plan {
            group: self.group.clone().unwrap_or_else(|| title.to_owned()),
            apis: self.definition.operations().iter().map(planned).collect(),
            then,
        })
    }

    /// Does it all, in order; where a step fails, what was made is taken back in reverse. APIs that were
    /// changed cannot be: the report names them.
    pub async fn run(mut self, apig: &Client) -> Report {
        let mut report = Report::default();
        let mut undo = Vec::new();
        if let Err(error) = self.steps(apig, &mut report, &mut undo).await {
            report.error = Some(error);
            let updated = report
                .apis
                .iter()
                .filter_map(|(_, _, result)| match result {
                    ApiResult::Updated(id) => {
                        Some(format!("API {id} has the file's definition now"))
                    }
                    _ => None,
                });
            report.left.extend(updated);
            for (what, one) in undo.into_iter().rev() {
                match one.run(apig).await {
                    Ok(()) => report.undone.push(what),
                    Err(error) => report.left.push(format!("{what}: {error}")),
                }
            }
        }
        report
    }

    async fn steps(
        &mut self,
        apig: &Client,
        report: &mut Report,
        undo: &mut Vec<(String, Undo)>,
    ) -> Result<(), Error> {
        // It finds out what cannot be before anything is made.
        self.plan(apig).await?;
        let mut refused = self.definition.restrictions();
        let refused = refused.find(|one| one.effect == Effect::Refused);
        if let (Some(refused), false) = (refused, self.partly) {
            return Err(invalid(format!(
                "the gateway will not take the whole file: {refused}"
            ))
            .with_hint("Change it, or take what can be had with `allow_partial(true)`"));
        }
        self.import(apig, report, undo).await?;
        let failed = report
            .apis
            .iter()
            .find_map(|(method, path, result)| match result {
                ApiResult::Failed(code, why) => Some(format!("{method} {path}: {code}: {why}")),
                _ => None,
            });
        if let (Some(failed), false) = (failed, self.partly) {
            return Err(Error::new(Kind::OperationFailed, NAME, failed));
        }
        let ids: Vec<String> = report.ids().map(str::to_owned).collect();
        let Some(env) = self.env.clone().filter(|_| !ids.is_empty()) else {
            return Ok(());
        };
        self.publish(apig, &env, &ids, report, undo).await?;
        if !self.apps.is_empty() {
            let made = CreateAuthorizingAppsV2::new(env.as_str(), self.apps.clone(), ids.clone());
            for auth in made.send(apig).await?.into_output().auths {
                if let Some(id) = auth.id {
                    undo.push((format!("authorization {id}"), Undo::Authorization(id)));
                }
            }
        }
        if let Some(policy) = &self.throttle {
            let bind =
                AssociateRequestThrottlingPolicyV2::new(policy.as_str(), report.published.clone());
            for one in bind.send(apig).await?.into_output().throttle_applys {
                if let Some(id) = one.id {
                    undo.push((format!("throttling {id}"), Undo::Throttling(id)));
                }
            }
        }
        if let Some(call) = self.tried.take() {
            let answer = call(report.domain.as_deref().unwrap_or_default())?
                .send()
                .await?;
            let status = answer.status();
            report.answer = Some(answer);
            if status >= 400 {
                let why = format!("the test call was answered {status}");
                return Err(Error::new(Kind::OperationFailed, NAME, why));
            }
        }
        Ok(())
    }

    async fn import(
        &self,
        apig: &Client,
        report: &mut Report,
        undo: &mut Vec<(String, Undo)>,
    ) -> Result<(), Error> {
        let file = Bytes::from(self.definition.text.clone().into_bytes());
        let import = ImportApiDefinitionsV2::new(file);
        let import = match &self.group {
            Some(group) => import.is_create_group(false).group_id(group.as_str()),
            None => import.is_create_group(true),
        };
        let mode = if self.overwrite { "override" } else { "merge" };
        let made = match import.api_mode(mode).send(apig).await {
            Ok(made) => made.into_output(),
            Err(error) => {
                // The name was free before: a group that has it now is this import's.
                if error.outcome() == Outcome::Unknown {
                    match &self.group {
                        None => {
                            let name = self.definition.title().to_owned();
                            undo.push((format!("group {name}"), Undo::GroupNamed(name)));
                        }
                        Some(group) => report.left.push(format!(
                            "group {group} may have APIs of this file: look at it"
                        )),
                    }
                }
                return Err(error);
            }
        };
        report.group_id = made.group_id.or_else(|| self.group.clone());
        if let (None, Some(id)) = (&self.group, &report.group_id) {
            undo.push((format!("group {id}"), Undo::Group(id.clone())));
        }
        let text = |text: Option<String>| text.unwrap_or_default();
        for one in made.success {
            let (method, path, id) = (text(one.method), text(one.path), text(one.id));
            let updated = one.action.as_deref() == Some("update");
            let result = if updated && self.group.is_some() {
                ApiResult::Updated(id)
            } else {
                undo.push((format!("API {id}"), Undo::Api(id.clone())));
                ApiResult::Created(id)
            };
            report.apis.push((method, path, result));
        }
        for one in made.failure {
            let result = ApiResult::Failed(text(one.error_code), text(one.error_msg));
            report.apis.push((text(one.method), text(one.path), result));
        }
        for one in made.ignore {
            report
                .apis
                .push((text(one.method), text(one.path), ApiResult::Ignored));
        }
        if let Some(group) = &report.group_id {
            let group = ShowDetailsOfApiGroupV2::new(group.as_str())
                .send(apig)
                .await?;
            report.domain.clone_from(&group.sl_domain);
        }
        Ok(())
    }

    async fn publish(
        &self,
        apig: &Client,
        env: &str,
        ids: &[String],
        report: &mut Report,
        undo: &mut Vec<(String, Undo)>,
    ) -> Result<(), Error> {
        let publish = BatchPublishOrOfflineApiV2::new("online", env).apis(ids.to_vec());
        // Taking offline what never was online does no harm, so it is noted before.
        let created = report
            .apis
            .iter()
            .filter_map(|(_, _, result)| match result {
                ApiResult::Created(id) => Some(id.clone()),
                _ => None,
            });
        let offline = Undo::Publication(env.to_owned(), created.collect());
        undo.push((format!("publications in {env}"), offline));
        let made = publish.send(apig).await?.into_output();
        report.published = made
            .success
            .into_iter()
            .filter_map(|one| one.publish_id)
            .collect();
        match made.failure.into_iter().next() {
            None => Ok(()),
            Some(failed) => {
                let text = |text: Option<String>| text.unwrap_or_default();
                let why = format!(
                    "API {} is not published: {}: {}",
                    text(failed.api_id),
                    text(failed.error_code),
                    text(failed.error_msg)
                );
                Err(Error::new(Kind::OperationFailed, NAME, why))
            }
        }
    }
}

/// The id of the group with this very name.
async fn group_named(apig: &Client, name: &str) -> Result<Option<String>, Error> {
    let mut groups = ListApiGroupsV2::new().name(name).items(apig);
    while let Some(group) = groups.next().await {
        let group = group?;
        if group.name.as_deref() == Some(name) {
            return Ok(group.id);
        }
    }
    Ok(None)
}

/// How a step is taken back.
enum Undo {
    Group(String),
    GroupNamed(String),
    Api(String),
    /// The environment, and the APIs that were not there before.
    Publication(String, Vec<String>),
    Authorization(String),
    Throttling(String),
}

impl Undo {
    async fn run(self, apig: &Client) -> Result<(), Error> {
        match self {
            Self::Group(id) => DeleteApiGroupV2::new(id).send(apig).await.map(drop),
            Self::GroupNamed(name) => {
                let Some(group) = group_named(apig, &name).await? else {
                    return Ok(());
                };
                let apis = ListApisV2::new().group_id(group.as_str()).items(apig);
                for api in apis.collect().await? {
                    DeleteApiV2::new(api.id.unwrap_or_default())
                        .send(apig)
                        .await?;
                }
                DeleteApiGroupV2::new(group).send(apig).await.map(drop)
            }
            Self::Api(id) => DeleteApiV2::new(id).send(apig).await.map(drop),
            Self::Publication(_, ids) if ids.is_empty() => Ok(()),
            Self::Publication(env, ids) => {
                let offline = BatchPublishOrOfflineApiV2::new("offline", env).apis(ids);
                offline.send(apig).await.map(drop)
            }
            Self::Authorization(id) => CancelingAuthorizationV2::new(id).send(apig).await.map(drop),
            Self::Throttling(id) => {
                let part = DisassociateRequestThrottlingPolicyV2::new(id);
                part.send(apig).await.map(drop)
            }
        }
    }
}
