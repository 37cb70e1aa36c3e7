//! What fuzzing reads without files: the readers of profiles are private, and what they say of a text
//! is whether it is accepted, and in which words it is refused.

use std::sync::Arc;

use crate::record::Json;

use super::{Context, CredentialError, Provider, alibaba, huawei};

/// A file of the vendor's command line.
pub fn cli_profile(
    context: &Context,
    text: &str,
    name: Option<&str>,
) -> Result<Arc<dyn Provider>, CredentialError> {
    alibaba::cli_profile_of_text(context, text, name)
}

/// A file of sections; `None` for keys that stand in it.
pub fn ini(text: &str, section: &str) -> Result<Option<Arc<dyn Provider>>, CredentialError> {
    alibaba::ini_profile_of_text(text, section)
}

/// A `clouds.yaml` with its `secure.yaml`; `None` for a cloud without credentials.
pub fn cloud(
    clouds: &str,
    secure: &str,
    name: &str,
) -> Result<Option<Arc<dyn Provider>>, CredentialError> {
    huawei::cloud_of_text(clouds, secure, name)
}

/// The YAML of these files; what is wrong otherwise, and in which line.
pub fn yaml(text: &str) -> Result<Json, (usize, &'static str)> {
    huawei::yaml_of_text(text)
}
