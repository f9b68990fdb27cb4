"""Results of evaluation: from the ranks of targets to the metrics of users."""
