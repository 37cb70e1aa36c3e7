"""Does the vendor's MCP server find its way about the local cloud? Its own tools are called as an
assistant calls them: search, describe, log in, run jobs, query, read metrics, log out."""

import asyncio
import json
import logging
import os
import sys

from cloud import Model
from report import Failed, equal, expect

UUID = "0190d0b2d3a04c3e8d6f0f5a1b2c3d4e"


def drive(report, endpoint, known):
    if sys.version_info < (3, 11):
        print("interop: zstack-mcp-server needs Python 3.11: left out", file=sys.stderr)
        return
    os.environ.update(
        ZSTACK_API_URL=endpoint.rstrip("/").removesuffix("/zstack"),
        ZSTACK_ACCOUNT=known["ZSTACK_ACCOUNT"],
        ZSTACK_PASSWORD=known["ZSTACK_PASSWORD"],
        ZSTACK_ALLOW_ALL_API="true",
    )
    from zstack_mcp import server

    # Jobs of the local cloud are done at the second look: no need to look once a second.
    server.ZStackClient.JOB_POLL_INTERVAL = 0
    logging.getLogger("httpx").setLevel(logging.WARNING)
    asyncio.run(stories(report, server))


async def run(server, operation, **parameters):
    """The result of a call, which must succeed."""
    answer = json.loads(await server.execute_api(operation, parameters))
    expect(answer.get("success") is True, f"{operation}: {answer}")
    return answer["result"]


async def refused(server, code, operation, **parameters):
    answer = json.loads(await server.execute_api(operation, parameters))
    equal((answer.get("success"), answer.get("code")), (False, code), operation)


async def stories(report, server):
    with report.check("zstack-mcp-server search_api and describe_api"):
        found = await server.search_api(["Create", "Zone"])
        expect("CreateZone" in found, found)
        described = json.loads(await server.describe_api("CreateZone"))
        equal(described["api"]["api"], "CreateZone", "description")
    with report.check("zstack-mcp-server runs jobs"):
        made = await run(server, "CreateZone", name="by-mcp", description="a & b = ü", resourceUuid=UUID)
        zone = made["inventory"]
        equal((zone["uuid"], zone["name"], zone["description"]), (UUID, "by-mcp", "a & b = ü"), "zone")
        report.drove("zstack", "CreateZone")
        changed = await run(server, "UpdateZone", uuid=UUID, name="renamed")
        equal(changed["inventory"]["name"], "renamed", "name")
        report.drove("zstack", "UpdateZone")
    with report.check("zstack-mcp-server queries"):
        for operator, value in (("=", "x"), ("like", "%"), ("in", "x,y"), ("is null", None), (">=", "a")):
            condition = {"name": "name", "op": operator, "value": value}
            result = await run(server, "QueryZone", conditions=[condition], fields=["uuid", "name"], limit=3)
            expect(len(result["inventories"]) <= 3, "more than asked for")
        report.drove("zstack", "QueryZone")
        result = await run(server, "QueryVmInstance", conditions=[], limit=2, replyWithCount=True)
        equal((len(result["inventories"]), result["total"]), (2, 25), "machines")
        report.drove("zstack", "QueryVmInstance")
    with report.check("zstack-mcp-server is refused in ZStack's words"):
        await refused(server, "SYS.1007", "CreateZone", description="without a name")
        await refused(server, "SYS.1007", "QueryZone", conditions=[{"name": "colour", "op": "=", "value": "red"}])
    with report.check("zstack-mcp-server logs in again when its session is gone"):
        client = await server._session_mgr.get_client()
        client.session.uuid = "0" * 32
        await run(server, "QueryZone", conditions=[])
        expect(client.session.uuid != "0" * 32, "the old session is in use still")
    with report.check("zstack-mcp-server with a wrong password"):
        client = server.ZStackClient(account=known_account(), password="wrong")
        try:
            await client.login()
        except server.ZStackApiError as error:
            equal(error.code, "ID.1000", "code")
        else:
            raise Failed("it was let in")
        finally:
            await client.close()
    with report.check("zstack-mcp-server get_metric_data"):
        answer = json.loads(await server.get_metric_data("ZStack/VM", "CPUUsedUtilization", "2026-01-01T00:00:00Z"))
        expect("error" not in answer, answer)
        report.drove("zstack", "GetMetricData")
    with report.check("zstack-mcp-server deletes, and logs out"):
        await run(server, "DeleteZone", uuid=UUID, deleteMode="Enforcing")
        report.drove("zstack", "DeleteZone")
        client = await server._session_mgr.get_client()
        uuid = client.session.uuid
        await server._session_mgr.logout_all()
        late = server.ZStackClient(session_id=uuid)
        try:
            await late.execute("QueryZone", "org.zstack.header.zone.APIQueryZoneMsg", {})
        except server.ZStackApiError as error:
            equal(error.code, "ID.1001", "code")
        else:
            raise Failed("the session lives on")
        finally:
            await late.close()
    with report.check("zstack-mcp-server: APIs of its list are answered"):
        await sweep(report, server)


def known_account():
    return os.environ["ZSTACK_ACCOUNT"]


def sample(model, kind):
    """A value of a type, with what its structs require."""
    kind = model.resolve(kind)
    if isinstance(kind, dict):
        if "struct" in kind:
            return {one["name"]: sample(model, one["type"]) for one in kind["struct"] if one.get("required")}
        return [sample(model, kind["list"])] if "list" in kind else {}
    return {"bool": True, "int32": 1, "int64": 1, "float": 1.5, "double": 1.5}.get(kind, UUID)


async def sweep(report, server):
    """Every eighth API of the server's own list, with its required parameters: all take half a minute."""
    model = Model("zstack")
    known = [api for name, api in sorted(server.get_api_index().apis.items()) if name in model.operations]
    client = await server._session_mgr.get_client()
    failed = []
    for api in known[::8]:
        members = model.operations[api.name]["input"]
        given = {one["name"]: sample(model, one["type"]) for one in members if one.get("required")}
        if api.name.startswith("Query"):
            given = {"conditions": [], "limit": 1}
        try:
            await client.execute(api.name, api.full_name, given)
            report.drove("zstack", api.name)
        except server.ZStackApiError as error:
            failed.append(f"{api.name}: {error.code} {error.details}")
    expect(not failed, f"{len(failed)} were refused: {failed[:5]}")
    await server._session_mgr.logout_all()
