"""What goes out while stations are told of no document is counted as what went out."""

from central.orders.sales.sales_book import recall_order, release_order, reserve_order
from tests.central.orders.sales_scenes import Scene


def test_goods_that_went_out_while_an_order_was_recalled_are_not_set_aside_again(database):
    scene = Scene(database, stock=[("BIN-1", 10), ("BIN-2", 30)])
    code = scene.order(12, upto="released")
    scene.change(recall_order, code)
    scene.ship(code, "BIN-2", 8)
    scene.change(release_order, code)
    assert sum(pieces for *_, pieces in scene.held(code)) == 4
    scene.check()


def test_goods_that_came_back_under_an_order_are_not_ordered_once_more(database):
    scene = Scene(database, stock=[("BIN-2", 3)])
    code = scene.order(12, upto="released")
    scene.move("customer", "BIN-1", 30, document=code, document_line=1)
    scene.change(reserve_order, code)
    assert sum(pieces for *_, pieces in scene.held(code)) == 12
    scene.check()
