"""Purity, time, errors, floats, one home per library. Pure."""

import ast

from tests.house.source_tree import product_sources

IMPURE = frozenset(
    {
        "socket",
        "select",
        "selectors",
        "subprocess",
        "threading",
        "_thread",
        "asyncio",
        "time",
        "random",
        "secrets",
        "logging",
        "os",
        "io",
        "pathlib",
        "shutil",
        "tempfile",
        "sqlite3",
        "signal",
        "multiprocessing",
        "concurrent",
        "queue",
        "serial",
        "evdev",
        "pymodbus",
        "paho",
        "httpx",
        "pyudev",
        "PIL",
        "zxingcpp",
        "sqlalchemy",
        "alembic",
        "python_calamine",
        "xlsxwriter",
        "sqlite_utils",
        "fastapi",
        "starlette",
        "uvicorn",
        "typer",
        "rich",
    }
)
# A type or a lock that is no I/O: named, with the reason.
PURE_EXCEPTIONS = {
    ("gateway/health.py", "threading"): "a lock around plain state",
    ("gateway/station/board.py", "threading"): "a lock and a condition around plain state",
}
FOREIGN_IMPORTS = frozenset({"drivers/registry.py"})  # What a plugin's import raises is unknown.
CLOCK_FILES = frozenset({"gateway/clock.py", "central/clock.py", "provisioning/updating/clock.py"})
WALL_CLOCK = frozenset({"time.time", "time.time_ns", "datetime.now", "datetime.utcnow"})
RANDOM_MODULES = frozenset({"random", "secrets"})
HOMES = {
    "serial": ("drivers/transports/serial_line.py",),
    "evdev": ("drivers/transports/keyboard.py",),
    "pymodbus": ("drivers/transports/modbus.py", "drivers/simulators/scale_modbus.py"),
    "PIL": ("drivers/drawing/",),
    "zxingcpp": ("drivers/drawing/", "central/printing/"),
    "typst": ("central/printing/",),
    "argon2": ("central/access/passwords.py",),
    "pyotp": ("central/access/second_factor.py",),
    "authlib": ("central/access/oidc.py",),
    "joserfc": ("central/access/oidc.py",),
    "reportlab": ("gateway/screen/sheet_pdf.py",),
    "pyudev": ("gateway/devices/kernel_devices.py",),
    "httpx": (
        "drivers/transports/",
        "gateway/replication/snapshot_child.py",
        "central/access/oidc.py",
        "gateway/identity/certificate.py",
        "central/webhooks/http_sender.py",
    ),
    "paho": ("gateway/replication/mqtt_link.py", "central/mqtt_link.py"),
    "sqlite_utils": ("gateway/journal/",),
    "sqlalchemy": (
        "central/storage/",
        "central/access/",
        "central/backup/",
        "central/inbox/",
        "central/outbox/",
        "central/ledger/",
        "central/orders/",
        "central/staff/",
        "central/stock/",
        "central/trust/",
        "central/watching/",
        "central/webhooks/",
        "central/api/writing.py",
    ),
    "alembic": ("central/storage/",),
    "python_calamine": ("central/orders/spreadsheets/workbook_reading.py",),
    "xlsxwriter": ("central/orders/spreadsheets/workbook_writing.py",),
    "fastapi": ("central/api/", "central/web/"),
    "starlette": ("gateway/screen/", "central/api/", "central/web/"),
    "cryptography": (
        "gateway/replication/signing.py",
        "gateway/replication/known_ledger.py",
        "gateway/identity/",
        "central/trust/",
        "gateway/journal/backup_crypto.py",
        "central/access/sealed_secrets.py",
        "central/backup/keys.py",
        "central/backup/reading.py",
        "central/inbox/",
        "central/outbox/",
    ),
}


def imports(source):
    """Yield (line, module) of every import of a file, also inside functions."""
    for node in source.nodes:
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module


def test_pure_modules_import_nothing_that_reaches_outside():
    found = [
        f"{source.path}:{line} imports {module}"
        for source in product_sources()
        if source.kind == "Pure"
        for line, module in imports(source)
        if module.split(".")[0] in IMPURE
        and (source.path, module.split(".")[0]) not in PURE_EXCEPTIONS
    ]
    assert not found, "\n".join(found)


def test_pure_modules_import_only_pure_modules_of_ours():
    kinds = {
        source.path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): source.kind
        for source in product_sources()
    }
    found = [
        f"{source.path}:{line} imports {module}, which is {kinds[module]}"
        for source in product_sources()
        if source.kind == "Pure" and not source.path.endswith("__init__.py")
        for line, module in imports(source)
        if kinds.get(module, "Pure") != "Pure" and module.count(".") >= 1
    ]
    assert not found, "\n".join(found)


def test_wall_clock_and_randomness_live_in_the_clock_files():
    found = []
    for source in product_sources():
        if source.path in CLOCK_FILES or source.path.startswith("provisioning/demo/"):
            continue
        for node in source.nodes:
            if isinstance(node, ast.Attribute) and ast.unparse(node) in WALL_CLOCK:
                found.append(f"{source.path}:{node.lineno} {ast.unparse(node)}")
        found += [
            f"{source.path}:{line} imports {module}"
            for line, module in imports(source)
            if module in RANDOM_MODULES
        ]
    assert not found, "\n".join(found)


def test_each_outside_library_has_one_home():
    found = [
        f"{source.path}:{line} imports {module}; its home: {', '.join(HOMES[module.split('.')[0]])}"
        for source in product_sources()
        if not source.path.startswith("provisioning/")
        for line, module in imports(source)
        if module.split(".")[0] in HOMES and not source.path.startswith(HOMES[module.split(".")[0]])
    ]
    assert not found, "\n".join(found)


def test_broad_excepts_stand_only_at_the_top_of_a_loop_and_never_pass():
    found = []
    for source in product_sources():
        for node in source.nodes:
            if not isinstance(node, ast.ExceptHandler):
                continue
            name = node.type.id if isinstance(node.type, ast.Name) else ""
            if source.path in FOREIGN_IMPORTS:
                continue
            if node.type is None or name in {"Exception", "BaseException"}:
                if source.kind not in {"Loop", "Root"}:
                    found.append(f"{source.path}:{node.lineno} broad except in {source.kind}")
                if all(isinstance(statement, ast.Pass) for statement in node.body):
                    found.append(f"{source.path}:{node.lineno} swallows an exception")
    assert not found, "\n".join(found)


def test_no_float_touches_stock_or_weight():
    words = ("quantity", "weight", "gross", "tare", "net", "on_hand", "micro")
    found = []
    for source in product_sources():
        for node in source.nodes:
            if isinstance(node, ast.AnnAssign | ast.arg):
                target = node.target if isinstance(node, ast.AnnAssign) else node
                name = getattr(target, "id", None) or getattr(target, "arg", "") or ""
                annotation = ast.unparse(node.annotation) if node.annotation else ""
                if "float" in annotation and any(word in name.split("_") for word in words):
                    found.append(f"{source.path}:{node.lineno} {name}: {annotation}")
    assert not found, "\n".join(found)


def test_dataclasses_are_frozen_or_say_why_not():
    found = []
    for source in product_sources():
        for node in source.nodes:
            if not isinstance(node, ast.ClassDef):
                continue
            for decorator in node.decorator_list:
                text = ast.unparse(decorator)
                if text.startswith("dataclass") and "frozen=True" not in text:
                    found.append(f"{source.path}:{node.lineno} {node.name}")
    assert not found, "\n".join(found)
