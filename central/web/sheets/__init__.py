"""What is printed of documents, places and pallets, in the words of the pages. Pure."""
