"""Do values come back as they were sent, and is a repeated ClientToken one call? Stories over
several calls, told once in each signature version."""

import json

from aliyunsdkcore.acs_exception.exceptions import ServerException as CoreException
from aliyunsdkcore.auth.credentials import StsTokenCredential
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest

from alibaba import Sdk, refused
from report import equal, expect
from samples import HARD

REGION = "cn-shanghai"


def access_tokens(report, endpoint, keys, style):
    sdk, other = Sdk("smc", endpoint, keys.main, style), Sdk("smc", endpoint, keys.other, style)
    ids = []
    with report.check(f"smc CreateAccessToken ({style})"):
        for number in (1, 2):
            body, _ = sdk.call(
                "CreateAccessToken", Name=f"web-{number}", Description=HARD, Count="10", TimeToLiveInDays="7"
            )
            expect(bool(body.access_token_code), "no code")
            ids.append(body.access_token_id)
        equal(len(set(ids)), 2, "different ids")
        report.drove("smc", "CreateAccessToken")
    with report.check(f"smc ListAccessTokens by AccessTokenId.1 and .2 ({style})"):
        body, _ = sdk.call("ListAccessTokens", AccessTokenId=ids)
        tokens = body.access_tokens.access_token
        equal([one.access_token_id for one in tokens], ids, "ids")
        equal([one.description for one in tokens], [HARD, HARD], "description")
        equal([one.count for one in tokens], ["10", "10"], "count")
        body, _ = sdk.call("ListAccessTokens", AccessTokenId=ids[1:])
        equal([one.name for one in body.access_tokens.access_token], ["web-2"], "the second alone")
        report.drove("smc", "ListAccessTokens")
    with report.check(f"smc ListAccessTokens of another account ({style})"):
        body, _ = other.call("ListAccessTokens", AccessTokenId=ids)
        equal(body.access_tokens.access_token, [], "tokens")
    with report.check(f"smc ListAccessTokens with a security token ({style})"):
        body, _ = Sdk("smc", endpoint, keys.sts, style).call("ListAccessTokens", AccessTokenId=ids)
        equal(len(body.access_tokens.access_token), 2, "tokens")
    with report.check(f"smc DisableAccessToken ({style})"):
        sdk.call("DisableAccessToken", AccessTokenId=ids[0])
        body, _ = sdk.call("ListAccessTokens", AccessTokenId=ids[:1])
        equal(body.access_tokens.access_token[0].status, "unactivated", "status")
        report.drove("smc", "DisableAccessToken")
    with report.check(f"smc DeleteAccessToken ({style})"):
        for one in ids:
            sdk.call("DeleteAccessToken", AccessTokenId=one)
        gone = lambda: sdk.call("DeleteAccessToken", AccessTokenId=ids[0])
        refused("InvalidAccessTokenId.NotFound", 404, gone)
        report.drove("smc", "DeleteAccessToken")


def enterprise_codes(report, endpoint, keys, style):
    sdk = Sdk("smartag", endpoint, keys.main, style)
    code = {"V3": "Cum03", "V1": "Cum01"}[style]
    one = {"RegionId": REGION, "EnterpriseCode": code}
    with report.check(f"smartag CreateEnterpriseCode, repeated ({style})"):
        token = {"ClientToken": f"create +/?&=%#~*'()!@:,;{style}"}
        _, first = sdk.call("CreateEnterpriseCode", **one, **token)
        _, again = sdk.call("CreateEnterpriseCode", **one, **token)
        equal(again, first, "the repeated answer")
        occupied = lambda: sdk.call("CreateEnterpriseCode", **one)
        refused("EnterpriseCode.BeenOccupied", 400, occupied)
        other = lambda: sdk.call("CreateEnterpriseCode", RegionId=REGION, EnterpriseCode="Zzzzz", **token)
        refused("IdempotentParameterMismatch", 400, other)
        report.drove("smartag", "CreateEnterpriseCode")
    with report.check(f"smartag UpdateEnterpriseCode, True and False ({style})"):
        for default in (True, False, True):
            sdk.call("UpdateEnterpriseCode", **one, IsDefault=default)
            body, _ = sdk.call("ListEnterpriseCode", **one)
            equal([found.is_default for found in body.enterprise_codes], [default], "IsDefault")
        body, _ = sdk.call("ListEnterpriseCode", RegionId=REGION, IsDefault=True)
        equal([found.enterprise_code for found in body.enterprise_codes], [code], "the default code")
        report.drove("smartag", "UpdateEnterpriseCode")
        report.drove("smartag", "ListEnterpriseCode")
    with report.check(f"smartag DeleteEnterpriseCode ({style})"):
        refused("EnterpriseCode.DeleteLimit", 400, lambda: sdk.call("DeleteEnterpriseCode", **one))
        sdk.call("UpdateEnterpriseCode", **one, IsDefault=False)
        sdk.call("DeleteEnterpriseCode", **one)
        refused("EnterpriseCode.NotExist", 400, lambda: sdk.call("DeleteEnterpriseCode", **one))
        report.drove("smartag", "DeleteEnterpriseCode")


