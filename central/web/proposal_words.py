"""What is proposed about discrepancies, and advised, in words of both languages. Pure."""

from central.web.words import marked

# Sentences without anything of the case in them.
PLAIN: tuple[str, ...] = (
    marked("Only its weight is stated in that unit: it was left out."),
    marked("Leave the stock as it is: the goods count for no order."),
    marked("Leave it as it is: the order counts it as gone back."),
    marked("Move it back, if it was scanned by mistake."),
    marked("Leave the stock as it is, if the goods moved: what was undone stays in the books."),
    marked("It is known by now: post it in the item's own unit."),
    marked("It is inspected by now: post it once more, and it waits for inspection."),
    marked("Its card asks for more by now: post it once more, and what it lacks is told."),
    marked("Nothing is there any more."),
    marked("It moved nothing, and there is nothing to move."),
    marked("It is at one place by now."),
    marked("The order waits for it no longer."),
    marked("Keep it as it was weighed."),
    marked("The count agrees with all that is known by now."),
    marked("Leave the stock as it is, and count the place again."),
    marked("More has moved since than is looked through: count the place again."),
    marked("Nothing of it is under way any more."),
    marked("The units stay as they were packed before."),
    marked("Nothing was posted: the quantity cannot be right."),
    marked("The bytes are kept, and stand for nothing in the books."),
    marked("Nothing was taken back, as there was nothing to take back."),
    marked("The copy is switched off: what it offered is not in the books."),
    marked("The card was changed or restored, and that is known."),
    marked("The ledger's figures stand; the gateway takes them over."),
    marked("Another date is right? State it on the page of the lot."),
    marked("Does the label say it? State the date on the page of the lot."),
    marked("Weigh them, and settle it with the weight."),
    marked("They have left again: nobody can weigh them any more."),
    marked("Does a paper say what they weighed? Settle it with that weight."),
    marked("Facts that are still to come settle it; wait if the sender is late."),
    marked("Damaged or sent back? Close the transfer once more and say so."),
    marked("Post the right quantity at the desk, or count the place."),
    marked("Look which unit it is in, and pack it again."),
    marked("Ask who worked there what it was, and post it by hand."),
    marked("Ask what was to be undone, and post that by hand."),
    marked("Find the copied card or machine and switch it off first."),
    marked("Count where it worked: what only the old card had is lost."),
    marked("It settles itself with the next report that agrees."),
    marked("They have the status with which they left by now."),
    marked("They have gone on as available: hold what is left of them."),
    marked("They came as available: post them once more, with the status with which they left."),
    marked("Leave them available: they may be sold."),
    marked("The order has moved as much by now."),
    marked("Leave the stock as it is: the goods were returned, whatever the order moved."),
)
# What the ledger says -> how it is translated: what a group matches stands there by its name.
PATTERNS: tuple[tuple[str, str], ...] = (
    (
        r"Move what is there to (?P<place>\S+), as it was settled before\.",
        marked("Move what is there to %(place)s, as it was settled before."),
    ),
    (
        r"Take back what the books have of it: (?P<amount>\S+) (?P<unit>\S*) of (?P<item>.+), "
        r"from (?P<place>\S+) to (?P<target>\S+)\.",
        marked(
            "Take back what the books have of it: %(amount)s %(unit)s of %(item)s, "
            "from %(place)s to %(target)s."
        ),
    ),
    (
        r"Take back what the books have of it: (?P<count>\d+) movements of (?P<item>.+)\.",
        marked("Take back what the books have of it: %(count)s movements of %(item)s."),
    ),
    (
        r"Only the first (?P<count>\d+) movements of (?P<item>.+) since then were looked through: "
        r"look for later ones before it is settled\.",
        marked(
            "Only the first %(count)s movements of %(item)s since then were looked through: "
            "look for later ones before it is settled."
        ),
    ),
    (
        r"(?P<order>\S+) of (?P<warehouse>\S+) still expects (?P<amount>.+): "
        r"let these count there\.",
        marked("%(order)s of %(warehouse)s still expects %(amount)s: let these count there."),
    ),
    (
        r"Amend (?P<count>\S+): what is at (?P<place>.+) changes by "
        r"(?P<amount>\S+) (?P<unit>\S*)\.",
        marked("Amend %(count)s: what is at %(place)s changes by %(amount)s %(unit)s."),
    ),
    (
        r"(?P<count>\S+) counted (?P<amount>\S+) (?P<unit>\S*); "
        r"with what came late the books had (?P<book>\S+)",
        marked(
            "%(count)s counted %(amount)s %(unit)s; with what came late the books had %(book)s."
        ),
    ),
    (
        r"(?P<count>\S+) was (?:posted|accepted) by (?P<who>.+)",
        marked("%(who)s posted %(count)s, which has counted the same."),
    ),
    (
        r"(?P<count>\S+) was amended by (?P<who>.+)",
        marked("%(who)s amended %(count)s."),
    ),
    (
        r"They weighed (?P<amount>\S+) when they left\.",
        marked("They weighed %(amount)s when they left."),
    ),
    (
        r"(?P<amount>\S+) (?P<unit>\S*) of it are left\. "
        r"Leave the stock as it is: the goods count for no order\.",
        marked(
            "%(amount)s %(unit)s of it are left. "
            "Leave the stock as it is: the goods count for no order."
        ),
    ),
    (
        r"(?P<place>.+) has (?P<amount>\S+) (?P<unit>\S*) of lot (?P<lot>.+) in unit "
        r"(?P<sscc>\S+): they may have been taken out of that\.",
        marked(
            "%(place)s has %(amount)s %(unit)s of lot %(lot)s in unit %(sscc)s: "
            "they may have been taken out of that."
        ),
    ),
    (
        r"(?P<place>.+) has (?P<amount>\S+) (?P<unit>\S*) in unit (?P<sscc>\S+): "
        r"they may have been taken out of that\.",
        marked(
            "%(place)s has %(amount)s %(unit)s in unit %(sscc)s: "
            "they may have been taken out of that."
        ),
    ),
    (
        r"(?P<place>.+) has (?P<amount>\S+) (?P<unit>\S*) of lot (?P<lot>.+) outside of units: "
        r"they may have been taken out of that\.",
        marked(
            "%(place)s has %(amount)s %(unit)s of lot %(lot)s outside of units: "
            "they may have been taken out of that."
        ),
    ),
    (
        r"(?P<place>.+) has (?P<amount>\S+) (?P<unit>\S*) outside of units: "
        r"they may have been taken out of that\.",
        marked(
            "%(place)s has %(amount)s %(unit)s outside of units: "
            "they may have been taken out of that."
        ),
    ),
    (
        r"Post it in (?P<warehouse>.+), if only its warehouse was wrong\.",
        marked("Post it in %(warehouse)s, if only its warehouse was wrong."),
    ),
    (
        r"They have left: tell (?P<place>.+) about (?P<amount>\S+) (?P<unit>\S*)\.",
        marked("They have left: tell %(place)s about %(amount)s %(unit)s."),
    ),
    (
        r"Move (?P<amount>\S+) (?P<unit>\S*) back from (?P<place>.+) to (?P<target>.+), if they "
        r"have not left\.",
        marked(
            "Move %(amount)s %(unit)s back from %(place)s to %(target)s, if they have not left."
        ),
    ),
    (
        r"Move (?P<amount>\S+) (?P<unit>\S*) back from (?P<place>.+) to (?P<target>.+), if it "
        r"was scanned by mistake\.",
        marked(
            "Move %(amount)s %(unit)s back from %(place)s to %(target)s, if it was "
            "scanned by mistake."
        ),
    ),
    (
        r"Move (?P<amount>\S+) (?P<unit>\S*) back from (?P<place>.+) to (?P<target>.+), if they "
        r"are not to be kept\.",
        marked(
            "Move %(amount)s %(unit)s back from %(place)s to %(target)s, if they are "
            "not to be kept."
        ),
    ),
    (
        r"Move (?P<amount>\S+) (?P<unit>\S*) back from (?P<place>.+) to (?P<target>.+), if they "
        r"are of another lot\.",
        marked(
            "Move %(amount)s %(unit)s back from %(place)s to %(target)s, if they are "
            "of another lot."
        ),
    ),
    (
        r"Take it out of the book of (?P<place>.+): it was seen at (?P<target>.+) last\.",
        marked("Take it out of the book of %(place)s: it was seen at %(target)s last."),
    ),
    (
        r"Leave it so: two units bear this number\. Label one of them anew\.",
        marked("Leave it so: two units bear this number. Label one of them anew."),
    ),
    (
        r"Leave the order (?P<amount>\S+) (?P<unit>\S*) short until more has come\.",
        marked("Leave the order %(amount)s %(unit)s short until more has come."),
    ),
    (
        r"Set aside (?P<amount>\S+) (?P<unit>\S*) of (?P<missing>\S+) \S* that are missing: "
        r"they are available\.",
        marked(
            "Set aside %(amount)s %(unit)s of %(missing)s that are missing: they are available."
        ),
    ),
    (
        r"Lot (?P<lot>.+) keeps the date (?P<date>\S+); the stock is as it was said\.",
        marked("Lot %(lot)s keeps the date %(date)s; the stock is as it was said."),
    ),
    (
        r"Lot (?P<lot>.+) expires on (?P<date>\S+), as (?P<name>\S+) says\.",
        marked("Lot %(lot)s expires on %(date)s, as %(name)s says."),
    ),
    (
        r"Nobody says by now that lot (?P<lot>.+) has another date\.",
        marked("Nobody says by now that lot %(lot)s has another date."),
    ),
    (
        r"Book (?P<amount>\S+) (?P<unit>\S*) as found: they arrived, and nobody says that they "
        r"ever left\.",
        marked(
            "Book %(amount)s %(unit)s as found: they arrived, and nobody says that they ever left."
        ),
    ),
    (
        r"Book (?P<amount>\S+) (?P<unit>\S*) as lost: they left, and never arrived\.",
        marked("Book %(amount)s %(unit)s as lost: they left, and never arrived."),
    ),
    (
        r"Book (?P<amount>\S+) (?P<unit>\S*) as gone: they left, and nobody names their transfer\.",
        marked("Book %(amount)s %(unit)s as gone: they left, and nobody names their transfer."),
    ),
    (
        r"Book (?P<amount>\S+) (?P<unit>\S*) as come: they arrived, and nobody names their "
        r"transfer\.",
        marked("Book %(amount)s %(unit)s as come: they arrived, and nobody names their transfer."),
    ),
    (
        r"Book (?P<amount>\S+) (?P<unit>\S*) as gone and (?P<come>\S+) \S* as come: nobody names "
        r"their transfer\.",
        marked(
            "Book %(amount)s %(unit)s as gone and %(come)s %(unit)s as come: nobody names their "
            "transfer."
        ),
    ),
    (
        r"Was it a transfer\? Enter it and release it, and settle what left and what came with "
        r"it\.",
        marked(
            "Was it a transfer? Enter it and release it, and settle what left and what came with "
            "it."
        ),
    ),
    (
        r"Say which item (?P<item>.+) is: add it as an item, or as a bar code of one\.",
        marked("Say which item %(item)s is: add it as an item, or as a bar code of one."),
    ),
    (
        r"Add (?P<place>.+) as a place, or settle it with the place that was meant\.",
        marked("Add %(place)s as a place, or settle it with the place that was meant."),
    ),
    (
        r"Say how much one (?P<unit>\S+) of (?P<item>.+) is: add it to the card of the item\.",
        marked("Say how much one %(unit)s of %(item)s is: add it to the card of the item."),
    ),
    (
        r"So many (?P<unit>\S+) of (?P<item>.+) cannot be: undo them at the station, or settle it "
        r"with how much one of them was\.",
        marked(
            "So many %(unit)s of %(item)s cannot be: undo them at the station, or settle it with "
            "how much one of them was."
        ),
    ),
    (
        r"(?P<order>\S+) is a transfer from (?P<source>\S+) to (?P<destination>[^\s:]+): "
        r"this counts as received at another warehouse\. "
        r"Send it on by a transfer of its own, or undo it at the station\.",
        marked(
            "%(order)s is a transfer from %(source)s to %(destination)s: this counts as received "
            "at another warehouse. Send it on by a transfer of its own, or undo it at the station."
        ),
    ),
    (
        r"(?P<order>\S+) is a sales order of (?P<warehouse>[^\s,]+), "
        r"which would ship it once more\. "
        r"Cancel or change it there, or undo this at the station\.",
        marked(
            "%(order)s is a sales order of %(warehouse)s, which would ship it once more. "
            "Cancel or change it there, or undo this at the station."
        ),
    ),
    (
        r"(?P<order>\S+) is a purchase order of (?P<warehouse>[^\s,]+), "
        r"which still waits for it\. Close its lines there, or undo this at the station\.",
        marked(
            "%(order)s is a purchase order of %(warehouse)s, which still waits for it. "
            "Close its lines there, or undo this at the station."
        ),
    ),
    (
        r"Look for the paper of (?P<order>.+): once the order is told, it settles\.",
        marked("Look for the paper of %(order)s: once the order is told, it settles."),
    ),
    (
        r"What was given to (?P<order>.+) may go back to another order: settle that first\.",
        marked("What was given to %(order)s may go back to another order: settle that first."),
    ),
    (
        r"More came than (?P<order>.+) expects: settle that first\.",
        marked("More came than %(order)s expects: settle that first."),
    ),
    (
        r"Nothing else is available of (?P<item>.+): buy it, or bring it here\.",
        marked("Nothing else is available of %(item)s: buy it, or bring it here."),
    ),
    (
        r"(?P<order>.+) moved (?P<amount>\S+) (?P<unit>\S*) more of lot (?P<lot>.+)\.",
        marked("%(order)s moved %(amount)s %(unit)s more of lot %(lot)s."),
    ),
    (
        r"(?P<order>\S+) shipped (?P<amount>\S+) of it, and (?P<back>\S+) came back",
        marked("%(order)s shipped %(amount)s of it, and %(back)s came back."),
    ),
    (
        r"(?P<order>\S+) received (?P<amount>\S+) of it, and (?P<back>\S+) went back",
        marked("%(order)s received %(amount)s of it, and %(back)s went back."),
    ),
    (
        r"Did they go out after all\? Have them shipped once more under (?P<order>.+)\.",
        marked("Did they go out after all? Have them shipped once more under %(order)s."),
    ),
    (
        r"Did they come after all\? Have them received once more under (?P<order>.+)\.",
        marked("Did they come after all? Have them received once more under %(order)s."),
    ),
    (
        r"it is no more than (?P<order>.+) moved",
        marked("Settled itself: it is no more than %(order)s moved."),
    ),
    (
        r"Not lot (?P<lot>.+)\? Settle it with the lot that was meant\.",
        marked("Not lot %(lot)s? Settle it with the lot that was meant."),
    ),
)
