"""Any two columns of the comparison as a scatter plot."""
