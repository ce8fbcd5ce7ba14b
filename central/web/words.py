"""The words of the trade that codes stand for on screen, marked for translation. Pure."""


def marked(text: str) -> str:
    """Return `text` unchanged; marks it for the catalogue."""
    return text


PLACES: dict[str, str] = {
    "supplier": marked("Supplier"),
    "customer": marked("Customer"),
    "in_transit": marked("In transit"),
    "adjustment": marked("Adjustment"),
    "scrap": marked("Scrap"),
    "production": marked("Production"),
}
STEPS: dict[str, str] = {
    "receiving": marked("Receipt"),
    "storing": marked("Putaway"),
    "picking": marked("Pick"),
    "shipping": marked("Shipment"),
    "transferring": marked("Transfer"),
    "counting": marked("Count"),
    "weighing": marked("Weighing"),
    "printing": marked("Label"),
    "reversal": marked("Reversal"),
    "passage_in": marked("Passage in"),
    "passage_out": marked("Passage out"),
    "passage_unknown": marked("Passage, direction unknown"),
}
FLAGS: dict[str, str] = {
    "unknown_item": marked("unknown item"),
    "unexpected": marked("unexpected"),
    "manual_weight": marked("weight typed by hand"),
    "held_by_reader": marked("kept by the reader while the gateway was away"),
    "tag_stays": marked("stays at the door"),
    "clock_unsynced": marked("clock not set"),
    "lot_assumed": marked("lot assumed"),
    "negative_stock": marked("book had less here"),
    "no_lot": marked("no lot"),
    "outside_tolerance": marked("outside tolerance"),
    "over_expected": marked("more than expected"),
    "sscc_repeated": marked("pallet was here already"),
    "unit_differs": marked("different unit"),
    "unknown_document": marked("unknown document"),
    "unknown_location": marked("unknown place"),
    "unknown_operator": marked("unknown operator"),
}
TIME_SOURCES: dict[str, str] = {
    "corrected": marked("time corrected"),
    "unsynced": marked("clock not set"),
}
UNITS: dict[str, str] = {
    "C62": marked("pcs"),
    "KGM": "kg",
    "GRM": "g",
    "MGM": "mg",
    "TNE": "t",
    "LBR": "lb",
    "ONZ": "oz",
    "APZ": "oz t",
    "LTR": "L",
    "MTR": "m",
}
EVIDENCE: dict[str, str] = {
    "barcode": marked("Bar code"),
    "weight": marked("Weight"),
    "command": marked("Command"),
    "button": marked("Button"),
    "manual": marked("Typed by hand"),
    "tag": marked("RFID tag"),
}
DEVICE_STATES: dict[str, str] = {
    "ready": marked("ready"),
    "configured": marked("closed"),
    "opening": marked("opening"),
    "degraded": marked("impaired"),
    "offline": marked("offline"),
    "fault": marked("fault"),
}
DEVICE_PROBLEMS: dict[str, str] = {
    "lost": marked("not connected: check its cable"),
    "silent": marked("does not answer: switch it on, check its cable"),
    "settings": marked("set up wrongly: correct its settings"),
    "crashed": marked("its driver failed: call support"),
    "locked": marked("locked by an administrator"),
    "in_use": marked("its line is used by another program: end that"),
    "no_permission": marked("the gateway may not open it: give its user the right"),
    "wrong_driver": marked("nothing it sends is readable: check its driver and speed"),
    "unsteady": marked("comes and goes: check its cable and power"),
    "unreadable": marked("sends much that is unreadable: check its cable"),
    "scan_again": marked("loses parts of scans: check its cable"),
    "overload": marked("overloaded: take load off"),
    "underload": marked("below zero: put its pan back, zero it"),
    "not_ready": marked("gives no weight: see what moves it"),
    "zero_error": marked("has lost its zero: clear it and zero it"),
    "reader_error": marked("reports an error: check its antennas and their cables"),
    "reads_lost": marked("has lost tags: let goods pass more slowly"),
    "paper_low": marked("soon out of labels: have a new roll ready"),
    "ribbon_low": marked("soon out of ribbon: have a new one ready"),
    "paper_out": marked("out of labels: load some"),
    "ribbon_out": marked("out of ribbon: put in a new one"),
    "head_open": marked("print head open: close it"),
    "paused": marked("paused: press its pause key"),
    "busy": marked("busy: wait"),
    "over_temperature": marked("print head too hot: let it cool down"),
    "error": marked("error: look at its display"),
}
DISCREPANCIES: dict[str, str] = {
    "unknown_item": marked("Unknown item"),
    "unknown_location": marked("Unknown place"),
    "unknown_document": marked("Unknown document"),
    "unexpected": marked("Not expected"),
    "over_received": marked("More received than expected"),
    "outside_tolerance": marked("Weight outside tolerance"),
    "negative_balance": marked("Stock below zero"),
    "unit_differs": marked("Different unit"),
    "unreadable_fact": marked("Unreadable fact"),
    "wrong_warehouse": marked("Fact of another warehouse"),
    "quantity_overflow": marked("Quantity out of range"),
    "reversal_unmatched": marked("Reversal without its movement"),
    "fork": marked("Two facts with one number"),
    "broken_chain": marked("Broken chain of facts"),
    "stock_differs": marked("Gateway shows other stock"),
}
GATEWAY_PROBLEMS: dict[str, str] = {
    "unknown_gateway": marked("enrol this gateway"),
    "bad_signature": marked("its key is not the enrolled one"),
    "wrong_warehouse": marked("it is set up for another warehouse: correct that or enrol it anew"),
    "fork": marked("its card was copied or restored: replace it"),
    "broken_chain": marked("its journal is damaged: replace the card"),
    "unknown_epoch": marked("another machine may use its code: find it and stop it"),
    "foreign_head": marked("another machine or card has its code: find it and stop it"),
    "foreign_ledger": marked("it knows another central: enrol it anew here"),
    "ack_ahead": marked("its journal may be an old copy: stop it and replace the card"),
    "facts_gone": marked("its journal lacks facts that are wanted here: call support"),
    "too_large": marked("the broker's message_size_limit is too small: raise it"),
    "journal": marked("it cannot record: make space on its disk or replace the card"),
}
