"""Open Telekom Cloud's plugin of the OpenStack SDK, as PyPI has it: a gateway's life, driven through
its classes. Where a class of the plugin cannot make a call with the newest OpenStack SDK, the same
request goes through the same session.
"""

import warnings

import openstack
from otcextensions import sdk as otcextensions

from report import equal, expect

CODE = "/+a" + "+_!@#$%/=-" * 7
PEM = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nx\n-----END RSA PRIVATE KEY-----"


def connect(environment):
    warnings.simplefilter("ignore")
    connection = openstack.connection.Connection(
        region_name=environment["OS_REGION_NAME"],
        auth={
            "auth_url": environment["OS_AUTH_URL"],
            "username": environment["OS_USERNAME"],
            "password": environment["OS_PASSWORD"],
            "user_domain_name": environment["OS_USER_DOMAIN_NAME"],
            "project_name": environment["OS_PROJECT_NAME"],
            "project_domain_name": environment["OS_PROJECT_DOMAIN_NAME"],
        },
    )
    otcextensions.register_otc_extensions(connection)
    return connection.apig


def names(things, attribute="name"):
    return [getattr(one, attribute) for one in things]


def stories(report, described, known):
    apig = connect(described["environment"])
    gateways(report, apig, known)
    gateway = apig.get_gateway(known["INSTANCE_ID"])
    report_of = Story(report, apig, gateway)
    report_of.policies()
    report_of.apps()
    report_of.groups()
    report_of.channels()
    report_of.bindings()
    report_of.certificates()


def gateways(report, apig, known):
    with report.check("otcextensions: gateways"):
        made = apig.create_gateway(
            instance_name="second", spec_id="BASIC", vpc_id="v", subnet_id="s", security_group_id="g",
            available_zone_ids=["eu-de-01"], loadbalancer_provider="elb",
        )  # fmt: skip
        # The answer names it `instance_id`, as documented; the class looks for `id`.
        second = apig.get_gateway(made.instance_id)
        apig.wait_for_gateway(second, interval=0, wait=10)
        equal(apig.get_gateway_progress(apig.get_gateway(made.instance_id)).progress is not None, True, "progress")
        # Its list is read by no class: it stands under `instances`.
        listed = apig.get("/apigw/instances").json()
        equal({one["id"] for one in listed["instances"]}, {known["INSTANCE_ID"], second.id}, "gateways")
        equal({one["status"] for one in listed["instances"]}, {"Running"}, "states")
        apig.delete_gateway(second)
        equal(apig.get("/apigw/instances").json()["total"], 1, "gateways")
        expect(list(apig.azs()), "no availability zones")


