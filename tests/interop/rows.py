"""Do create, read, list, update and delete hold together for every row of the table of resources, as
the official SDKs see it? Each row that has them is walked through, on a cloud that was just reset."""

import json
import re
import urllib.request

from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from huaweicloudsdkcore.exceptions.exceptions import ServiceResponseException
from huaweicloudsdkcore.utils.http_utils import sanitize_for_serialization

import alibaba
import huawei
from cloud import ROOT, Model
from report import expect
from samples import Samples

# Whatever a thing belongs to.
PARENT = "0190d0b2d3a04c3e8d6f0f5a1b2c3d4e"
# What an id is called in the answer to a creation, where it is not called as in the row.
IDS = ("id", "InstanceId", "instance_id", "Data")
# Rows with rules of their own, told by `alibaba_state` and `huawei_state`.
BY_HAND = {"smc/access-token", "smartag/enterprise-code", "apig/app-code"}
# Rows whose creation tells no id and takes none.
NAMELESS = {"smc/tag", "smartag/vbr-binding", "apig/endpoint-permission"}
# At least so many rows do each step; a row without an update, say, has one step less.
LEAST = {
    "smc": {"create": 2, "list": 2, "update": 2, "delete": 2},
    "smartag": {"create": 19, "list": 19, "update": 10, "delete": 19},
    "apig": {"create": 26, "list": 25, "read": 17, "update": 12, "delete": 26},
}
REFUSED = (AlibabaCloudException, ServiceResponseException)


class Acs:
    """An Alibaba service, called by operation and wire names."""

    def __init__(self, service, endpoint, keys):
        self.model = Model(service)
        self.sdk = alibaba.Sdk(service, endpoint, keys.main)
        self.fixed = {"RegionId": "cn-shanghai", "OwnerId": 1, "ResourceOwnerId": 1, "NextToken": ""}

    def call(self, operation, also):
        members = Samples(self.model, self.fixed).members(self.model.operations[operation]["input"], True)
        members = {name: PARENT if isinstance(value, str) and free(self, operation, name) else value
                   for name, value in members.items()}  # fmt: skip
        _, wire = self.sdk.call(operation, **{**members, **also})
        return wire


class Rest:
    """API Gateway, called by operation and wire names."""

    def __init__(self, endpoint, known):
        self.model = Model("apig")
        self.sdk = huawei.permanent(endpoint, known)
        self.fixed = {"instance_id": known["INSTANCE_ID"]}

    def call(self, operation, also):
        builder = huawei.Builder(self.model, Samples(self.model, self.fixed), True, also)
        answer = self.sdk.send(operation, builder.request(operation))
        return sanitize_for_serialization(answer)


def free(service, operation, name):
    """Whether a text member takes any text, so that it may name a parent."""
    member = next(one for one in service.model.operations[operation]["input"] if one["name"] == name)
    return not member.get("values") and name not in service.fixed


def named(service, operation, pairs):
    """Of names and values those that the operation takes, as the types that it takes."""
    found = {}
    for member in service.model.operations[operation]["input"]:
        for name, value in pairs:
            if member["name"] in (name, f"{name}s") and member["name"] not in found:
                kind = member["type"]
                value = int(value) if kind in ("int32", "int64") else value
                found[member["name"]] = [value] if isinstance(kind, dict) and "list" in kind else value
    return found


def values(answer, name):
    """All scalars of a member, wherever it stands."""
    if isinstance(answer, dict):
        for member, value in answer.items():
            if member == name and not isinstance(value, (dict, list)):
                yield str(value)
            yield from values(value, name)
    elif isinstance(answer, list):
        for one in answer:
            yield from values(one, name)


def has(answer, name, value):
    return value in values(answer, name)


