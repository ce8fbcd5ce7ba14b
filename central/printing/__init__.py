"""Documents and labels as PDF pages: typst with an embedded font. Pure."""
