//! Which identities does the local cloud know? These, and no others.
//!
//! They are the same in every local cloud, so that a test or a shell script can name them
//! without asking. None is valid anywhere else.

/// Alibaba Cloud access key id of the main account (SMC and Smart Access Gateway).
pub const ALIBABA_KEY_ID: &str = "localcloud-alibaba-key";
/// Secret of [`ALIBABA_KEY_ID`].
pub const ALIBABA_SECRET: &str = "localcloud-alibaba-secret-30chr";
/// Name of the main account, by which its things are kept apart from those of others.
pub(crate) const ALIBABA_ACCOUNT: &str = "main";
/// Access key id of a second account: another enterprise, which owns its own codes.
pub const ALIBABA_OTHER_KEY_ID: &str = "localcloud-alibaba-other-key";
/// Secret of [`ALIBABA_OTHER_KEY_ID`].
pub const ALIBABA_OTHER_SECRET: &str = "localcloud-alibaba-other-secret";
/// Temporary key id of the main account; needs [`ALIBABA_STS_TOKEN`].
pub const ALIBABA_STS_KEY_ID: &str = "STS.localcloud-alibaba-key";
/// Secret of [`ALIBABA_STS_KEY_ID`].
pub const ALIBABA_STS_SECRET: &str = "localcloud-alibaba-sts-secret-1";
/// Security token of [`ALIBABA_STS_KEY_ID`]; holds the characters that encoders get wrong.
pub const ALIBABA_STS_TOKEN: &str = "CAIS/localcloud+sts~token/with*signs==";
/// Temporary key id whose token is past its life.
pub const ALIBABA_EXPIRED_STS_KEY_ID: &str = "STS.localcloud-alibaba-expired";
/// Secret of [`ALIBABA_EXPIRED_STS_KEY_ID`].
pub const ALIBABA_EXPIRED_STS_SECRET: &str = "localcloud-alibaba-sts-secret-2";
/// The expired security token of [`ALIBABA_EXPIRED_STS_KEY_ID`].
pub const ALIBABA_EXPIRED_STS_TOKEN: &str = "CAIS/localcloud+expired==";
/// A region that the local Smart Access Gateway serves (any other is accepted as well).
pub const ALIBABA_REGION: &str = "cn-shanghai";

/// Permanent access key (AK) of the OTC / Huawei Cloud account.
pub const HUAWEI_AK: &str = "LOCALCLOUDHUAWEIAK01";
/// Secret key (SK) of [`HUAWEI_AK`].
pub const HUAWEI_SK: &str = "localcloud-huawei-secret-key-of-40-chars";
/// A second permanent access key, for tests that lock a key.
pub const HUAWEI_OTHER_AK: &str = "LOCALCLOUDHUAWEIAK02";
/// Secret key of [`HUAWEI_OTHER_AK`].
pub const HUAWEI_OTHER_SK: &str = "localcloud-huawei-other-key-of-40-chars-";
/// Temporary access key; needs [`HUAWEI_SECURITY_TOKEN`].
pub const HUAWEI_TEMP_AK: &str = "LOCALCLOUDHUAWEITMP1";
/// Secret key of [`HUAWEI_TEMP_AK`].
pub const HUAWEI_TEMP_SK: &str = "localcloud-huawei-temporary-key-40-chars";
/// Security token of [`HUAWEI_TEMP_AK`].
pub const HUAWEI_SECURITY_TOKEN: &str = "localcloud/huawei+security=token";

/// Name of the Keystone user that may do everything.
pub const KEYSTONE_USER: &str = "local-user";
/// Id of [`KEYSTONE_USER`].
pub const KEYSTONE_USER_ID: &str = "0b0a1f5c9f7e4b70a7bb0f1f6d0c1a01";
/// Password of [`KEYSTONE_USER`].
pub const KEYSTONE_PASSWORD: &str = "localcloud-Keystone-Passw0rd";
/// Name of a Keystone user that may only read.
pub const KEYSTONE_READER: &str = "local-reader";
/// Id of [`KEYSTONE_READER`].
pub const KEYSTONE_READER_ID: &str = "0b0a1f5c9f7e4b70a7bb0f1f6d0c1a02";
/// Password of [`KEYSTONE_READER`].
pub const KEYSTONE_READER_PASSWORD: &str = "localcloud-Reader-Passw0rd";
/// Name of the domain (the account) of both users.
pub const KEYSTONE_DOMAIN: &str = "OTC-EU-DE-LOCALCLOUD";
/// Id of [`KEYSTONE_DOMAIN`].
pub const KEYSTONE_DOMAIN_ID: &str = "d78cbac186b744899480f25bd0224680";
/// Name of the project that holds the gateway: that of the region, which clients look for that
/// were told of none.
pub const KEYSTONE_PROJECT_NAME: &str = "eu-de";
/// Id of [`KEYSTONE_PROJECT_NAME`].
pub const KEYSTONE_PROJECT_ID: &str = "7e1f0a7e3d9c4c2c9b2f0c5f2d7e9a10";
/// Name of a second project, without a gateway.
pub const KEYSTONE_OTHER_PROJECT_NAME: &str = "eu-de_empty";
/// Id of [`KEYSTONE_OTHER_PROJECT_NAME`].
pub const KEYSTONE_OTHER_PROJECT_ID: &str = "7e1f0a7e3d9c4c2c9b2f0c5f2d7e9a20";
/// Name of an agency of [`KEYSTONE_DOMAIN`], by which its users may act in its projects.
pub const KEYSTONE_AGENCY: &str = "local-agency";
/// Id of the user as whom one acts through [`KEYSTONE_AGENCY`].
pub(crate) const KEYSTONE_AGENCY_ID: &str = "0b0a1f5c9f7e4b70a7bb0f1f6d0c1a03";
/// Id of the dedicated gateway in [`KEYSTONE_PROJECT_ID`].
pub const INSTANCE_ID: &str = "c48cf7e1a1b64d2f8f6c4a9e5f0b7d30";
/// Region name in the service catalog.
pub const KEYSTONE_REGION: &str = "eu-de";

/// ZStack account name.
pub const ZSTACK_ACCOUNT: &str = "admin";
/// Password of [`ZSTACK_ACCOUNT`]; its SHA-512 in lower-case hex is what goes over the wire.
pub const ZSTACK_PASSWORD: &str = "localcloud-zstack-password";
/// Uuid of [`ZSTACK_ACCOUNT`].
pub const ZSTACK_ACCOUNT_UUID: &str = "2dce5dc485554d21a3796500c1db007a";
/// Uuid of the account's own user.
pub const ZSTACK_USER_UUID: &str = "2dce5dc485554d21a3796500c1db007b";
/// Id of the access key that exists from the start.
pub const ZSTACK_KEY_ID: &str = "LocalCloudZstackKey1";
/// Secret of [`ZSTACK_KEY_ID`].
pub const ZSTACK_KEY_SECRET: &str = "LocalCloudZstackSecretOfExactly40Letters";
/// Uuid of the resource that holds [`ZSTACK_KEY_ID`].
pub const ZSTACK_KEY_UUID: &str = "5f0c1b2a3d4e4f6a8b9c0d1e2f3a4b5c";
