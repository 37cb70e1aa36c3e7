"""What passed, and what did not? One line for each failure, one line at the end."""

import contextlib
import sys
import traceback


class Failed(Exception):
    """A check that does not hold, in words for the reader."""


def expect(holds, text):
    """Fails the running check unless `holds`."""
    if not holds:
        raise Failed(text)


def equal(got, wanted, what):
    """Fails the running check unless two values are equal."""
    if got != wanted:
        raise Failed(f"{what}: expected {shorten(wanted)}, got {shorten(got)}")


def shorten(value, length=300):
    text = " ".join((value if isinstance(value, str) else repr(value)).split())
    return text if len(text) <= length else text[: length - 3] + "..."


class Report:
    """Counts checks; a check is one name and the code under it."""

    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.driven = {}

    @contextlib.contextmanager
    def check(self, name):
        try:
            yield
        except Failed as failure:
            self.fail(name, str(failure))
        except Exception as error:  # whatever an SDK raises is a failure of this check alone
            where = traceback.extract_tb(error.__traceback__)[-1]
            self.fail(name, f"{type(error).__name__}: {error} ({where.filename.rsplit('/', 1)[-1]}:{where.lineno})")
        else:
            self.passed += 1

    def fail(self, name, text):
        self.failed += 1
        print(f"interop: {name}: {shorten(text, 600)}", file=sys.stderr, flush=True)

    def drove(self, service, operation):
        """Remembers that an SDK called an operation and read its answer."""
        self.driven.setdefault(service, set()).add(operation)

    def finish(self, least):
        """Prints the closing line and answers the exit status."""
        for service, number in least.items():
            driven = len(self.driven.get(service, ()))
            with self.check(f"{service}: operations driven"):
                expect(driven >= number, f"at least {number} expected, {driven} were")
        print(f"interop: {self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0
