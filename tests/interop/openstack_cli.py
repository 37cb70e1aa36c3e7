"""OpenStack's own command, as PyPI has it: does everything that it asks of Keystone work with what
`cumulo local` prints, and with nothing else?

All commands of a login run in one process, as its interactive mode runs them: starting it takes longer
than what it does.
"""

import contextlib
import io
import json
import os

from openstackclient import shell

from report import Failed, equal, expect


class Command:
    """The command under an environment of its own."""

    def __init__(self, environment):
        self.environment = {**environment, "OS_CLIENT_CONFIG_FILE": os.devnull}

    def __call__(self, *words, output="json"):
        before = dict(os.environ)
        for name in [name for name in before if name.startswith("OS_")]:
            del os.environ[name]
        os.environ.update(self.environment)
        out, errors = io.StringIO(), io.StringIO()
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
                app = shell.OpenStackShell()
                app.stdout, app.stderr = out, errors
                status = app.run([*words, *(["-f", output] if output else [])])
        finally:
            os.environ.clear()
            os.environ.update(before)
        if status:
            raise Failed(f"openstack {' '.join(words)}: {errors.getvalue() or out.getvalue()}")
        return json.loads(out.getvalue()) if output == "json" and out.getvalue().strip() else out.getvalue()


def stories(report, described, known):
    environment = {name: value for name, value in described["environment"].items() if name.startswith("OS_")}
    openstack = Command(environment)
    project, user = known["KEYSTONE_PROJECT_ID"], known["KEYSTONE_USER_ID"]

    with report.check("openstack: token issue"):
        token = openstack("token", "issue")
        equal((token["project_id"], token["user_id"]), (project, user), "token")
    with report.check("openstack: catalog"):
        kinds = {one["Type"] for one in openstack("catalog", "list")}
        expect({"identity", "apigv2", "volumev2"} <= kinds, f"the catalog has {kinds}")
        shown = openstack("catalog", "show", "volumev2")
        equal(shown["endpoints"][0]["url"], f"{described['endpoints']['apig']}/v2/{project}", "address")
    for kind, name, ident in (
        ("project", known["KEYSTONE_PROJECT_NAME"], project),
        ("domain", known["KEYSTONE_DOMAIN"], known["KEYSTONE_DOMAIN_ID"]),
        ("user", known["KEYSTONE_USER"], user),
        ("role", "te_admin", None),
    ):
        with report.check(f"openstack: {kind} list and show"):
            listed = {one["Name"]: one["ID"] for one in openstack(kind, "list")}
            expect(name in listed, f"{name} is not in {listed}")
            shown = openstack(kind, "show", name)
            equal(shown["id"], ident or listed[name], "id")
    with report.check("openstack: region list and show"):
        equal([one["Region"] for one in openstack("region", "list")], [known["KEYSTONE_REGION"]], "regions")
        equal(openstack("region", "show", known["KEYSTONE_REGION"])["region"], known["KEYSTONE_REGION"], "region")
    with report.check("openstack: service and endpoint list and show"):
        services = openstack("service", "list")
        for one in services:
            equal(openstack("service", "show", one["ID"])["type"], one["Type"], "type")
        endpoints = openstack("endpoint", "list")
        equal(len(endpoints), len(services), "endpoints")
        equal(openstack("endpoint", "show", endpoints[0]["ID"])["url"], endpoints[0]["URL"], "address")
    with report.check("openstack: role assignment list"):
        own = openstack("role", "assignment", "list", "--user", user, "--names")
        expect(own and all(one["User"].startswith(known["KEYSTONE_USER"]) for one in own), f"got {own}")
    application_credentials(report, openstack, environment, project)


def application_credentials(report, openstack, environment, project):
    """Made, listed, shown, logged in with by the command itself, and deleted."""
    made = {}
    with report.check("openstack: application credential create, list and show"):
        made = openstack("application", "credential", "create", "interop", "--description", "Été")
        listed = openstack("application", "credential", "list")
        equal([one["Name"] for one in listed], ["interop"], "names")
        shown = openstack("application", "credential", "show", "interop")
        equal((shown["ID"], shown["Description"]), (made["ID"], "Été"), "credential")
        expect(made["Secret"] and made["Secret"] not in json.dumps(shown), "the secret is shown once")
    with report.check("openstack: a login with an application credential"):
        program = Command({
            "OS_AUTH_URL": environment["OS_AUTH_URL"],
            "OS_AUTH_TYPE": "v3applicationcredential",
            "OS_IDENTITY_API_VERSION": "3",
            "OS_APPLICATION_CREDENTIAL_ID": made["ID"],
            "OS_APPLICATION_CREDENTIAL_SECRET": made["Secret"],
        })
        equal(program("token", "issue")["project_id"], project, "project")
    with report.check("openstack: application credential delete"):
        openstack("application", "credential", "delete", "interop", output=None)
        equal(openstack("application", "credential", "list"), [], "credentials")
