"""Posts stock moves in Tryton and prints what they cost; runs in Tryton's own environment. Root.

Tryton (https://www.tryton.org) is GPL-3: it is a separate peer, never imported by Dockledger.

usage: tryton_peer.py CONFIG setup            makes company, warehouse and 100 products
       tryton_peer.py CONFIG post COUNT BATCH posts COUNT moves, BATCH a transaction; prints JSON

One move takes 1 to 9 pieces of one of 50 products from the supplier location into storage and is
done (posted) at once, as a receipt is.
"""

import json
import random
import sys
import time
from decimal import Decimal

from trytond import config

config.update_etc(sys.argv[1])
from trytond.pool import Pool  # noqa: E402  Tryton reads its configuration at import.
from trytond.transaction import Transaction  # noqa: E402

DATABASE = "bench"
CONTEXT = {"_skip_warnings": True}
WARM_UP_MOVES = 10


def main():
    Pool.start()
    pool = Pool(DATABASE)
    pool.init()
    with Transaction().start(DATABASE, 0, readonly=True):
        (admin,) = pool.get("res.user").search([("login", "=", "admin")])
    if sys.argv[2] == "setup":
        setup(pool, admin.id)
    else:
        print(json.dumps(post(pool, admin.id, count=int(sys.argv[3]), batch=int(sys.argv[4]))))


def setup(pool, user):
    with Transaction().start(DATABASE, user, context=dict(CONTEXT)) as transaction:
        currency_values = {"name": "Yuan", "code": "CNY", "symbol": "Y", "digits": 2}
        (currency,) = pool.get("currency.currency").create([currency_values])
        (party,) = pool.get("party.party").create([{"name": "Bench"}])
        (company,) = pool.get("company.company").create(
            [{"party": party.id, "currency": currency.id}]
        )
        (admin,) = pool.get("res.user").search([("login", "=", "admin")])
        admin.companies = [company.id]
        admin.company = company.id
        admin.save()
        transaction.commit()
    context = CONTEXT | {"company": company.id}
    with Transaction().start(DATABASE, user, context=context) as transaction:
        (unit,) = pool.get("product.uom").search([("name", "=", "Unit")])
        template = pool.get("product.template")
        for number in range(100):
            # One record a call: SQLite's parser stack overflows on Tryton's bulk validation.
            (made,) = template.create(
                [
                    {
                        "name": f"P{number:04d}",
                        "type": "goods",
                        "default_uom": unit.id,
                        "cost_price_method": "fixed" if number < 50 else "average",
                        "products": [("create", [{"code": f"P{number:04d}"}])],
                    }
                ]
            )
            for product in made.products:
                product.set_multivalue("cost_price", Decimal(10), company=company.id)
        transaction.commit()


def post(pool, user, *, count, batch):
    with Transaction().start(DATABASE, user, context=dict(CONTEXT), readonly=True):
        (company,) = pool.get("company.company").search([])
        context = CONTEXT | {"company": company.id}
        currency = company.currency.id
    with Transaction().start(DATABASE, user, context=context, readonly=True):
        location = pool.get("stock.location")
        supplier = location.search([("type", "=", "supplier")], limit=1)[0].id
        warehouse = location.search([("type", "=", "warehouse")], order=[("id", "ASC")])[0]
        storage = warehouse.storage_location.id
        products = pool.get("product.product").search([], order=[("code", "ASC")])
        fixed = [product.id for product in products if product.cost_price_method == "fixed"]
        unit = products[0].default_uom.id
    chooser = random.Random(1)

    def post_batch(size):
        values = [
            {
                "product": chooser.choice(fixed),
                "unit": unit,
                "quantity": float(chooser.randint(1, 9)),
                "from_location": supplier,
                "to_location": storage,
                "company": company.id,
                "unit_price": Decimal("10.0000"),
                "currency": currency,
            }
            for _ in range(size)
        ]
        with Transaction().start(DATABASE, user, context=dict(context)) as transaction:
            move = pool.get("stock.move")
            move.do(move.create(values))
            transaction.commit()

    post_batch(WARM_UP_MOVES)
    wall, cpu = time.perf_counter(), time.process_time()
    for start in range(0, count, batch):
        post_batch(min(batch, count - start))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"count": count, "batch": batch, "wall_s": wall, "cpu_s": cpu}


if __name__ == "__main__":
    main()
