//! Does everything that fails end in one error, and is it readable where `main` prints it?

use cumulo_core::credentials::{CredentialError, Reason};
use cumulo_core::{ClientToken, Error, Kind, Outcome};

fn token(text: &str) -> Result<ClientToken, Error> {
    Ok(ClientToken::new(text)?)
}

fn credentials() -> Result<(), Error> {
    Err(CredentialError::new(
        Reason::NotConfigured,
        "environment",
        "no variable is set",
    ))?;
    Ok(())
}

#[test]
fn what_main_prints_is_the_line_and_not_the_structure() {
    let error = Error::new(Kind::Throttled, "ListTags", "slow down")
        .with_code("Throttling", 400)
        .with_hint("Wait");
    assert_eq!(
        format!("{error:?}"),
        "ListTags failed: Throttling: slow down (status 400). Wait"
    );
    assert_eq!(format!("{error:?}"), error.to_string());
    let structure = format!("{error:#?}");
    assert!(structure.contains("kind: Throttled"), "{structure}");
    assert!(structure.lines().count() > 5, "{structure}");
}

#[test]
fn failures_of_all_parts_convert_with_a_question_mark() {
    let error = token("").unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::InvalidInput, Outcome::NotSent)
    );
    let error = credentials().unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (Kind::Credentials, Outcome::NotSent)
    );
    assert!(error.to_string().contains("no variable is set"), "{error}");
    assert!(std::error::Error::source(&error).is_some());
}
