//! Turns models of cloud services into the Rust of their clients.
//!
//! A model says what a vendor documents; an overlay adds our words and repairs. From both come the
//! generated files of a client crate and the compact model that the local cloud carries.

// The output is made of formatted pieces; joining them with `write!` would hide its shape.
#![allow(clippy::format_push_string, clippy::format_collect)]

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

use std::path::{Path, PathBuf};

use serde_json::Value;

use fault::{Fault, Faults};
use overlay::Overlay;

/// The services, in the order in which they are worked on.
pub const SERVICES: &[&str] = &["smc", "smartag", "apig", "zstack"];

/// A generated file: its path in the workspace, and its text.
pub type File = (PathBuf, String);

/// All files of one service, from the model and overlay below `root`.
pub fn generate(root: &Path, service: &str) -> Faults<Vec<File>> {
    let read = |file: String| {
        std::fs::read_to_string(root.join(&file))
            .map_err(|error| vec![Fault::new(file, "", error.to_string())])
    };
    let model = read(format!("models/{service}.json"))?;
    let overlay = read(format!("models/overlays/{service}.toml"))?;
    files(service, &model, &overlay)
}

/// All files of one service, from the texts of its model and overlay.
pub fn files(service: &str, model: &str, overlay: &str) -> Faults<Vec<File>> {
    let model_file = format!("models/{service}.json");
    let overlay = Overlay::parse(&format!("models/overlays/{service}.toml"), overlay)?;
    let mut json: Value = serde_json::from_str(model)
        .map_err(|error| vec![Fault::new(&model_file, "", error.to_string())])?;
    overlay::repair(&overlay, &mut json)?;
    let mut model = read::model(&model_file, &json)?;
    overlay::apply(&overlay, &mut model)?;
    let mut files = emit::files(&model, &overlay)?;
    let resources = resource::resources(&model, &overlay)?;
    files.extend(emit::resources(service, &resources));
    let path = format!("crates/localcloud/models/{service}.json");
    files.push((path.into(), compact::model(&json)));
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
