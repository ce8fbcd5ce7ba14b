"""What a person does where facts do not get through. Pure."""

# By LinkProblem, for the log; what the screen says is in its catalogue.
PROBLEM_HINTS = {
    "unknown_gateway": "Enrol this gateway at central with the public key that it shows.",
    "bad_signature": "Enrol this gateway's key at central anew; central knows another one.",
    "wrong_warehouse": "Enrol this gateway at central for the warehouse in its configuration.",
    "fork": "Find the second machine or card with this gateway's code and stop it.",
    "broken_chain": "Ask central staff to look at this gateway's discrepancies.",
    "unknown_epoch": "Check that no other machine has this gateway's code.",
    "foreign_head": "Find the second machine or card with this gateway's code and stop it.",
    "foreign_ledger": "Check [ledger] public_key; delete ledger.json if central was set up anew.",
    "ack_ahead": "Tell central staff that the journal of this gateway may be an old copy.",
    "facts_gone": "Tell central staff that the ledger wants facts that are no longer here.",
    "too_large": "Raise message_size_limit of the broker to 300000 or more.",
}
