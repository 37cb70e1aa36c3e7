"""Does the official Huawei Cloud SDK work against the local cloud? Every operation of APIG, with
a permanent and a temporary key, with all members set and with the required ones alone."""

import inspect
import json
import pathlib
import re

from huaweicloudsdkapig import v2
from huaweicloudsdkapig.v2 import ApigClient
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ServiceResponseException
from huaweicloudsdkcore.http.formdata import FormFile
from huaweicloudsdkcore.sdk_stream_response import SdkStreamResponse
from huaweicloudsdkcore.utils.http_utils import sanitize_for_serialization

from cloud import Model
from report import Failed, equal, expect
from samples import Samples, text
from shape import differences

# These keep state: `huawei_state` calls them in an order that makes sense.
STATEFUL = {
    "CreateAnAppV2", "ListAppsV2", "ShowDetailsOfAppV2", "UpdateAppV2", "DeleteAppV2",
    "CreateAppCodeV2", "CreateAppCodeAutoV2", "ListAppCodesV2", "ShowDetailsOfAppCodeV2", "DeleteAppCodeV2",
    "ResettingAppSecretV2", "CheckAppV2",
}  # fmt: skip
# Where the local cloud follows Open Telekom Cloud's pages and not the SDK: members that only the pages
# have, and measurements, which are no whole numbers.
AS_DOCUMENTED = {
    "ListApisV2": r"apis\[\d+\]\.backend_params:",
    "ListInstanceTags": r"resource_id:|resource_name:|resouce_detail:",
    "ListMetricData": r"datapoints\[\d+\]\.(average|max|min|sum|variance):",
}
DEFINITION = str(pathlib.Path(__file__).with_name("definition.json"))


class Sdk:
    """One official client."""

    def __init__(self, endpoint, ak, sk, project, token=None):
        credentials = BasicCredentials(ak, sk, project)
        if token:
            credentials.with_security_token(token)
        builder = ApigClient.new_builder().with_credentials(credentials).with_endpoint(endpoint)
        self.client = builder.build()
        self.calls = {}
        for name, method in inspect.getmembers(ApigClient, inspect.isfunction):
            found = re.search(r":type request: :class:`[\w.]*\.(\w+)Request`", method.__doc__ or "")
            if found:
                self.calls[found[1]] = name

    def request(self, operation, **members):
        return getattr(v2, f"{operation}Request")(**members)

    def send(self, operation, request):
        """Calls an operation; answers what the SDK made of it."""
        answer = getattr(self.client, self.calls[operation])(request)
        if not isinstance(answer, SdkStreamResponse):
            check_answer(operation, answer)
        return answer

    def call(self, operation, **members):
        return self.send(operation, self.request(operation, **members))


def permanent(endpoint, known):
    return Sdk(endpoint, known["HUAWEI_AK"], known["HUAWEI_SK"], known["KEYSTONE_PROJECT_ID"])


def temporary(endpoint, known):
    names = ("HUAWEI_TEMP_AK", "HUAWEI_TEMP_SK", "KEYSTONE_PROJECT_ID", "HUAWEI_SECURITY_TOKEN")
    return Sdk(endpoint, *(known[name] for name in names))


def check_answer(operation, answer):
    """Nothing that came may be missing from the typed answer or of another type in it."""
    wire = json.loads(answer.raw_content) if answer.raw_content else {}
    kept = sanitize_for_serialization(answer)
    # This member is filled from a header; a member named `body` stands for the whole answer.
    kept.pop("x-request-id", None)
    kept = kept["body"] if list(answer.attribute_map) == ["body"] else kept
    lost = differences(wire, json.loads(json.dumps(kept, default=float)))
    known = AS_DOCUMENTED.get(operation, "(?!)")
    lost = [one for one in lost if not re.match(known, one)]
    expect(not lost, "; ".join(lost))


def holes(model, path=""):
    """Members without a value, in an SDK object and in those inside it."""
    if isinstance(model, (list, dict)):
        inner = enumerate(model) if isinstance(model, list) else model.items()
        for at, one in inner:
            yield from holes(one, f"{path}[{at}]")
        return
    for name in getattr(model, "openapi_types", ()):
        value, here = getattr(model, name), f"{path}.{name}" if path else name
        if value is None or value == [] or value == {}:
            yield here
        yield from holes(value, here)


