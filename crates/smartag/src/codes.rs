//! What Smart Access Gateway's error codes mean.
//!
//! HTTP statuses are no guide here: `403 InternalError` and `500 SmartAccessGatewayNotActivated` are
//! both documented. Codes of the gateway in front of the service are in `cumulo_core`.

use cumulo_core::Kind;
use cumulo_core::service::Code;

#[rustfmt::skip]
pub(crate) const CODES: &[Code] = &[
    Code { code: "ResourceInOperating", kind: Kind::Busy, hint: "" },
    Code { code: "ResourceConfiguring", kind: Kind::Busy, hint: "" },
    Code { code: "ConfigSynchronizing", kind: Kind::Busy, hint: "" },
    Code { code: "TaskConflict", kind: Kind::Busy, hint: "" },
    Code { code: "Operation.Blocking", kind: Kind::Busy, hint: "" },
    Code { code: "IncorrectStatus*", kind: Kind::Conflict, hint: "Wait until the resource is in a state that allows this" },
    Code { code: "EnterpriseCode.BeenOccupied", kind: Kind::AlreadyExists, hint: "Enterprise codes are unique over all customers: choose another" },
    Code { code: "EnterpriseCode.NotExist", kind: Kind::NotFound, hint: "" },
    Code { code: "EnterpriseCode.BeingUsed", kind: Kind::Conflict, hint: "Take the code off its gateways first" },
    Code { code: "EnterpriseCode.DeleteLimit", kind: Kind::Conflict, hint: "" },
    Code { code: "SAG.InstanceNoFound", kind: Kind::NotFound, hint: "" },
    Code { code: "InvalidId.*", kind: Kind::NotFound, hint: "" },
    Code { code: "InvalidSmartAGId.NotFound", kind: Kind::NotFound, hint: "" },
    Code { code: "InvalidInstanceId.NotFound", kind: Kind::NotFound, hint: "" },
    Code { code: "InstanceNotExit", kind: Kind::NotFound, hint: "" },
    Code { code: "InstanceNotExist", kind: Kind::NotFound, hint: "" },
    Code { code: "ParameterCcnInstanceId", kind: Kind::NotFound, hint: "" },
    Code { code: "ParameterSagClientId", kind: Kind::NotFound, hint: "" },
    Code { code: "SmartAccessGatewayNotActivated", kind: Kind::Busy, hint: "A new gateway takes minutes; otherwise activate it first" },
    Code { code: "SmartAccessGatewayInArrears", kind: Kind::Conflict, hint: "Pay the gateway's bill first" },
    Code { code: "SmartAccessGatewayOffline", kind: Kind::Conflict, hint: "The device is offline" },
    Code { code: "SmartAccessGatewayNotOnline", kind: Kind::Conflict, hint: "The device is offline" },
    Code { code: "SmartAccessGatewayAlreadyBound", kind: Kind::AlreadyExists, hint: "" },
    Code { code: "AlreadyBound.*", kind: Kind::AlreadyExists, hint: "" },
    Code { code: "NotBoundCEN", kind: Kind::Conflict, hint: "" },
    Code { code: "SAG.NoBindSN", kind: Kind::Conflict, hint: "" },
    Code { code: "SAG.NoBandwidth", kind: Kind::Conflict, hint: "" },
    Code { code: "FeatureNotSupport*", kind: Kind::InvalidArgument, hint: "This gateway model or firmware lacks the feature" },
];
