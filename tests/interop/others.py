"""Drives the local cloud with clients of other makers: OpenStack's command, Open Telekom Cloud's plugin
of the OpenStack SDK, and how Open Telekom Cloud's SDK for Go finds the gateway. See README.md.
"""

import json
import pathlib
import sys
import urllib.request
import warnings

warnings.simplefilter("ignore")

import openstack_cli  # noqa: E402
import otc  # noqa: E402
from cloud import accounts  # noqa: E402
from report import Report, equal  # noqa: E402


def go_sdk(report, described, known):
    """gophertelekomcloud takes the catalog's `volumev2`, and puts `apig` for the first `evs` and the version
    for the first `v2` into it; paths go on from there."""
    environment = described["environment"]
    domain = {"name": environment["OS_USER_DOMAIN_NAME"]}
    body = {"auth": {
        "identity": {"methods": ["password"], "password": {"user": {
            "name": environment["OS_USERNAME"], "password": environment["OS_PASSWORD"], "domain": domain}}},
        "scope": {"project": {"name": environment["OS_PROJECT_NAME"], "domain": domain}},
    }}  # fmt: skip

    def ask(url, headers, data=None):
        request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers})
        return urllib.request.urlopen(request)

    with report.check("gophertelekomcloud: the gateway by the entry of the volumes"):
        answer = ask(f"{environment['OS_AUTH_URL']}/auth/tokens", {}, json.dumps(body).encode())
        catalog = json.load(answer)["token"]["catalog"]
        [entry] = [one for one in catalog if one["type"] == "volumev2"]
        base = entry["endpoints"][0]["url"].replace("v2", "v2", 1).replace("evs", "apig", 1)
        url = f"{base}/apigw/instances/{known['INSTANCE_ID']}/envs"
        listed = ask(url, {"X-Auth-Token": answer.headers["X-Subject-Token"]})
        equal(listed.status, 200, "status")


def main():
    described = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    known = accounts()
    report = Report()
    openstack_cli.stories(report, described, known)
    otc.stories(report, described, known)
    go_sdk(report, described, known)
    return report.finish({})


if __name__ == "__main__":
    sys.exit(main())
