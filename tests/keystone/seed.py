"""Fills a fresh Keystone with what the tests log in to.

Speaks Keystone's own API, in this process and without a socket: its
configuration issues tokens of an hour, however short those of the servers
are. Prints one `export NAME=value` a line for the shell.
"""

import base64
import os
import secrets
import shlex

from keystone.wsgi.api import application
from werkzeug.test import Client

REGION, OTHER_REGION = "eu-de", "eu-nl"
admin_password = os.environ["OS_BOOTSTRAP_PASSWORD"]
client = Client(application)


def call(method, path, body=None, token=None):
    headers = {"X-Auth-Token": token} if token else {}
    answer = client.open("/v3" + path, method=method, json=body, headers=headers)
    if answer.status_code >= 300:
        raise SystemExit(f"{method} {path}: {answer.status_code} {answer.get_data(as_text=True)}")
    return answer


login = {"auth": {
    "identity": {"methods": ["password"], "password": {"user": {
        "name": "admin", "password": admin_password, "domain": {"id": "default"}}}},
    "scope": {"project": {"name": "admin", "domain": {"id": "default"}}},
}}
admin_token = call("POST", "/auth/tokens", login).headers["X-Subject-Token"]


def create(kind, **members):
    return call("POST", f"/{kind}s", {kind: members}, admin_token).json[kind]


def user(name, domain, password, **members):
    return create("user", name=name, domain_id=domain["id"], password=password, **members)


def grant(target, who):
    call("PUT", f"/{target}/users/{who['id']}/roles/{member}", token=admin_token)


member = call("GET", "/roles?name=member", token=admin_token).json["roles"][0]["id"]

domain = create("domain", name="cumulo")
project = create("project", name="eu-de_prj", domain_id=domain["id"])
second = create("project", name="eu-de_second", domain_id=domain["id"])
closed = create("project", name="eu-de_closed", domain_id=domain["id"])

password = secrets.token_urlsafe(18)
operator = user("operator", domain, password)
grant(f"projects/{project['id']}", operator)
grant(f"projects/{second['id']}", operator)
grant(f"domains/{domain['id']}", operator)

# Quotes, a backslash, a percent sequence, an umlaut and an emoji: JSON both ways.
odd_name, odd_password = "zo\u00eb \u4e2d", 'a "b" \\ %2F \u00fc\U0001f511 ' + secrets.token_urlsafe(6)
odd = user(odd_name, domain, odd_password)
grant(f"projects/{project['id']}", odd)

totp_password, totp_secret = secrets.token_urlsafe(18), secrets.token_bytes(20)
totp = user("passcode", domain, totp_password, options={
    "multi_factor_auth_enabled": True, "multi_factor_auth_rules": [["password", "totp"]]})
grant(f"projects/{project['id']}", totp)
totp_base32 = base64.b32encode(totp_secret).decode()
create("credential", type="totp", user_id=totp["id"], blob=totp_base32)

# One that the operator makes for a program, as users do: with a token of their own.
own_login = {"auth": {
    "identity": {"methods": ["password"], "password": {"user": {"id": operator["id"], "password": password}}},
    "scope": {"project": {"id": project["id"]}},
}}
own_token = call("POST", "/auth/tokens", own_login).headers["X-Subject-Token"]
application_credential = call("POST", f"/users/{operator['id']}/application_credentials", {
    "application_credential": {"name": "program"}}, own_token).json["application_credential"]


def endpoint(service, region, interface, url):
    return create("endpoint", service_id=service["id"], region_id=region, interface=interface, url=url)


for region in REGION, OTHER_REGION:
    create("region", id=region)
identity = create("service", type="identity", name="keystone")
endpoint(identity, REGION, "public", os.environ["CUMULO_KEYSTONE_URL"])
gateway = create("service", type="apigv2", name="apigv2")
apigv2 = endpoint(gateway, REGION, "public", os.environ["CUMULO_KEYSTONE_APIGV2_URL"])
# Two that a client must pass over: nothing listens on port 1.
endpoint(gateway, REGION, "internal", "http://127.0.0.1:1/internal")
endpoint(gateway, OTHER_REGION, "public", "http://127.0.0.1:1/other-region")

for name, value in {
    "REGION": REGION,
    "OTHER_REGION": OTHER_REGION,
    "DOMAIN_NAME": domain["name"],
    "DOMAIN_ID": domain["id"],
    "PROJECT_NAME": project["name"],
    "PROJECT_ID": project["id"],
    "SECOND_PROJECT_NAME": second["name"],
    "SECOND_PROJECT_ID": second["id"],
    "CLOSED_PROJECT_NAME": closed["name"],
    "CLOSED_PROJECT_ID": closed["id"],
    "USER_NAME": operator["name"],
    "USER_ID": operator["id"],
    "PASSWORD": password,
    "APPLICATION_CREDENTIAL_ID": application_credential["id"],
    "APPLICATION_CREDENTIAL_SECRET": application_credential["secret"],
    "ODD_USER_NAME": odd_name,
    "ODD_PASSWORD": odd_password,
    "TOTP_USER_NAME": totp["name"],
    "TOTP_USER_ID": totp["id"],
    "TOTP_PASSWORD": totp_password,
    "TOTP_SECRET": totp_base32,
    "ADMIN_USER_NAME": "admin",
    "ADMIN_PASSWORD": admin_password,
    "ADMIN_DOMAIN_NAME": "Default",
    "ADMIN_PROJECT_NAME": "admin",
    "ADMIN_TOKEN": admin_token,
    "APIGV2_ENDPOINT_ID": apigv2["id"],
}.items():
    print(f"export CUMULO_KEYSTONE_{name}={shlex.quote(value)}")
