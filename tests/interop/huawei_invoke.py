"""Is an API called that was published here, by an app that signs with the vendor's own signer? Huawei Cloud's
SDK makes group, API, app and right; its signer, which apps use with AppKey and AppSecret, makes the calls.

    huawei_invoke.py CUMULO

starts a local cloud of its own by the command CUMULO, since what is published must be kept."""

import copy
import http.client
import json
import subprocess
import sys

from huaweicloudsdkapig import v2
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

from cloud import accounts
from huawei import Sdk
from report import Report, equal

RELEASE = "DEFAULT_ENVIRONMENT_RELEASE_ID"


def send(address, request):
    """Sends a signed request as it is; status and body of the answer."""
    connection = http.client.HTTPConnection(address, timeout=30)
    connection.request(request.method, request.uri, request.body or None, request.header_params)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def signed(key, secret, host, method, path, query=(), body="", **headers):
    request = SdkRequest(
        method=method,
        schema="http",
        host=host,
        resource_path=path,
        query_params=list(query),
        header_params={"Host": host, **headers},
        body=body,
    )
    return Signer(BasicCredentials(key, secret, "unused")).sign(request)


def calls(report, endpoint, known):
    address = endpoint.split("://")[1]
    instance = known["INSTANCE_ID"]
    sdk = Sdk(endpoint, known["HUAWEI_AK"], known["HUAWEI_SK"], known["KEYSTONE_PROJECT_ID"])

    def call(operation, **members):
        return sdk.call(operation, instance_id=instance, **members)

    group = call("CreateApiGroupV2", body=v2.ApiGroupCreate(name="interop"))
    app = call("CreateAnAppV2", body=v2.AppCreate(name="interop app"))
    api = call(
        "CreateApiV2",
        body=v2.ApiCreate(
            name="echo_pet", type=1, req_protocol="HTTPS", req_method="ANY", req_uri="/pets/{id}", auth_type="APP",
            auth_opt=v2.AuthOpt(app_code_auth_type="HEADER"), backend_type="MOCK", group_id=group.id,
            mock_info=v2.ApiMockCreate(result_content='{"name": "Rex"}'),
        ),  # fmt: skip
    )
    host, key, secret = group.sl_domain, app.app_key, app.app_secret
    get = lambda: signed(key, secret, host, "GET", "/pets/7")
    with report.check("invoke before it is published"):
        equal(send(address, get())[0], 404, "status")
    call("CreateOrDeletePublishRecordForApiV2", body=v2.ApiActionInfo(action="online", env_id=RELEASE, api_id=api.id))
    with report.check("invoke before the app is authorized"):
        status, body = send(address, get())
        equal((status, json.loads(body)["error_code"]), (403, "APIG.0304"), "answer")
    call("CreateAuthorizingAppsV2", body=v2.ApiAuthCreate(env_id=RELEASE, app_ids=[app.id], api_ids=[api.id]))
    for name, request in {
        "plain": get(),
        "query": signed(key, secret, host, "GET", "/pets/7", [("b", "x y"), ("a", "é&="), ("b", "")]),
        "path": signed(key, secret, host, "GET", "/pets/a%20b%2Bc~%C3%A9"),
        "JSON": signed(key, secret, host, "POST", "/pets/7", body='{"é": 1}', **{"Content-Type": "application/json"}),
        "other bodies": signed(key, secret, host, "PUT", "/pets/7", body="é", **{"Content-Type": "text/plain"}),
    }.items():
        with report.check(f"invoke by the vendor's signer: {name}"):
            equal(send(address, request), (200, '{"name": "Rex"}'), "answer")
    with report.check("invoke with a request that was changed after it was signed"):
        for member, value in {"uri": "/pets/8", "method": "PUT", "body": "other"}.items():
            request = copy.copy(get())
            setattr(request, member, value)
            status, body = send(address, request)
            equal((status, json.loads(body)["error_code"]), (401, "APIG.0303"), member)
    with report.check("invoke by AppCode"):
        code = call("CreateAppCodeAutoV2", app_id=app.id).app_code
        request = SdkRequest(method="GET", uri="/pets/7", header_params={"Host": host, "X-Apig-AppCode": code})
        equal(send(address, request), (200, '{"name": "Rex"}'), "answer")


def main():
    cloud = subprocess.Popen([sys.argv[1], "local", "--json"], stdout=subprocess.PIPE, text=True)
    try:
        endpoints = json.loads(cloud.stdout.readline())["endpoints"]
        report = Report()
        calls(report, endpoints["apig"], accounts())
        return report.finish({})
    finally:
        cloud.terminate()
        cloud.wait(timeout=10)


if __name__ == "__main__":
    sys.exit(main())
