"""What staff keep for themselves beside the ledger: views of tables, by name. Pure."""
