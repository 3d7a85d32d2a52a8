"""Python's garbage collector and large catalogs."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """No collection while a catalog is made, and none that looks at it afterwards.

    A full collection walks through every object while everything else waits, 100 ms with 1,200
    tools, and finds nothing: catalogs hold no cycles and go by reference count. One user at a time.
    """
    # Connections are cycles, and those that were open the last time have been kept from the
    # collector since: without this one look at everything, each reload would keep some for good.
    gc.unfreeze()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
