//! Turns models of cloud services into the Rust of their clients.
//!
//! A model says what a vendor documents; an overlay adds our words and repairs. From both come the
//! generated files of a client crate and the compact model that the local cloud carries.

// The output is made of formatted pieces; joining them with `write!` would hide its shape.
#![allow(clippy::format_push_string, clippy::format_collect)]

pub mod cloud;
pub mod clue;
pub mod compact;
pub mod emit;
pub mod fault;
pub mod import;
mod inline;
pub mod layout;
pub mod model;
pub mod names;
mod outputs;
pub mod overlay;
pub mod read;
pub mod resource;
pub mod shapes;
pub mod wait;

use std::path::{Path, PathBuf};

use serde_json::Value;

use fault::{Fault, Faults};
use overlay::Overlay;

/// The clouds.
pub const CLOUDS: &[&str] = &["alibaba", "huawei", "zstack"];

/// The services and their clouds, in the order in which they are worked on.
pub const SERVICES: &[(&str, &str)] = &[
    ("smc", "alibaba"),
    ("smartag", "alibaba"),
    ("apig", "huawei"),
    ("zstack", "zstack"),
];

/// A generated file: its path in the workspace, and its text.
pub type File = (PathBuf, String);

/// All files of all clouds and services, from the models and overlays below `root`.
pub fn generate(root: &Path) -> Faults<Vec<File>> {
    let read = |file: String| {
        std::fs::read_to_string(root.join(&file))
            .map_err(|error| vec![Fault::new(file, "", error.to_string())])
    };
    let shared = |cloud: &str| read(format!("models/clouds/{cloud}.toml"));
    let of_cloud = |cloud: &&str| cloud::files(cloud, &shared(cloud)?);
    let of_service = |(service, cloud): &(&str, &str)| {
        let model = read(format!("models/{service}.json"))?;
        let overlay = read(format!("models/overlays/{service}.toml"))?;
        files(service, &model, &overlay, (cloud, &shared(cloud)?))
    };
    let mut files = Vec::new();
    let mut faults = Vec::new();
    let made = CLOUDS.iter().map(of_cloud);
    for made in made.chain(SERVICES.iter().map(of_service)) {
        match made {
            Ok(more) => files.extend(more),
            Err(more) => faults.extend(more),
        }
    }
    if faults.is_empty() {
        Ok(files)
    } else {
        Err(faults)
    }
}

/// All files of one service, from the texts of its model and overlay, and the name and text of its cloud.
pub fn files(service: &str, model: &str, overlay: &str, cloud: (&str, &str)) -> Faults<Vec<File>> {
    let model_file = format!("models/{service}.json");
    let overlay = Overlay::parse(&format!("models/overlays/{service}.toml"), overlay)?;
    let cloud = cloud::read(cloud.0, cloud.1)?;
    let mut json: Value = serde_json::from_str(model)
        .map_err(|error| vec![Fault::new(&model_file, "", error.to_string())])?;
    let mut served = json.clone();
    overlay::repair(&overlay, &mut served, overlay::Reader::LocalCloud)?;
    overlay::repair(&overlay, &mut json, overlay::Reader::Client)?;
    let wrong = cloud::check_endpoints(&model_file, &json, &cloud);
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let mut model = read::model(&model_file, &json)?;
    overlay::apply(&overlay, &mut model)?;
    let resources = resource::resources(&model, &overlay)?;
    let waits = wait::waits(&model, &overlay, &resources)?;
    let clues = clue::clues(&model, &resources);
    let mut files = emit::files(&model, &overlay, &cloud, (&waits, &clues))?;
    files.extend(emit::resources(service, &resources));
    let path = format!("crates/localcloud/models/{service}.json");
    files.push((path.into(), compact::model(&served)));
    Ok(files)
}

/// Turns facts into the text of a model file.
pub fn import(file: &str, facts: &str) -> Faults<String> {
    let facts: Value = serde_json::from_str(facts)
        .map_err(|error| vec![Fault::new(file, "", error.to_string())])?;
    let model = import::model(file, &facts)?;
    read::model(file, &model)?;
    Ok(layout::model(&model))
}
