"""Names of cells among others: what differs between them."""
