"""What is set aside is found by its stock, also where hardly any of many stocks is."""

import pytest

from central.orders.reserving.allocation import StockKey
from central.orders.reserving.reservation_rows import (
    STOCKS_LOOKED_UP_MAX,
    read_allocated,
    write_allocated,
)


@pytest.mark.parametrize("count", [3, 2 * STOCKS_LOOKED_UP_MAX])
def test_what_is_set_aside_is_found_among_many_stocks_of_several_warehouses(database, count):
    def stock(warehouse, number):
        return StockKey(warehouse, f"P{number}", "BIN-1", "", "", "", "C62")

    aside = {stock("SH1", number): number + 1 for number in range(0, count, 2)}
    with database.write() as connection:
        write_allocated(connection, aside)
        asked = [stock(code, number) for code in ("BJ1", "SH1") for number in range(count)]
        assert read_allocated(connection, asked) == aside
        assert read_allocated(connection, asked[:count]) == {}
