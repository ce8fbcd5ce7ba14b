"""The tables that are imported and exported: their columns, and what a cell of each may say. Pure.

A column that a file does not have is left as it is; one that it has is made what it says, and an
empty cell means none. A heading may be English or Chinese, in any case of letters.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from central.contract.errors import ContractError
from central.contract.fact_kinds import STOCK_STATUSES
from central.contract.quantities import parse_decimal, to_micro
from central.orders.catalogue.cards import unseen_character
from central.orders.catalogue.item_cards import ABC_CLASSES, ITEM_KINDS, ROTATIONS
from central.orders.catalogue.partner_cards import PARTNER_KINDS
from central.orders.catalogue.place_cards import PLACE_KINDS
from central.orders.spreadsheets.sheets import CELL_CHARACTERS_MAX

INTEGER_DIGITS_MAX = 15
YES = frozenset({"true", "yes", "y", "1", "是"})
NO = frozenset({"false", "no", "n", "0", "否", ""})

# What a sheet makes of a long number of digits, or of 123E5: nobody can tell which it was.
SHORTENED = re.compile(r"\d(?:\.\d+)?E\+?\d+", re.ASCII | re.IGNORECASE)
# A mark (of a lot, of a piece) is what people write on goods, letter by letter.
CellKind = Literal["code", "mark", "text", "number", "integer", "yes_no", "choice", "date"]
Value = str | int | bool  # A number is an integer of 10^-6.


@dataclass(frozen=True, slots=True)
class Column:
    """A column. name: in files and in cards. kind: what its cells say. default: for an empty cell.

    required: a cell must not be empty.
    """

    name: str
    name_zh: str
    kind: CellKind = "text"
    required: bool = False
    default: Value = ""
    choices: tuple[str, ...] = ()

    @property
    def is_name(self) -> bool:
        """Return whether its cells are names and no amounts."""
        return self.kind in {"code", "mark", "text"}


@dataclass(frozen=True, slots=True)
class ImportTable:
    """A table of files. key: the columns that tell its rows apart."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]


