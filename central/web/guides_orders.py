"""Guides of the pages of orders and counts, by the address of the page. Pure."""

from central.web.words import marked

GUIDES_OF_ORDERS: dict[str, tuple[str, ...]] = {
    "/transfers": (
        marked(
            "A transfer moves stock from one warehouse to another: draft, approved, released, "
            "shipped, received, closed."
        ),
        marked(
            "What has left and not arrived stands in transit; the older it is, the more it needs "
            "a look."
        ),
        marked("Stations of both warehouses see a transfer as soon as it is released."),
        marked(
            "To release a transfer sets its goods aside; it is refused if there are too few, "
            "unless the transfer may wait for stock."
        ),
        marked(
            "Goods that arrive before the shipment was reported are no fault: the difference "
            "settles itself when the report comes."
        ),
    ),
    "/transfers/": (
        marked(
            "The buttons show only what is possible in this state; a refusal says why and what to "
            "do."
        ),
        marked(
            "Set aside shows from which bin and lot the goods are to be taken; Reserve sets aside "
            "what still waits for stock."
        ),
        marked(
            "Shipped, received and in transit come from the scans at the docks, and nobody can "
            "type them."
        ),
        marked(
            "To close a transfer, say of everything that is still in transit what became of it: "
            "lost, damaged, found or sent back."
        ),
        marked(
            "If somebody else has changed it meanwhile, you see both versions side by side and "
            "decide again."
        ),
    ),
    "/purchase-orders": (
        marked(
            "An order goes from draft over approval to the supplier; from then on stations expect "
            "the goods."
        ),
        marked("Received quantities come from the scans and weighings at the dock."),
        marked("Late orders are marked; the date counts that the supplier has promised last."),
    ),
    "/purchase-orders/": (
        marked(
            "Change a line only while the order is a draft; afterwards revise it, which asks for "
            "approval anew."
        ),
        marked(
            "Close a line if nothing more is expected of it, and say why; stations then stop "
            "asking for it."
        ),
        marked(
            "More than ordered is received as it is, and shown as a discrepancy within a minute."
        ),
    ),
    "/shipping-notices": (
        marked(
            "A notice tells what a supplier has loaded: pallets, lots and quantities, before they "
            "arrive."
        ),
        marked("With a notice, a dock worker receives a whole pallet with one scan of its SSCC."),
        marked("Once it is expected, stations ask for it; cancel it while nothing of it has come."),
    ),
    "/inspections": (
        marked(
            "Goods that need an inspection are held when they arrive, and cannot be picked until "
            "somebody decides."
        ),
        marked(
            "Decide in parts: accept some, reject some, take a sample. The sum may not exceed "
            "what is there."
        ),
        marked("Each decision is a movement of its own, with your name and your reason."),
    ),
    "/supplier-returns": (
        marked(
            "A return sends goods back to the supplier: request, approve, release; the dock ships "
            "it."
        ),
        marked(
            "Claims say what the supplier owes: money, or goods in exchange. Decide each claim "
            "once."
        ),
        marked("Close it when everything has left and every claim is decided."),
    ),
    "/sales-orders": (
        marked(
            "An order sets stock aside when it is approved or reserved; the first to expire is "
            "taken first."
        ),
        marked("What cannot be set aside waits as a backorder, the oldest promise first."),
        marked("Release the order and stations begin to pick; recall it while nothing is picked."),
    ),
    "/sales-orders/": (
        marked("Each line shows what is ordered, set aside, picked and shipped."),
        marked(
            "If less is found at a place, the station says so, and other stock is set aside at "
            "once."
        ),
        marked(
            "Print the pick list or the delivery note from here; both carry the code of the order "
            "as a bar code."
        ),
    ),
    "/pick-lists": (
        marked("A round takes the goods of several orders on one walk through the warehouse."),
        marked(
            "Places are listed in walking order; the lot to take is the one that expires first."
        ),
        marked(
            "Print the list for a paper round; without paper, the station shows the same steps."
        ),
    ),
    "/pick-lists/now": (
        marked("These are the places that somebody has to go to now, in walking order."),
        marked("A row goes away as soon as the pick was scanned."),
        marked(
            "Goods that were moved meanwhile are found again: the button tells stations anew "
            "where to go."
        ),
    ),
    "/customer-returns": (
        marked("Goods that a customer sends back come to quality first, whatever the paper says."),
        marked("Decide what becomes of them: back into stock, scrapped, or exchanged."),
        marked(
            "A return can name the order that the goods were shipped under; then quantities are "
            "checked against it."
        ),
    ),
    "/availability": (
        marked(
            "Available is what is on hand, less what is held and less what is set aside for orders."
        ),
        marked("In transit is on its way here and is not available yet."),
        marked(
            "A figure below zero means that more was promised than there is: open the item to see "
            "for whom."
        ),
    ),
    "/reservations": (
        marked("Each row is stock that is set aside at one place for one order."),
        marked(
            "It ends when the goods are picked, when the order is recalled, or when stock is "
            "counted away."
        ),
        marked('Choose "ended" to see what was set aside before, and why it ended.'),
    ),
    "/replenishments": (
        marked(
            "These pick faces hold less than they should; each row proposes from where to fill "
            "them."
        ),
        marked(
            "A proposal moves nothing by itself: somebody takes it to the place and scans it there."
        ),
        marked("Set the least quantity of a pick face at the place, in the catalogue."),
    ),
    "/counts": (
        marked(
            "A count asks people to say what is there, without telling them what the ledger "
            "expects."
        ),
        marked("Work goes on meanwhile: movements during the count are taken into account."),
        marked(
            "Small differences are posted at once; larger ones wait for somebody who has not "
            "counted."
        ),
    ),
    "/counts/": (
        marked(
            "Enter what is there; write 0 for an empty place. On a telephone you can scan with "
            "the camera."
        ),
        marked("Send single lines to be counted again if a figure looks wrong."),
        marked("Posting writes one movement for each difference, with your name and your reason."),
        marked(
            "Print the count sheet for places without a screen; it does not show the expected "
            "quantity."
        ),
    ),
    "/count-plans": (
        marked("A plan counts a few places every day, so that everything is counted in its time."),
        marked("Valuable items are in class A and are counted most often."),
        marked("Draw the next count from a plan when you have people for it."),
    ),
}
