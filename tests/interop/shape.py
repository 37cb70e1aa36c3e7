"""Did an answer survive the SDK? Compares what came over the wire with what the models kept."""


def differences(sent, kept, path=""):
    """Where two JSON values differ; null, an absent member and an empty list are one."""
    if isinstance(sent, dict) and isinstance(kept, dict):
        for name in sorted(set(sent) | set(kept)):
            yield from differences(sent.get(name), kept.get(name), f"{path}.{name}" if path else name)
    elif isinstance(sent, list) and isinstance(kept, list) and len(sent) == len(kept):
        for at, (one, other) in enumerate(zip(sent, kept)):
            yield from differences(one, other, f"{path}[{at}]")
    elif not (empty(sent) and empty(kept)) and (type(sent) is not type(kept) or sent != kept):
        yield f"{path or 'answer'}: {sent!r} came, the SDK holds {kept!r}"


def empty(value):
    return value is None or value == [] or value == {} or (isinstance(value, dict) and all(map(empty, value.values())))
