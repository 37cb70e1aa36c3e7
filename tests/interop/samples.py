"""What does a request hold? Values for members, hard ones where the model allows any text."""

# What encoders get wrong: reserved and unreserved marks, an escape that is none, text outside ASCII.
HARD = "a b+/?&=%#~*'()!@:,;\"\\é中😀%2F%zz.c"


class Samples:
    """Makes the members of an input from their description in the model."""

    def __init__(self, model, fixed):
        self.model = model
        self.fixed = fixed

    def members(self, members, required_only=False):
        """Wire names to values."""
        return {
            one["name"]: self.value(one, one["type"], required_only)
            for one in members
            if one.get("required") or not required_only
        }

    def value(self, member, kind, required_only):
        if member["name"] in self.fixed and not isinstance(kind, dict):
            return self.fixed[member["name"]]
        kind = self.model.resolve(kind)
        if isinstance(kind, dict):
            if "list" in kind:
                # Two, so that numbering and separators show.
                return [self.value(member, kind["list"], required_only) for _ in range(2)]
            if "map" in kind:
                return {"first": self.value(member, kind["map"], required_only)}
            # A struct without required members must hold something to be on the wire at all.
            return self.members(kind["struct"], required_only) or self.members(kind["struct"])
        if kind in ("int32", "int64"):
            return int(member["values"][0]) if member.get("values") else max(1, int(member.get("min", 1)))
        if kind in ("float", "double"):
            return 1.5
        if kind == "bool":
            return True
        if kind == "any":
            return {"key": "value"}
        return text(member)


def text(member):
    if member.get("values"):
        return str(member["values"][0])
    if member.get("pattern") or member["name"].lower().endswith(("id", "ids")):
        return "0123456789abcdef0123456789abcdef"
    return HARD[: member.get("max_len", len(HARD))].ljust(member.get("min_len", 0), "x")
