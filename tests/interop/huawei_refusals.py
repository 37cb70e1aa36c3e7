"""Is what the official SDK did not sign refused? Wrong keys, stale clocks, and requests changed
on their way. A good call follows each refusal: too many in a row lock the key."""

import datetime
import json

from huaweicloudsdkapig import v2

from huawei import Sdk, refused
from raw import Listener, flip
from report import equal, expect
from samples import HARD

GATE = "APIGW.0301"
BASIC = "%Y%m%dT%H%M%SZ"


def minutes(number):
    now = datetime.datetime.now(datetime.timezone.utc)
    return (now + datetime.timedelta(minutes=number)).strftime(BASIC)


def keys(known):
    """A key for each kind, as (ak, sk, project[, token]); refusals do not touch the main one."""
    project = known["KEYSTONE_PROJECT_ID"]
    return {
        "permanent key": (known["HUAWEI_OTHER_AK"], known["HUAWEI_OTHER_SK"], project),
        "temporary key": (
            known["HUAWEI_TEMP_AK"], known["HUAWEI_TEMP_SK"], project, known["HUAWEI_SECURITY_TOKEN"],
        ),
    }  # fmt: skip


def credentials(report, endpoint, known):
    instance = {"instance_id": known["INSTANCE_ID"]}
    ak, sk, project = keys(known)["permanent key"]
    temp_ak, temp_sk, _, token = keys(known)["temporary key"]
    good = {one[0]: Sdk(endpoint, *one) for one in keys(known).values()}
    cases = {
        "wrong secret": ((ak, sk + "x", project), "verify aksk signature fail"),
        "unknown key": (("NOBODY", sk, project), "Get secretKey failed"),
        "temporary key, no token": ((temp_ak, temp_sk, project), "security token"),
        "temporary key, wrong token": ((temp_ak, temp_sk, project, token + "x"), "security token"),
        "permanent key, a token": ((ak, sk, project, token), "security token"),
    }
    for name, (key, words) in cases.items():
        with report.check(f"apig refusal: {name}"):
            refused(401, GATE, words, lambda: Sdk(endpoint, *key).call("ListAppsV2", **instance))
            for sdk in good.values():
                equal(sdk.call("ListAppsV2", **instance).status_code, 200, "a good call after it")
    with report.check("apig refusal: another project"):
        other = Sdk(endpoint, ak, sk, "0" * 32)
        refused(403, "APIG.1005", "projectId", lambda: other.call("ListAppsV2", **instance))
    for number, holds in ((-16, False), (16, False), (-14, True), (14, True)):
        with report.check(f"apig: a date {number} minutes off"):
            sdk = Sdk(endpoint, ak, sk, project)
            sdk.client.preset_headers = {"X-Sdk-Date": minutes(number)}
            if holds:
                sdk.call("ListAppsV2", **instance)
            else:
                refused(401, GATE, "signature expired", lambda: sdk.call("ListAppsV2", **instance))
                good[ak].call("ListAppsV2", **instance)


def changes(request):
    """One signed request, changed in each place that the signature covers."""
    fail = "verify aksk signature fail"
    make = type(request)
    authorization = request.get("Authorization")
    head, _, signature = authorization.rpartition("Signature=")
    yield "signature changed", request.header("Authorization", f"{head}Signature={flip(signature)}"), fail
    yield "signature taken away", request.header("Authorization", head.rstrip(", ")), "authorization format"
    yield "date changed", request.header("X-Sdk-Date", minutes(1)), fail
    yield "date taken away", request.header("X-Sdk-Date", None), "x-sdk-date"
    yield "host changed", request.header("Host", "elsewhere.example"), fail
    yield "content type changed", request.header("Content-Type", "application/json;charset=latin1"), fail
    yield "parameter added", make(request.method, f"{request.target}&extra=1", request.headers, request.body), fail
    path, _, query = request.target.partition("?")
    yield "query taken away", make(request.method, path, request.headers, request.body), fail
    yield "path changed", make(request.method, f"{path}0?{query}", request.headers, request.body), fail
    yield "body added", make(request.method, request.target, request.headers, request.body + b" "), fail
    yield "method changed", make("DELETE", request.target, request.headers, request.body), fail


def tampering(report, endpoint, known):
    for label, key in keys(known).items():
        with Listener() as listener:
            Sdk(listener.endpoint, *key).call("ListAppsV2", instance_id=known["INSTANCE_ID"], name=HARD, limit=5)
            read = listener.take()
            body = v2.AppCreate(name=f"tampered {label.split()[0]}", remark=HARD)
            Sdk(listener.endpoint, *key).call("CreateAnAppV2", instance_id=known["INSTANCE_ID"], body=body)
            write = listener.take()
        for change, changed, words in changes(read):
            with report.check(f"apig refusal: {change} after signing ({label})"):
                expect(changed != read, "nothing was changed")
                status, answer = changed.send(endpoint)
                answer = json.loads(answer)
                equal((status, answer.get("error_code")), (401, GATE), "refusal")
                expect(words in answer["error_msg"], f"expected {words!r} in {answer['error_msg']!r}")
                equal(read.send(endpoint)[0], 200, "the request as it was signed")
        with report.check(f"apig refusal: body changed after signing ({label})"):
            changed = type(write)(write.method, write.target, write.headers, write.body.replace(b"tampered", b"accepted"))
            expect(changed != write, "nothing was changed")
            status, answer = changed.send(endpoint)
            equal((status, json.loads(answer).get("error_code")), (401, GATE), "refusal")
            equal(write.send(endpoint)[0], 201, "the request as it was signed")


def refusals(report, endpoint, known):
    credentials(report, endpoint, known)
    tampering(report, endpoint, known)
