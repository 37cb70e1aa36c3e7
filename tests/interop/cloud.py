"""Where is the local cloud, who may call it, and what does the model say of an operation?"""

import json
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]


def accounts():
    """The local cloud's identities, by the names that its crate publishes them under."""
    text = (ROOT / "crates/localcloud/src/accounts.rs").read_text(encoding="utf-8")
    found = dict(re.findall(r'pub const (\w+): &str =\s*"([^"]*)";', text))
    if not found:
        raise SystemExit("interop: no accounts in crates/localcloud/src/accounts.rs")
    return found


class Model:
    """The operations of one service, as the clients are generated from."""

    def __init__(self, service):
        data = json.loads((ROOT / f"models/{service}.json").read_text(encoding="utf-8"))
        self.service = service
        self.types = data.get("types", {})
        self.operations = {one["name"]: one for one in data["operations"]}
        # The vendors' pages ask for more than their SDKs do; these repairs stand in the local cloud's copy.
        strict = json.loads((ROOT / f"crates/localcloud/models/{service}.json").read_text(encoding="utf-8"))
        for operation in strict["operations"]:
            required = {(one["in"], one["name"]) for one in operation["input"] if one.get("required")}
            for member in self.operations[operation["name"]]["input"]:
                if (member["in"], member["name"]) in required:
                    member["required"] = True

    def resolve(self, kind):
        """A type, with the name of a shared struct replaced by its members; an enum is text."""
        if isinstance(kind, dict) and "ref" in kind:
            shared = self.types[kind["ref"]]
            return {"struct": shared["members"]} if shared["kind"] == "struct" else "string"
        return kind
