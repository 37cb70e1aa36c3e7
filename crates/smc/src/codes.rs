//! What SMC's error codes mean.
//!
//! Codes of the gateway in front of the service are in `cumulo_core`.

use cumulo_core::Kind;
use cumulo_core::service::Code;

#[rustfmt::skip]
pub(crate) const CODES: &[Code] = &[
    Code { code: "SourceServerState.Invalid", kind: Kind::Conflict, hint: "Wait until the source server is Available" },
    Code { code: "ReplicationJob.InvalidStatus", kind: Kind::Conflict, hint: "The job's present status does not allow this: look with DescribeReplicationJobs" },
    Code { code: "ReplicationJobName.Duplicate", kind: Kind::AlreadyExists, hint: "" },
    Code { code: "SourceServerName.Duplicate", kind: Kind::AlreadyExists, hint: "" },
    Code { code: "ReplicationJobDataDiskIndex.Invalid", kind: Kind::InvalidArgument, hint: "" },
    Code { code: "DataDisk.DuplicateIndex", kind: Kind::InvalidArgument, hint: "" },
    Code { code: "VSwitchIdVpcId.Mismatch", kind: Kind::InvalidArgument, hint: "" },
    Code { code: "InvalidSecurityGroupId.*", kind: Kind::InvalidArgument, hint: "" },
    Code { code: "SourceServer.WithRunningReplicationJob", kind: Kind::Conflict, hint: "Stop the replication job first" },
    Code { code: "ReplicationJob.Related", kind: Kind::Conflict, hint: "Delete the replication job first, or use Force" },
    Code { code: "NumberExceed.*", kind: Kind::QuotaExceeded, hint: "" },
    Code { code: "InvalidAccountStatus.NotEnoughBalance", kind: Kind::PermissionDenied, hint: "Top up the account" },
    Code { code: "InvalidAccessTokenId.NotFound", kind: Kind::NotFound, hint: "" },
    Code { code: "InvalidAccessToken.*", kind: Kind::NotFound, hint: "" },
    Code { code: "InvalidSourceId.NotFound", kind: Kind::NotFound, hint: "" },
    Code { code: "InvalidJobId.NotFound", kind: Kind::NotFound, hint: "" },
    Code { code: "InvalidWorkgroupId.NotFound", kind: Kind::NotFound, hint: "" },
];
