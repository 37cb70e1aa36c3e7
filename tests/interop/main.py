"""Drives the local cloud with the vendors' own Python software; see README.md beside this file."""

import dataclasses
import json
import pathlib
import sys
import warnings

# The SDKs warn of their own deprecated parts and of dates that they leave as text.
warnings.simplefilter("ignore")

import alibaba  # noqa: E402
import alibaba_refusals  # noqa: E402
import alibaba_state  # noqa: E402
import huawei  # noqa: E402
import huawei_refusals  # noqa: E402
import huawei_state  # noqa: E402
import rows  # noqa: E402
import zstack  # noqa: E402
from cloud import accounts  # noqa: E402
from report import Report  # noqa: E402

LEAST = {"smc": 24, "smartag": 205, "apig": 216}
# Of ZStack's list, where the MCP server runs at all.
if sys.version_info >= (3, 11):
    LEAST["zstack"] = 200


@dataclasses.dataclass(frozen=True)
class AlibabaKeys:
    """Keys as (id, secret[, token])."""

    main: tuple
    other: tuple
    sts: tuple
    expired_sts: tuple


def alibaba_keys(known):
    def key(name):
        parts = [f"ALIBABA_{name}KEY_ID", f"ALIBABA_{name}SECRET", f"ALIBABA_{name}TOKEN"]
        return tuple(known[part] for part in parts if part in known)

    return AlibabaKeys(key(""), key("OTHER_"), key("STS_"), key("EXPIRED_STS_"))


def main():
    endpoints, keeping = (
        json.loads(pathlib.Path(path).read_text(encoding="utf-8"))["endpoints"] for path in sys.argv[1:3]
    )
    known = accounts()
    keys = alibaba_keys(known)
    report = Report()
    for service in ("smc", "smartag"):
        alibaba.sweep(report, service, endpoints[service], keys)
        alibaba.left_out(report, service, endpoints[service], keys)
    alibaba_state.stories(report, endpoints, keys)
    alibaba_refusals.refusals(report, endpoints, keys)
    huawei.sweep(report, endpoints["apig"], known)
    huawei.left_out(report, endpoints["apig"], known)
    huawei_state.stories(report, endpoints, known)
    huawei_refusals.refusals(report, endpoints["apig"], known)
    rows.rows(report, keeping, keys, known)
    zstack.drive(report, endpoints["zstack"], known)
    return report.finish(LEAST)


if __name__ == "__main__":
    sys.exit(main())
