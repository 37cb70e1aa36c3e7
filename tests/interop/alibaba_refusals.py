"""Is what the official SDK did not sign refused? Wrong keys, stale clocks, used nonces, and
requests changed on their way."""

import datetime
import json

from alibaba import Sdk, gateway_headers, gateway_queries, refused
from raw import Listener, flip
from report import equal, expect

ISO = "%Y-%m-%dT%H:%M:%SZ"
REGIONS = {"smc": {}, "smartag": {"RegionId": "cn-shanghai"}}
READ = {"smc": "ListAccessTokens", "smartag": "ListEnterpriseCode"}


def minutes(number):
    now = datetime.datetime.now(datetime.timezone.utc)
    return (now + datetime.timedelta(minutes=number)).strftime(ISO)


def credentials(report, service, endpoint, keys, style):
    """What an SDK with wrong settings gets."""
    key, secret = keys.main
    sts_key, sts_secret, sts_token = keys.sts
    cases = {
        "wrong secret": ((key, secret + "x"), 400, "SignatureDoesNotMatch"),
        "secret of another": ((key, keys.other[1]), 400, "SignatureDoesNotMatch"),
        "unknown key": (("nobody", secret), 404, "InvalidAccessKeyId.NotFound"),
        "temporary key, no token": ((sts_key, sts_secret), 400, "MissingSecurityToken"),
        "temporary key, wrong token": ((sts_key, sts_secret, "no+token/="), 400, "InvalidSecurityToken.Malformed"),
        # The gateway tells a token that belongs to another key from one that belongs to none.
        "token of another key": ((key, secret, sts_token), 400, "InvalidSecurityToken.MismatchWithAccessKey"),
        "temporary key, wrong secret": ((sts_key, secret, sts_token), 400, "SignatureDoesNotMatch"),
        "expired token": (keys.expired_sts, 400, "InvalidSecurityToken.Expired"),
    }
    for name, (key, status, code) in cases.items():
        with report.check(f"{service} refusal: {name} ({style})"):
            sdk = Sdk(service, endpoint, key, style)
            refused(code, status, lambda: sdk.call(READ[service], **REGIONS[service]))


def clocks(report, service, endpoint, keys, style):
    """Timestamps and nonces that the SDK is told to use; it signs them all the same."""

    def sdk(at=None, nonce=None):
        if style == "V3":
            given = {"x-acs-date": at, "x-acs-signature-nonce": nonce}
            more = gateway_headers(**{name: value for name, value in given.items() if value})
        else:
            given = {"Timestamp": at, "SignatureNonce": nonce}
            more = gateway_queries(**{name: value for name, value in given.items() if value})
        return Sdk(service, endpoint, keys.main, style, **more)

    def read(sdk):
        return sdk.call(READ[service], **REGIONS[service])

    for at, code in (
        (minutes(-16), "InvalidTimeStamp.Expired"),
        (minutes(16), "InvalidTimeStamp.Expired"),
        ("yesterday", "InvalidTimeStamp.Format"),
    ):
        with report.check(f"{service} refusal: timestamp {at} ({style})"):
            refused(code, 400, lambda: read(sdk(at=at)))
    with report.check(f"{service}: a timestamp 14 minutes off ({style})"):
        read(sdk(at=minutes(-14)))
        read(sdk(at=minutes(14)))
    with report.check(f"{service} refusal: nonce used twice ({style})"):
        again = sdk(nonce=f"interop-{service}-{style}")
        read(again)
        refused("SignatureNonceUsed", 400, lambda: read(again))


def changes(style, request):
    """One signed request, changed in each place that the signature covers."""
    first, value = next((name, value) for name, value in request.pairs() if name.startswith(("Region", "Access")))
    yield "parameter changed", request.parameter(first, value + "x"), "SignatureDoesNotMatch"
    yield "parameter added", request.parameter("Status", "activated"), "SignatureDoesNotMatch"
    yield "parameter taken away", request.parameter(first, None), "SignatureDoesNotMatch"
    form = request.header("Content-Type", "application/x-www-form-urlencoded")
    yield "form added", type(form)(form.method, form.target, form.headers, b"Status=expired"), "SignatureDoesNotMatch"
    if style == "V3":
        authorization = request.get("authorization")
        head, _, signature = authorization.rpartition("Signature=")
        forged = request.header("Authorization", f"{head}Signature={flip(signature)}")
        yield "signature changed", forged, "SignatureDoesNotMatch"
        yield "signature taken away", request.header("Authorization", head.rstrip(",")), "IncompleteSignature"
        yield "date changed", request.header("x-acs-date", minutes(1)), "SignatureDoesNotMatch"
        yield "nonce changed", request.header("x-acs-signature-nonce", "other"), "SignatureDoesNotMatch"
        yield "action changed", request.header("x-acs-action", "DeleteAccessToken"), "SignatureDoesNotMatch"
        yield "host changed", request.header("host", "elsewhere.example"), "SignatureDoesNotMatch"
        yield "x-acs header added", request.header("x-acs-extra", "1"), "IncompleteSignature"
    else:
        forged = request.parameter("Signature", flip(dict(request.pairs())["Signature"]))
        yield "signature changed", forged, "SignatureDoesNotMatch"
        yield "signature taken away", request.parameter("Signature", None), "IncompleteSignature"
        yield "date changed", request.parameter("Timestamp", minutes(1)), "SignatureDoesNotMatch"
        yield "nonce changed", request.parameter("SignatureNonce", "other"), "SignatureDoesNotMatch"
        yield "action changed", request.parameter("Action", "DeleteAccessToken"), "SignatureDoesNotMatch"
        other = type(request)("GET", request.target, request.headers, b"")
        yield "method changed", other, "SignatureDoesNotMatch"


def tampering(report, service, endpoint, key, style, name):
    with Listener() as listener:
        sdk = Sdk(service, listener.endpoint, key, style)
        members = {"AccessTokenId": ["at-1"]} if service == "smc" else REGIONS[service]
        call, _, runtime = sdk.calls[READ[service]]
        getattr(sdk.client, call)(sdk.request(READ[service], members), runtime())
        request = listener.take()
    for change, changed, code in changes(style, request):
        with report.check(f"{service} refusal: {change} after signing ({style}, {name})"):
            expect(changed != request, "nothing was changed")
            status, body = changed.send(endpoint)
            equal((status, json.loads(body).get("Code")), (400, code), "refusal")
    # Last, since it uses the nonce up: the same bytes are good, once.
    with report.check(f"{service}: the request as it was signed ({style}, {name})"):
        equal(request.send(endpoint)[0], 200, "status")
        status, body = request.send(endpoint)
        equal((status, json.loads(body).get("Code")), (400, "SignatureNonceUsed"), "sent again")


def refusals(report, endpoints, keys):
    for service in ("smc", "smartag"):
        for style in ("V3", "V1"):
            credentials(report, service, endpoints[service], keys, style)
            clocks(report, service, endpoints[service], keys, style)
            tampering(report, service, endpoints[service], keys.main, style, "key")
            tampering(report, service, endpoints[service], keys.sts, style, "security token")