class Story:
    def __init__(self, report, apig, gateway):
        self.check = lambda name: report.check(f"otcextensions: {name}")
        self.apig, self.gateway = apig, gateway

    def life(self, name, create, update=None, get=None, listed=None, delete=None):
        """Created, read, listed, changed and deleted."""
        gateway = self.gateway
        with self.check(name):
            made = create(gateway)
            expect(made.id, "no id")
            if get:
                equal(get(gateway, made.id).id, made.id, "id")
            if listed:
                equal(names(listed(gateway), "id"), [made.id], "list")
            if update:
                update(gateway, made.id)
            if delete:
                delete(gateway, made.id)
                equal(names(listed(gateway), "id"), [], "list after the removal")

    def policies(self):
        apig = self.apig
        throttle = {"name": "thr_1", "time_unit": "SECOND", "api_call_limits": 10, "time_interval": 1}
        acl = {"acl_name": "acl_1", "acl_type": "PERMIT", "acl_value": "10.0.0.1", "entity_type": "IP"}
        sign = {"name": "sign_1", "sign_type": "hmac"}
        authorizer = {
            "name": "auth_1", "type": "FRONTEND", "authorizer_type": "FUNC",
            "authorizer_uri": "urn:fss:eu-de:x:function:default:f", "network_type": "V1",
        }  # fmt: skip
        self.life(
            "environments",
            lambda gateway: apig.create_environment(gateway, name="DEV"),
            lambda gateway, one: apig.update_environment(gateway, one, name="DEV2"),
            None,
            apig.environments,
            apig.delete_environment,
        )
        self.life(
            "throttling policies",
            lambda gateway: apig.create_throttling_policy(gateway, **throttle),
            lambda gateway, one: apig.update_throttling_policy(gateway, one, **throttle),
            apig.get_throttling_policy,
            apig.throttling_policies,
            apig.delete_throttling_policy,
        )
        self.life(
            "access control policies",
            lambda gateway: apig.create_acl_policy(gateway, **acl),
            lambda gateway, one: apig.update_acl_policy(gateway, one, **acl),
            apig.get_acl_policy,
            apig.acl_policies,
            apig.delete_acl_policy,
        )
        self.life(
            "signature keys",
            lambda gateway: apig.create_signature(gateway, **sign),
            lambda gateway, one: apig.update_signature(gateway, one, **sign),
            None,
            apig.signatures,
            apig.delete_signature,
        )
        self.life(
            "authorizers",
            lambda gateway: apig.create_custom_authorizer(gateway, **authorizer),
            None,
            apig.get_custom_authorizer,
            apig.custom_authorizers,
            apig.delete_custom_authorizer,
        )

    def apps(self):
        apig, gateway = self.apig, self.gateway
        with self.check("apps and their codes"):
            app = apig.create_app(gateway, name="app_1", remark="r")
            apig.update_app(gateway, app.id, name="app_2")
            equal(names(apig.apps(gateway)), ["app_2"], "apps")
            apig.verify_app(gateway, app)
            apig.reset_app_secret(gateway, app, app_secret="abcdefgh1234")
            equal(apig.get_app(gateway, app.id).app_secret, "abcdefgh1234", "secret")
            code = apig.create_app_code(gateway, app, app_code=CODE)
            equal(apig.get_app_code(gateway, app, code).app_code, CODE, "code")
            apig.generate_app_code(gateway, app)
            equal(len(list(apig.app_codes(gateway, app))), 2, "codes")
            apig.delete_app_code(gateway, app, code)
            apig.delete_app(gateway, app.id)
            equal(names(apig.apps(gateway)), [], "apps")

    def groups(self):
        apig, gateway = self.apig, self.gateway
        with self.check("groups, variables, domains and custom answers"):
            env = apig.create_environment(gateway, name="DEV")
            group = apig.create_api_group(gateway, name="grp_1", remark="x")
            equal(names(apig.api_groups(gateway)), ["grp_1"], "groups")
            apig.verify_api_group_name(gateway, group_name="free")
            variable = apig.create_environment_variable(
                gateway, variable_name="v1", variable_value="x", env_id=env.id, group_id=group.id
            )
            apig.get_environment_variable(gateway, variable)
            equal(len(list(apig.environment_variables(gateway, group_id=group.id))), 1, "variables")
            apig.delete_environment_variable(gateway, variable)
            domain = apig.bind_domain_name(gateway, group, url_domain="www.example.com")
            apig.update_domain_name_bound(gateway, group, domain, min_ssl_version="TLSv1.2")
            apig.unbind_domain_name(gateway, group, domain)
            answers = {"AUTH_FAILURE": {"status": 499, "body": "no"}}
            made = apig.create_group_response(gateway, group, name="set_1", responses=answers)
            equal(made.responses["AUTH_FAILURE"]["status"], 499, "status")
            equal(len(apig.get_group_response(gateway, group, made).responses), 14, "types")
            one = apig.get_error_response(gateway, group, made, "THROTTLED")
            equal(one.throttled["status"], 429, "status")
            apig.update_error_response(gateway, group, made, "THROTTLED", status=420, body="calm")
            one = apig.get_error_response(gateway, group, made, "THROTTLED")
            equal((one.throttled["status"], one.throttled["body"]), (420, "calm"), "answer")
            apig.delete_error_response(gateway, group, made, "THROTTLED")
            apig.delete_group_response(gateway, group, made)
            apig.delete_api_group(gateway, group)
            apig.delete_environment(gateway, env)

    def channels(self):
        apig, gateway = self.apig, self.gateway
        with self.check("VPC channels with their servers"):
            settings = {"name": "vc_1", "port": 80, "balance_strategy": 1, "member_type": "ip", "type": 2}
            channel = apig.create_vpc_channel(gateway, **settings)
            apig.update_vpc_channel(gateway, channel.id, **settings)
            equal(names(apig.vpc_channels(gateway)), ["vc_1"], "channels")
            groups = apig.add_or_update_backend_server_group(gateway, channel, member_groups=[{"member_group_name": "mg"}])
            equal(names(groups, "member_group_name"), ["mg"], "groups")
            apig.add_or_update_backend_servers(gateway, channel, members=[{"host": "192.168.0.5", "weight": 1}])
            equal(names(apig.list_backend_servers(gateway, channel), "host"), ["192.168.0.5"], "servers")
            apig.delete_vpc_channel(gateway, channel)

    def bindings(self):
        apig, gateway = self.apig, self.gateway
        with self.check("APIs, and what is bound to them"):
            env = apig.create_environment(gateway, name="DEV")
            group = apig.create_api_group(gateway, name="grp_1")
            api = apig.create_api(
                gateway, name="api_1", group_id=group.id, type=1, req_protocol="HTTP", req_method="GET", req_uri="/hello",
                auth_type="APP", backend_type="MOCK", mock_info={"result_content": "hi"},
                backend_params=[{"origin": "CONSTANT", "name": "c", "location": "HEADER", "value": "v"}],
            )  # fmt: skip
            equal(names(apig.apis(gateway), "id"), [api.id], "APIs")
            equal(next(apig.apis(gateway)).backend_params[0].name, "c", "backend parameter in the list")
            apig.publish_api(gateway, env, api)
            publication = apig.get_api(gateway, api.id).publish_id
            app = apig.create_app(gateway, name="app_1")
            [grant] = apig.create_auth_in_api(gateway, env_id=env.id, app_ids=[app.id], api_ids=[api.id])
            equal(names(apig.list_apps_bound_to_api(gateway, api_id=api.id), "app_name"), ["app_1"], "apps")
            equal(names(apig.list_api_bound_to_app(gateway, app_id=app.id), "api_name"), ["api_1"], "APIs")
            equal(list(apig.list_api_not_bound_to_app(gateway, app_id=app.id, env_id=env.id)), [], "other APIs")
            apig.delete_auth_from_api(gateway, grant.id)
            equal(list(apig.list_apps_bound_to_api(gateway, api_id=api.id)), [], "apps")
            acl = apig.create_acl_policy(
                gateway, acl_name="acl_1", acl_type="PERMIT", acl_value="10.0.0.1", entity_type="IP"
            )
            [bound] = apig.bind_acl_to_api(gateway, acl_id=acl.id, publish_ids=[publication])
            equal(len(list(apig.list_apis_for_acl(gateway, acl_id=acl.id))), 1, "APIs of the policy")
            equal(list(apig.list_api_not_bound_to_acl(gateway, acl_id=acl.id)), [], "other APIs")
            apig.unbind_acl(gateway, bound.id)
            equal(list(apig.list_apis_for_acl(gateway, acl_id=acl.id)), [], "APIs of the policy")
            throttle = apig.create_throttling_policy(
                gateway, name="thr_1", time_unit="SECOND", api_call_limits=10, time_interval=1
            )
            # The class for bindings does not work with the newest OpenStack SDK.
            body = {"strategy_id": throttle.id, "publish_ids": [publication]}
            apig.post(f"/apigw/instances/{gateway.id}/throttle-bindings", json=body)
            bound = list(apig.bound_throttling_policy_apis(gateway, throttle_id=throttle.id))
            equal(len(bound), 1, "APIs of the policy")
            equal(list(apig.not_bound_throttling_policy_apis(gateway, throttle_id=throttle.id)), [], "other APIs")
            for one in (
                lambda: apig.offline_api(gateway, env, api), lambda: apig.delete_api(gateway, api),
                lambda: apig.delete_app(gateway, app), lambda: apig.delete_acl_policy(gateway, acl),
                lambda: apig.delete_throttling_policy(gateway, throttle), lambda: apig.delete_api_group(gateway, group),
                lambda: apig.delete_environment(gateway, env),
            ):  # fmt: skip
                one()

    def certificates(self):
        apig = self.apig
        with self.check("certificates, features and settings"):
            made = apig.create_ssl_certificate(name="cert_1", cert_content=PEM, private_key=KEY, type="global")
            equal(apig.get_ssl_certificate(made.id).id, made.id, "id")
            apig.delete_ssl_certificate(made.id)
            apig.configure_gateway_feature(self.gateway, name="route", enable=True, config="{}")
            for listed in (
                apig.gateway_features(self.gateway), apig.supported_gateway_features(self.gateway), apig.configs(),
                apig.configs_for_gateway(self.gateway.id), apig.tags(self.gateway), apig.vpc_endpoints(self.gateway),
            ):  # fmt: skip
                list(listed)
