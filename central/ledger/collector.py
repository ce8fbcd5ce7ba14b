"""Makes Python look for cyclic garbage less often while facts are posted. Edge of the interpreter.

A call of the intake makes tens of thousands of tuples that live until its commit and are in no
cycle. With Python's own thresholds the collector walks over them dozens of times a call, and over
everything that the program has loaded now and then: a twentieth of the time of a posting.
"""

import gc

# Objects made before the youngest are looked at; how many such looks before the older ones are.
YOUNG_COUNT = 200_000
YOUNG_LOOKS = 20
OLDER_LOOKS = 100


def collect_rarely() -> None:
    """Leave what is loaded by now alone for good, and look at the rest at longer intervals."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_COUNT, YOUNG_LOOKS, OLDER_LOOKS)
