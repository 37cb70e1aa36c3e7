"""Do the official Alibaba Cloud SDKs work against the local cloud? Every operation of both
services, in both signature versions, with all members set and with the required ones alone."""

import inspect
import typing

from alibabacloud_smartag20180313 import client as smartag
from alibabacloud_smc20190601 import client as smc
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from alibabacloud_tea_openapi.utils_models import Config, GlobalParameters

from cloud import Model
from report import Failed, equal, expect
from samples import Samples
from shape import differences

CLIENTS = {"smc": smc.Client, "smartag": smartag.Client}
# The name that `Config.signature_algorithm` gives to each signature version.
STYLES = {"V3": None, "V1": "v2"}
# These keep state: `alibaba_state` calls them in an order that makes sense.
STATEFUL = {
    "smc": {"CreateAccessToken", "ListAccessTokens", "DisableAccessToken", "DeleteAccessToken"},
    "smartag": {"CreateEnterpriseCode", "ListEnterpriseCode", "UpdateEnterpriseCode", "DeleteEnterpriseCode"},
}
# Members that the SDK declares otherwise than the vendor's own page; the local cloud follows the page.
AS_DOCUMENTED = {("DescribeSmartAccessGatewayAttribute", "optimization_type")}


def config(endpoint, key, style="V3", **more):
    """Settings of a client: plain http to `endpoint`, a key as (id, secret[, token])."""
    token = {"security_token": key[2]} if len(key) > 2 else {}
    return Config(
        access_key_id=key[0],
        access_key_secret=key[1],
        endpoint=endpoint.removeprefix("http://"),
        protocol="http",
        region_id="cn-shanghai",
        signature_algorithm=STYLES[style],
        **token,
        **more,
    )


class Sdk:
    """One official client; what its `call_api` hands back is kept beside the typed answer."""

    def __init__(self, service, endpoint, key, style="V3", **more):
        wire = self.wire = []

        class Recording(CLIENTS[service]):
            def call_api(self, params, request, runtime):
                answer = super().call_api(params, request, runtime)
                wire.append((params.action, answer))
                return answer

        self.client = Recording(config(endpoint, key, style, **more))
        self.calls = {}
        for name, method in inspect.getmembers(CLIENTS[service], inspect.isfunction):
            if name.endswith("with_options"):
                hints = typing.get_type_hints(method)
                action = hints["request"].__name__.removesuffix("Request")
                self.calls[action] = (name, hints["request"], hints["runtime"])

    def request(self, action, members):
        """The SDK's request object, filled from wire names."""
        return self.calls[action][1]().from_map(members)

    def call(self, action, **members):
        """Calls an operation; answers the typed body and the JSON that it was read from."""
        name, _, runtime = self.calls[action]
        answer = getattr(self.client, name)(self.request(action, members), runtime())
        sent, wire = self.wire.pop()
        equal(sent, action, "action that the SDK sent")
        equal(answer.status_code, 200, "status")
        check_answer(action, answer.body, wire["body"])
        return answer.body, wire["body"]


def check_answer(action, body, wire):
    expect(body is not None, "the SDK could not read the answer into its model")
    lost = list(differences(wire, body.to_map())) + list(wrong_types(action, body))
    expect(not lost, "; ".join(lost))
    expect(bool(body.request_id), "no RequestId")


def check_echo(members, wire):
    """An answer made up from the model repeats the texts of the request in members of the same name."""
    for name in sorted(set(members) & set(wire)):
        if isinstance(members[name], str) and isinstance(wire[name], str) and members[name]:
            equal(wire[name], members[name], f"{name}, which the request set")


def attributes(model):
    """Name, declared type and value of each member of an SDK object."""
    hints = typing.get_type_hints(type(model).__init__)
    return [(name, kind, getattr(model, name)) for name, kind in hints.items() if name != "return"]


def walk(model, path=""):
    """All members of an SDK object and of those inside it."""
    for name, kind, value in attributes(model):
        here = f"{path}.{name}" if path else name
        yield here, kind, value
        for at, one in enumerate(value if isinstance(value, list) else [value]):
            if hasattr(one, "to_map"):
                yield from walk(one, f"{here}[{at}]" if isinstance(value, list) else here)


def wrong_types(action, model):
    """Scalars that are not what the SDK declares them to be; it does not look itself."""
    for path, kind, value in walk(model):
        if (action, path) in AS_DOCUMENTED:
            continue
        wanted = typing.get_args(kind)[0] if typing.get_origin(kind) is list else kind
        for one in value if isinstance(value, list) else [value]:
            fits = not isinstance(one, bool) if wanted in (int, float) else True
            if wanted in (str, int, bool, float) and one is not None:
                allowed = (int, float) if wanted is float else wanted
                if not (fits and isinstance(one, allowed)):
                    yield f"{path}: the SDK declares {wanted.__name__}, got {one!r}"


def holes(model):
    return [path for path, _, value in walk(model) if value is None or value == []]


def sweep(report, service, endpoint, keys):
    """Every operation that keeps no state, in every style and with every kind of input."""
    model = Model(service)
    # The first page is asked for with no token at all or an empty one.
    fixed = {"RegionId": "cn-shanghai", "OwnerId": 1, "ResourceOwnerId": 1, "NextToken": ""}
    for style, key, required_only in (
        ("V3", keys.main, False),
        ("V1", keys.main, True),
        ("V1", keys.sts, False),
        ("V3", keys.sts, True),
    ):
        sdk = Sdk(service, endpoint, key, style)
        with report.check(f"{service}: operations of the SDK and of the model"):
            equal(sorted(sdk.calls), sorted(model.operations), "names")
        for action in sorted(set(sdk.calls) & set(model.operations) - STATEFUL[service]):
            token = f"{action[:40]}-{style}-{'some' if required_only else 'all'}"
            samples = Samples(model, {**fixed, "ClientToken": token})
            with report.check(f"{service} {action} ({style}, {'required' if required_only else 'all'} members)"):
                members = samples.members(model.operations[action]["input"], required_only)
                request = sdk.request(action, members)
                lost = list(differences(members, request.to_map()))
                expect(not lost, f"request members: {'; '.join(lost)}")
                unknown = [] if required_only else holes(request)
                expect(not unknown, f"the model lacks request members {unknown}")
                body, wire = sdk.call(action, **members)
                empty = holes(body)
                expect(not empty, f"members without a value in the answer: {empty}")
                check_echo(members, wire)
                report.drove(service, action)


def left_out(report, service, endpoint, keys):
    """One required member less, in every operation that has one."""
    model = Model(service)
    samples = Samples(model, {"RegionId": "cn-shanghai"})
    sdk = Sdk(service, endpoint, keys.main)
    for action, operation in model.operations.items():
        members = samples.members(operation["input"], required_only=True)
        if members:
            name = list(members)[-1]
            del members[name]
            with report.check(f"{service} refusal: {action} without {name}"):
                refused(f"Missing{name}", 400, lambda: sdk.call(action, **members))


def refused(code, status, do):
    """Runs `do`, which the local cloud must refuse with this code."""
    try:
        do()
    except AlibabaCloudException as error:
        equal((error.status_code, error.code), (status, code), "refusal")
        expect(bool(error.request_id) and error.request_id != "None", "a refusal without a request id")
    else:
        raise Failed(f"accepted, where {code} was due")


def gateway_headers(**headers):
    """Headers or, in V1, query parameters that the SDK sends instead of its own."""
    return {"global_parameters": GlobalParameters(headers=headers, queries={})}


def gateway_queries(**queries):
    return {"global_parameters": GlobalParameters(headers={}, queries=queries)}
