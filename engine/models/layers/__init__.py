"""Parts of networks that several models share."""
