"""Run folders read into the store: journals as they grow, or all of it made anew."""
