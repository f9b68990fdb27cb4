"""Reading run folders into the store: journals as they grow, or everything at a rebuild."""
