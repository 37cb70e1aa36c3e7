"""Do values come back as they were sent? Apps and their codes, over several calls."""

from huaweicloudsdkapig import v2
from huaweicloudsdkapig.v2 import ApigClient
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.region.region import Region

from huawei import permanent, refused, temporary
from report import equal, expect
from samples import HARD

CODE = "/+a" + "+_!@#$%/=-" * 7


def apps(report, sdk, instance, label):
    gateway = {"instance_id": instance}
    name, other = f"Été 中文 (1) {label}", f"plain {label}"
    ids = []

    def call(operation, **members):
        report.drove("apig", operation)
        return sdk.call(operation, **gateway, **members)

    with report.check(f"apig CreateAnAppV2 ({label})"):
        for one in (name, other):
            made = call("CreateAnAppV2", body=v2.AppCreate(name=one, remark=HARD))
            equal((made.status_code, made.name, made.remark), (201, one, HARD), "app")
            ids.append(made.id)
        again = lambda: call("CreateAnAppV2", body=v2.AppCreate(name=name))
        refused(400, "APIG.3203", "already exists", again)
    with report.check(f"apig ShowDetailsOfAppV2 ({label})"):
        shown = call("ShowDetailsOfAppV2", app_id=ids[0])
        equal((shown.status_code, shown.name, shown.remark), (200, name, HARD), "app")
    with report.check(f"apig ListAppsV2 by hard names, and its pages ({label})"):
        found = call("ListAppsV2", name=name, precise_search="name")
        equal([one.id for one in found.apps], ids[:1], "by name")
        equal(call("ListAppsV2", name=HARD).total, 0, "by a name that no app has")
        first = call("ListAppsV2", name=label, limit=1)
        second = call("ListAppsV2", name=label, limit=1, offset=1)
        equal((first.total, first.size, second.total, second.size), (2, 1, 2, 1), "pages")
        equal({first.apps[0].id, second.apps[0].id}, set(ids), "both pages")
    with report.check(f"apig UpdateAppV2 ({label})"):
        changed = call("UpdateAppV2", app_id=ids[0], body=v2.AppCreate(name=name, remark="new", app_secret="Secret_-!@#$%"))
        equal((changed.status_code, changed.remark, changed.app_secret), (200, "new", "Secret_-!@#$%"), "app")
    with report.check(f"apig ResettingAppSecretV2 and CheckAppV2 ({label})"):
        reset = call("ResettingAppSecretV2", app_id=ids[0], body=v2.AppResetCreate(app_secret="Another_-!@#$%"))
        equal((reset.status_code, reset.app_secret), (200, "Another_-!@#$%"), "app")
        equal(call("CheckAppV2", app_id=ids[0]).name, name, "name")
    codes(report, call, ids[0], label)
    with report.check(f"apig hard characters in a path ({label})"):
        # The signature holds: an id comes back whole, and an app's is refused for its form alone.
        for odd in ("a b", "a+b", "a%b", "%2F", "%252f", "a?b=c&d", "é中😀", "~*'()!@:,;\"\\", "a=b#c"):
            equal(call("ShowPlugin", plugin_id=odd).plugin_id, odd, "id")
            refused(400, "APIG.2012", "app_id", lambda: call("ShowDetailsOfAppV2", app_id=odd))
        absent = "0" * 32
        refused(404, "APIG.3004", absent, lambda: call("ShowDetailsOfAppV2", app_id=absent))
    with report.check(f"apig DeleteAppV2 ({label})"):
        for one in ids:
            gone = call("DeleteAppV2", app_id=one)
            equal((gone.status_code, gone.raw_content), (204, b""), "answer")
            refused(404, "APIG.3004", one, lambda: call("DeleteAppV2", app_id=one))


def codes(report, call, app, label):
    made = []
    with report.check(f"apig CreateAppCodeV2 ({label})"):
        code = call("CreateAppCodeV2", app_id=app, body=v2.AppCodeCreate(app_code=CODE))
        equal((code.status_code, code.app_code, code.app_id), (201, CODE, app), "code")
        made.append(code.id)
        for bad in (CODE[:63], CODE + "é", "=" + CODE, CODE * 3):
            wrong = lambda: call("CreateAppCodeV2", app_id=app, body=v2.AppCodeCreate(app_code=bad))
            refused(400, "APIG.2012", "app_code", wrong)
    with report.check(f"apig CreateAppCodeAutoV2 ({label})"):
        for _ in range(2):
            code = call("CreateAppCodeAutoV2", app_id=app)
            equal(code.status_code, 201, "status")
            made.append(code.id)
    with report.check(f"apig ShowDetailsOfAppCodeV2 ({label})"):
        shown = call("ShowDetailsOfAppCodeV2", app_id=app, app_code_id=made[0])
        equal((shown.status_code, shown.app_code), (200, CODE), "code")
    with report.check(f"apig ListAppCodesV2 ({label})"):
        listed = call("ListAppCodesV2", app_id=app, limit=2, offset=1)
        equal((listed.total, listed.size, [one.id for one in listed.app_codes]), (3, 2, made[1:]), "page")
    with report.check(f"apig DeleteAppCodeV2 ({label})"):
        for one in made:
            gone = call("DeleteAppCodeV2", app_id=app, app_code_id=one)
            equal((gone.status_code, gone.raw_content), (204, b""), "answer")
        refused(404, "APIG.3082", made[0], lambda: call("ShowDetailsOfAppCodeV2", app_id=app, app_code_id=made[0]))


def project_by_name(report, endpoints, known):
    """Without a project id the SDK asks the identity service, by the name of the region."""
    with report.check("apig: project id from the identity service"):
        iam = endpoints["iam"].removesuffix("/v3")
        credentials = BasicCredentials(known["HUAWEI_AK"], known["HUAWEI_SK"]).with_iam_endpoint(iam)
        region = Region(known["KEYSTONE_PROJECT_NAME"], endpoints["apig"])
        client = ApigClient.new_builder().with_credentials(credentials).with_region(region).build()
        answer = client.list_apps_v2(v2.ListAppsV2Request(instance_id=known["INSTANCE_ID"]))
        equal(answer.status_code, 200, "status")
        equal(credentials.project_id, known["KEYSTONE_PROJECT_ID"], "project")


def stories(report, endpoints, known):
    instance = known["INSTANCE_ID"]
    apps(report, permanent(endpoints["apig"], known), instance, "permanent")
    apps(report, temporary(endpoints["apig"], known), instance, "temporary")
    project_by_name(report, endpoints, known)
    with report.check("apig: an instance that is not there"):
        sdk = permanent(endpoints["apig"], known)
        refused(404, "APIG.3030", "instance", lambda: sdk.call("ListAppsV2", instance_id="1" * 32))
    with report.check("apig: two keys, one gateway"):
        sdk = permanent(endpoints["apig"], known)
        made = sdk.call("CreateAnAppV2", instance_id=instance, body=v2.AppCreate(name="shared"))
        other = temporary(endpoints["apig"], known)
        found = other.call("ListAppsV2", instance_id=instance, id=made.id)
        expect([one.name for one in found.apps] == ["shared"], f"found {found.apps}")
        other.call("DeleteAppV2", instance_id=instance, app_id=made.id)
