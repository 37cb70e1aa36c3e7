//! Has this call been made before? ClientTokens: the same token with the same parameters gets
//! the recorded answer again, with other parameters it is refused.

use serde_json::Value;

use crate::recent::Recent;
use crate::wire::Service;

use super::action::{Action, Refusal};

/// Account, service, action and token: two actions may use the same text as their token.
type Key = (String, Service, String, String);
type Parameters = Vec<(String, String)>;

/// How many recorded calls are remembered for sure. The vendor's pages name no lifetime of a
/// token; a client that asks again does so within minutes.
const REMEMBERED: usize = 10_000;

/// The recorded calls, the newest ones of them.
pub(super) struct State {
    recorded: Recent<Key, (Parameters, Value)>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            recorded: Recent::new(REMEMBERED),
        }
    }
}

/// What a call's ClientToken says.
pub(super) enum Token {
    None,
    New((Key, Parameters)),
    Known(Value),
}

impl State {
    /// Looks a call's token up.
    pub(super) fn check(&self, service: Service, action: &Action<'_>) -> Result<Token, Refusal> {
        let Some(token) = action.get("ClientToken").filter(|token| !token.is_empty()) else {
            return Ok(Token::None);
        };
        if token.len() > 64 || !token.is_ascii() {
            return Err(Refusal::new(
                400,
                "InvalidClientToken.ValueNotSupported",
                "The ClientToken parameter value is invalid.",
            )
            .verdict("a ClientToken has at most 64 ASCII characters"));
        }
        let mut parameters: Parameters = action
            .parameters
            .iter()
            .filter(|(name, _)| name != "ClientToken")
            .cloned()
            .collect();
        parameters.sort();
        let key = (
            action.account.to_owned(),
            service,
            action.name.to_owned(),
            token.to_owned(),
        );
        match self.recorded.get(&key) {
            None => Ok(Token::New((key, parameters))),
            Some((before, answer)) if *before == parameters => Ok(Token::Known(answer.clone())),
            Some(_) => Err(Refusal::new(
                400,
                "IdempotentParameterMismatch",
                "The request uses the same client token as a previous, but non-identical request.",
            )
            .verdict(format!(
                "ClientToken {token} came before with other parameters"
            ))),
        }
    }

    /// Records a call that succeeded.
    pub(super) fn keep(&mut self, (key, parameters): (Key, Parameters), answer: Value) {
        self.recorded.insert(key, (parameters, answer));
    }
}