def client_tokens(report, endpoint, keys, style):
    sdk = Sdk("smc", endpoint, keys.main, style)
    mismatch = "IdempotentParameterMismatch"
    token = {"ClientToken": f"group-{style}"}
    with report.check(f"smc CreateWorkgroup repeated ({style})"):
        _, first = sdk.call("CreateWorkgroup", Name="group", Description=HARD, **token)
        _, again = sdk.call("CreateWorkgroup", Name="group", Description=HARD, **token)
        equal(again, first, "the repeated answer")
        _, fresh = sdk.call("CreateWorkgroup", Name="group", Description=HARD)
        expect(fresh["RequestId"] != first["RequestId"], "without a token the answer was repeated too")
    # One character of the hard text at a time: what an encoder folds together is told apart.
    with report.check(f"smc CreateWorkgroup with the token of another call ({style})"):
        for mark, swapped in ((" ", "+"), ("+", " "), ("%2F", "/"), ("&", "&amp;"), ("é", "e\u0301"), ("~", "%7E")):
            changed = HARD.replace(mark, swapped)
            expect(changed != HARD, f"{mark} is not in the text")
            other = lambda: sdk.call("CreateWorkgroup", Name="group", Description=changed, **token)
            refused(mismatch, 400, other)
        refused(mismatch, 400, lambda: sdk.call("CreateWorkgroup", Name="group", **token))
    with report.check(f"smc the same token in another action, and of another account ({style})"):
        job = {"RegionId": REGION, "SourceId": "s-1", "InstanceId": "i-1", **token}
        sdk.call("CreateReplicationJob", **job)
        Sdk("smc", endpoint, keys.other, style).call("CreateWorkgroup", Name="other", **token)
    with report.check(f"smc ClientToken of 64 and of 65 characters ({style})"):
        sdk.call("CreateWorkgroup", Name="group", ClientToken=style + "x" * 62)
        long = lambda: sdk.call("CreateWorkgroup", Name="group", ClientToken=style + "x" * 63)
        refused("InvalidClientToken.ValueNotSupported", 400, long)


def core(report, endpoint, keys):
    """The older SDK: V1 only, over GET and POST, with parameters in the query and in a form."""
    host = endpoint.removeprefix("http://")
    sts = StsTokenCredential(*keys.sts)
    clients = {
        "key": AcsClient(keys.main[0], keys.main[1], REGION),
        "security token": AcsClient(region_id=REGION, credential=sts),
    }

    def call(client, method, action, query=None, form=None):
        request = CommonRequest(domain=host, version="2019-06-01", action_name=action)
        request.set_protocol_type("http")
        request.set_method(method)
        request.set_accept_format("json")
        for name, value in (query or {}).items():
            request.add_query_param(name, value)
        for name, value in (form or {}).items():
            request.add_body_params(name, value)
        return json.loads(client.do_action_with_exception(request))

    for name, client in clients.items():
        with report.check(f"smc aliyunsdkcore ({name})"):
            made = [
                call(client, "GET", "CreateAccessToken", {"Description": HARD, "Name": "core-get"}),
                call(client, "POST", "CreateAccessToken", {"Description": HARD}),
                call(client, "POST", "CreateAccessToken", form={"Description": HARD}),
                call(client, "POST", "CreateAccessToken", {"Description": HARD}, {"Name": "core:mixed"}),
            ]
            ids = {f"AccessTokenId.{at}": one["AccessTokenId"] for at, one in enumerate(made, 1)}
            listed = call(client, "GET", "ListAccessTokens", ids)["AccessTokens"]["AccessToken"]
            equal([one["Description"] for one in listed], [HARD] * 4, "descriptions")
            equal([one["Name"] for one in listed], ["core-get", "", "", "core:mixed"], "names")
            for one in made:
                call(client, "POST", "DeleteAccessToken", form={"AccessTokenId": one["AccessTokenId"]})
    with report.check("smc aliyunsdkcore (wrong secret)"):
        try:
            call(AcsClient(keys.main[0], keys.main[1] + "x", REGION), "GET", "ListAccessTokens")
        except CoreException as error:
            equal((error.get_http_status(), error.get_error_code()), (400, "SignatureDoesNotMatch"), "refusal")
        else:
            expect(False, "accepted")


def stories(report, endpoints, keys):
    for style in ("V3", "V1"):
        access_tokens(report, endpoints["smc"], keys, style)
        client_tokens(report, endpoints["smc"], keys, style)
        enterprise_codes(report, endpoints["smartag"], keys, style)
    core(report, endpoints["smc"], keys)