class Row:
    """One row on its way from creation to its end."""

    def __init__(self, service, row):
        self.service, self.row = service, row
        self.id, self.title = row.get("id", ""), row.get("title")

    def operation(self, role):
        known = self.row.get(role)
        return known[0] if isinstance(known, list) and known else known and known["op"]

    def takes(self, operation, member):
        return any(one["name"] == member for one in self.service.model.operations[operation]["input"])

    def about(self, operation, thing):
        """What names the thing in a request: the row's id, or the last name in the path."""
        path = self.service.model.operations[operation].get("path") or ""
        by = (self.row.get("read") or {}).get("by")
        # The one creation that answers with another name than every other request uses.
        also = "InstanceId" if self.operation("create") == "CreateSmartAccessGateway" else None
        last = re.findall(r"\{(\w+)\}", path)[-1:]
        return [(name, thing) for name in [self.id, by, *last, also] if name]

    def create(self, name, number):
        operation = self.operation("create")
        given = [(self.title, name)] if self.title else []
        own = [one for one in self.service.model.operations[operation]["input"] if one["name"] == self.id]
        if own and own[0].get("in") != "path":
            given.append((self.id, name if own[0]["type"] == "string" else number))
        answer = self.service.call(operation, named(self.service, operation, given))
        chosen = [value for member, value in given if member == self.id]
        told = [value for member in (self.id, *IDS) for value in values(answer, member)]
        expect(bool(chosen + told), f"{operation} tells no id: {answer}")
        return (chosen + told)[0]

    def look(self, operation, thing):
        return self.service.call(operation, named(self.service, operation, self.about(operation, thing)))

    def refused(self, operation, thing):
        try:
            answer = self.look(operation, thing)
        except REFUSED as error:
            expect(error.status_code < 500, f"{operation} of what is gone: {error}")
        else:
            expect(False, f"{operation} takes what is gone: {answer}")

    def walk(self):
        """The steps, as they are done."""
        first, second = self.create("thing-1", "7"), self.create("thing-2", "8")
        expect(first != second, f"{first} was given twice")
        yield "create"
        listing, delete = self.operation("list"), self.operation("delete")
        reading = self.operation("read")
        reading = reading if reading != listing else None
        if listing:
            answer = self.service.call(listing, {})
            lacks = [one for one in (first, second) if not has(answer, self.id, one)]
            expect(not lacks, f"{listing} lacks {lacks}: {json.dumps(answer)}")
            yield "list"
        if reading:
            answer = self.look(reading, first)
            expect(has(answer, self.id, first), f"{reading} shows another thing: {answer}")
            yield "read"
        update = self.operation("update")
        if update and self.title and self.title != self.id and self.takes(update, self.title):
            change = named(self.service, update, [*self.about(update, first), (self.title, "renamed")])
            answer = self.service.call(update, change)
            shown = self.look(reading, first) if reading else self.service.call(listing, {}) if listing else answer
            expect(has(shown, self.title, "renamed"), f"{update} changed nothing: {shown}")
            yield "update"
        self.look(delete, first)
        yield "delete"
        if listing:
            answer = self.service.call(listing, {})
            expect(not has(answer, self.id, first), f"{listing} lists what is gone")
            expect(has(answer, self.id, second), f"{delete} removed the other one too")
        if reading:
            self.refused(reading, first)
        self.refused(delete, first)
        yield "gone"

    def settle(self):
        """The steps of a row of which each parent has one: what was set is shown."""
        reading, update = self.operation("read"), self.operation("update")
        before = self.service.call(reading, {})
        yield "read"
        inputs = self.service.model.operations[update]["input"]
        # What the reading names is who it is about; what it does not show itself cannot be compared.
        about = {one["name"] for one in self.service.model.operations[reading]["input"]}
        change = {one["name"]: other(one, one["type"], before[one["name"]])
                  for one in inputs if one["name"] not in about and one["name"] in before}  # fmt: skip
        if change:
            self.service.call(update, change)
            after = self.service.call(reading, {})
            # Some numbers are shown as text.
            wrong = [name for name, value in change.items() if str(after[name]) != str(value)]
            expect(not wrong, f"{update} did not change {wrong}: {change} then {after}")
            yield "update"

    def show(self):
        """The steps of a row whose things others make: what is listed can be read."""
        listing, reading = self.operation("list"), self.operation("read")
        answer = self.service.call(listing, {})
        ids = list(values(answer, self.id))
        expect(bool(ids), f"{listing} lists nothing: {answer}")
        yield "list"
        if reading:
            answer = self.look(reading, ids[0])
            expect(has(answer, self.id, ids[0]), f"{reading} shows another thing: {answer}")
            yield "read"


def other(member, kind, value):
    """Another value of a member than the one that it has."""
    if isinstance(kind, dict) and "list" in kind:
        return [other(member, kind["list"], value)]
    if member.get("values"):
        return next((one for one in member["values"] if str(one) != str(value)), member["values"][0])
    if kind in ("int32", "int64"):
        low, high = member.get("min", 1), member.get("max", 2**31 - 1)
        return low if str(value) != str(low) else high
    return not value if kind == "bool" else "changed"


def steps(service, row):
    """The walk that a row is fit for; none where it has no two operations to compare."""
    one = Row(service, row)
    if row.get("create") and row.get("delete") and (row.get("read") or row.get("list")):
        return one.walk()
    if row.get("read") and row.get("update") and not row.get("id"):
        return one.settle()
    if row.get("list") and row.get("id") and not row.get("create"):
        return one.show()
    return ()


def rows(report, endpoints, keys, known):
    """All rows of all services; prints how many did each step."""
    for name in ("smc", "smartag", "apig"):
        service = Rest(endpoints["apig"], known) if name == "apig" else Acs(name, endpoints[name], keys)
        path = ROOT / f"crates/localcloud/models/{name}.resources.json"
        counts = {}
        for row in json.loads(path.read_text(encoding="utf-8")):
            what = f"{name}/{row['name']}"
            if what in BY_HAND | NAMELESS:
                continue
            reset(endpoints[name])
            with report.check(f"row {what}"):
                for step in steps(service, row):
                    counts[step] = counts.get(step, 0) + 1
        print(f"interop: rows of {name}:", ", ".join(f"{step} {count}" for step, count in counts.items()))
        for step, least in LEAST[name].items():
            with report.check(f"{name}: rows that {step}"):
                expect(counts.get(step, 0) >= least, f"at least {least} expected: {counts}")


def reset(endpoint):
    """Forgets all that was made."""
    request = urllib.request.Request(f"{endpoint}/_cumulo/reset", method="POST")
    urllib.request.urlopen(request, timeout=10).close()