class Builder:
    """Fills the SDK's request classes, member by member, with values that the model allows. `given`
    has values for members of the request itself, required or not, by their wire names."""

    def __init__(self, model, samples, required_only, given=None):
        self.model, self.samples, self.required_only = model, samples, required_only
        self.given = given or {}

    def request(self, operation):
        given = [one for one in self.model.operations[operation]["input"] if one["name"] != "project_id"]
        members = {one["name"]: self.with_given(one) for one in given if one["in"] != "body"}
        body = [one for one in given if one["in"] == "body"]
        cls = getattr(v2, f"{operation}Request")
        if "body" in cls.openapi_types:
            if body and body[0].get("style") in ("raw", "multipart"):
                body = self.model.resolve(body[0]["type"])["struct"]
            body = [self.with_given(one) for one in body]
            # A body of optional members alone is left out where only what must be there is sent.
            required = any(one.get("required") or "given" in one for one in body)
            members["body"] = {"name": "body", "type": {"struct": body}, "required": required}
        return self.object(cls, members, operation)

    def with_given(self, member):
        given = self.given.get(member["name"])
        return member if given is None else {**member, "given": given}

    def object(self, cls, members, path):
        wires = set(cls.attribute_map.values())
        expect(wires == set(members), f"{path}: the SDK has {sorted(wires)}, the model {sorted(members)}")
        values = {}
        for name, kind in cls.openapi_types.items():
            member = members[cls.attribute_map[name]]
            if "given" in member:
                values[name] = member["given"]
            elif member.get("required") or not self.required_only:
                values[name] = self.value(kind, member, member["type"], f"{path}.{name}")
        return cls(**values)

    def value(self, kind, member, model_kind, path):
        model_kind = self.model.resolve(model_kind)
        inner = re.fullmatch(r"(?:list\[|dict\(str, )(.*)[\])]", kind)
        if inner:
            made = self.value(inner[1], member, model_kind["list" if kind.startswith("list") else "map"], path)
            return [made, made] if kind.startswith("list") else {"name": made}
        if kind == "file":
            return FormFile(DEFINITION, "application/json")
        if hasattr(v2, kind):
            cls = getattr(v2, kind)
            if not cls.openapi_types:  # an enum: its values are attributes of the class
                return text(member)
            return self.object(cls, {one["name"]: one for one in model_kind["struct"]}, path)
        return self.samples.value(member, model_kind, self.required_only)


def sweep(report, endpoint, known):
    """Every operation that keeps no state, with each kind of key and input."""
    model = Model("apig")
    fixed = {"instance_id": known["INSTANCE_ID"], "limit": 20, "offset": 0}
    for label, sdk, required_only in (
        ("permanent key, all members", permanent(endpoint, known), False),
        ("temporary key, required members", temporary(endpoint, known), True),
    ):
        with report.check("apig: operations of the SDK and of the model"):
            equal(sorted(sdk.calls), sorted(model.operations), "names")
        builder = Builder(model, Samples(model, fixed), required_only)
        for operation in sorted(set(sdk.calls) & set(model.operations) - STATEFUL):
            with report.check(f"apig {operation} ({label})"):
                answer = sdk.send(operation, builder.request(operation))
                if isinstance(answer, SdkStreamResponse):
                    check_download(answer)
                else:
                    check_status(model.operations[operation], answer)
                    empty = list(holes(answer))
                    expect(not empty, f"members without a value in the answer: {empty}")
                report.drove("apig", operation)


def left_out(report, endpoint, known):
    """One required member less, in every operation that has one outside its path."""
    model = Model("apig")
    builder = Builder(model, Samples(model, {"instance_id": known["INSTANCE_ID"]}), required_only=True)
    sdk = permanent(endpoint, known)
    for operation in sorted(set(sdk.calls) - STATEFUL):
        request = builder.request(operation)
        names = [
            one["name"]
            for one in model.operations[operation]["input"]
            if one.get("required") and one["in"] != "path" and "style" not in one
        ]
        if names:
            holder = request if names[-1] in request.openapi_types else request.body
            attribute = next(key for key, wire in holder.attribute_map.items() if wire == names[-1])
            # The setter of a required member refuses None in some classes; the field behind it does not.
            setattr(holder, f"_{attribute}", None)
            with report.check(f"apig refusal: {operation} without {names[-1]}"):
                refused(400, "APIG.2001", names[-1], lambda: sdk.send(operation, request))


def check_status(operation, answer):
    documented = operation.get("success", [200, 204])
    expect(answer.status_code in documented, f"status {answer.status_code}, not {documented}")
    if answer.status_code == 204:
        equal(answer.raw_content, b"", "body of a 204")


def check_download(answer):
    """An answer that is a file."""
    kept = []
    answer.consume_download_stream(lambda stream: kept.append(stream.content))
    expect(bool(kept) and len(kept[0]) > 0, "an empty file")


def refused(status, code, text, do):
    """Runs `do`, which the local cloud must refuse with this code and these words."""
    try:
        do()
    except ServiceResponseException as error:
        equal((error.status_code, error.error_code), (status, code), "refusal")
        expect(text in error.error_msg, f"expected {text!r} in {error.error_msg!r}")
        expect(bool(error.request_id), "a refusal without a request id")
    else:
        raise Failed(f"accepted, where {code} was due")
