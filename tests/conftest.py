"""Settings of all tests: searches are not timed, and a failing example is printed to repeat it."""

from hypothesis import settings

# A deadline would time the machine, not the code.
settings.register_profile("dockledger", deadline=None, print_blob=True)
settings.load_profile("dockledger")

# A package of its own with its own tests: tests/drivers/test_third_party.py installs and runs it.
collect_ignore = ["third_party"]