class CellRefused(ValueError):
    """A cell cannot mean anything. `hint` says what to do."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def _code(name: str, name_zh: str, *, required: bool = True) -> Column:
    return Column(name, name_zh, "code", required)


def _number(name: str, name_zh: str, *, required: bool = False) -> Column:
    return Column(name, name_zh, "number", required, 0)


def _integer(name: str, name_zh: str, *, default: int = 0, required: bool = False) -> Column:
    return Column(name, name_zh, "integer", required, default)


def _yes_no(name: str, name_zh: str, *, default: bool = False) -> Column:
    return Column(name, name_zh, "yes_no", default=default)


def _choice(name: str, name_zh: str, choices: Sequence[str], default: str) -> Column:
    return Column(name, name_zh, "choice", default=default, choices=tuple(choices))


ITEMS = ImportTable(
    "items",
    (
        _code("item", "物料编码"),
        Column("name", "名称", required=True),
        Column("name_zh", "中文名称"),
        _code("unit", "单位"),
        _choice("kind", "类型", ITEM_KINDS, "piece"),
        _yes_no("lot_tracked", "批次管理"),
        _yes_no("expiry_tracked", "有效期管理"),
        _yes_no("serial_tracked", "序列号管理"),
        _yes_no("inspected", "收货检验"),
        _code("weight_unit", "称重单位", required=False),
        _integer("shelf_life_days", "保质期天数"),
        _integer("min_days_left_to_ship", "发货最少剩余天数"),
        _number("min", "最低库存"),
        _number("max", "最高库存"),
        _number("safety", "安全库存"),
        _number("over_tolerance_percent", "超量允差百分比"),
        _number("under_tolerance_percent", "欠量允差百分比"),
        _choice("rotation", "出库规则", ROTATIONS, "fefo"),
        _choice("abc", "ABC分类", ABC_CLASSES, ""),
        Column("category", "类别"),
        Column("storage_class", "存储类别"),
        _number("cost", "成本"),
    ),
    ("item",),
)
PACKS = ImportTable(
    "packs",
    (
        _code("item", "物料编码"),
        _code("unit", "包装单位"),
        _integer("numerator", "数量分子", required=True),
        _integer("denominator", "数量分母", default=1),
        _code("gtin", "条码", required=False),
    ),
    ("item", "unit"),
)
BARCODES = ImportTable(
    "barcodes",
    (
        _code("gtin", "条码"),
        _code("item", "物料编码"),
        Column("quantity", "数量", "number", default=1_000_000),
    ),
    ("gtin",),
)
HOMES = ImportTable(
    "homes",
    (
        _code("item", "物料编码"),
        _code("warehouse", "仓库"),
        _code("location", "库位", required=False),
        _number("min", "最低库存"),
        _number("max", "最高库存"),
    ),
    ("item", "warehouse", "location"),
)
LOCATIONS = ImportTable(
    "locations",
    (
        _code("warehouse", "仓库"),
        _code("location", "库位"),
        _choice("kind", "类型", PLACE_KINDS, "bin"),
        Column("name", "名称"),
        _code("parent", "上级", required=False),
        _integer("walk_order", "拣货顺序"),
        _yes_no("pick_face", "拣货位"),
        _number("capacity", "容量"),
        Column("zone", "区域"),
        Column("storage_class", "存储类别"),
        _yes_no("blocked", "冻结"),
    ),
    ("warehouse", "location"),
)
PARTNERS = ImportTable(
    "partners",
    (
        _code("partner", "往来单位编码"),
        _choice("kind", "类型", PARTNER_KINDS, "supplier"),
        Column("name", "名称", required=True),
        Column("name_zh", "中文名称"),
        Column("contact", "联系人"),
        Column("phone", "电话"),
        Column("email", "邮箱"),
        Column("address", "地址"),
        Column("region", "地区"),
        _code("gln", "GLN", required=False),
        _integer("lead_time_days", "交货天数"),
        _yes_no("active", "启用", default=True),
    ),
    ("partner",),
)
CERTIFICATES = ImportTable(
    "certificates",
    (
        _code("partner", "往来单位编码"),
        Column("kind", "证书类型", required=True),
        Column("number", "证书编号", required=True),
        Column("valid_until", "有效期至", "date"),
    ),
    ("partner", "kind", "number"),
)
BALANCES = ImportTable(
    "balances",
    (
        _code("warehouse", "仓库"),
        _code("location", "库位"),
        _code("item", "物料编码"),
        Column("lot", "批次", "mark"),
        Column("serial", "序列号", "mark"),
        _code("sscc", "SSCC", required=False),
        _choice("status", "状态", sorted(STOCK_STATUSES), "available"),
        _number("quantity", "数量", required=True),
        _code("unit", "单位", required=False),
        Column("expiry_date", "有效期", "date"),
        _number("weight", "重量"),
    ),
    ("warehouse", "location", "item", "lot", "serial", "sscc", "status"),
)
TABLES: tuple[ImportTable, ...] = (
    ITEMS,
    PACKS,
    BARCODES,
    HOMES,
    LOCATIONS,
    PARTNERS,
    CERTIFICATES,
    BALANCES,
)


def column_named(table: ImportTable, heading: str) -> Column | None:
    """Return the column that a heading names, None if it names none."""
    name = unicodedata.normalize("NFKC", heading).strip().casefold().replace(" ", "_")
    for column in table.columns:
        if name in {column.name, column.name_zh.casefold()}:
            return column
    return None


def read_cell(column: Column, text: str) -> Value:
    """Return what a cell of a column says. Raises CellRefused."""
    text = text.strip()
    if len(text) > CELL_CHARACTERS_MAX:
        raise CellRefused(
            f"holds {len(text)} characters, more than {CELL_CHARACTERS_MAX}", hint="Shorten it."
        )
    unseen = unseen_character(text)
    if unseen is not None:
        raise CellRefused(
            f"character {unseen + 1} (U+{ord(text[unseen]):04X}) cannot be seen",
            hint="Type the cell anew, without line breaks and hidden characters.",
        )
    if not text:
        if column.required:
            raise CellRefused("is empty", hint="Fill it in.")
        return column.default
    if column.kind == "text":
        return text
    return _read_formal(column, unicodedata.normalize("NFKC", text))


def _read_formal(column: Column, text: str) -> Value:
    """Return what a cell says that is no free text; wide letters and digits are ordinary ones."""
    if column.kind == "number":
        return _read_number(column, text)
    if column.kind == "integer":
        if not text.isascii() or not text.isdigit() or len(text) > INTEGER_DIGITS_MAX:
            raise CellRefused(f"{text[:40]!r} is no whole number", hint="Write digits alone.")
        return int(text)
    if column.kind == "yes_no":
        if text.casefold() not in YES | NO:
            raise CellRefused(f"{text[:40]!r} is neither yes nor no", hint="Write yes or no.")
        return text.casefold() in YES
    if column.kind == "choice":
        found = next((one for one in column.choices if one.casefold() == text.casefold()), None)
        if found is None:
            listed = ", ".join(one for one in column.choices if one)
            raise CellRefused(f"{text[:40]!r} is not a choice", hint=f"Use one of: {listed}.")
        return found
    if column.kind == "date":
        return _read_date(text)
    if SHORTENED.fullmatch(text):
        raise CellRefused(
            f"{text[:40]!r} is a number that a sheet has shortened",
            hint="Make it a cell of text, and write all of its digits.",
        )
    return text


def _read_number(column: Column, text: str) -> int:
    if "," in text:
        raise CellRefused(
            f"{text[:40]!r} has a comma", hint="Write a point before decimals and nothing else."
        )
    try:
        return to_micro(parse_decimal(text, what=column.name), what=column.name)
    except ContractError as error:
        raise CellRefused(str(error), hint=error.hint) from error


def _read_date(text: str) -> str:
    parts = text.replace("/", "-").replace(".", "-").split("-")
    try:
        year, month, day = (int(part) for part in parts)
        if len(parts[0]) != 4:
            raise ValueError
        return date(year, month, day).isoformat()
    except ValueError as error:
        raise CellRefused(f"{text[:40]!r} is no date", hint="Write it as YYYY-MM-DD.") from error
