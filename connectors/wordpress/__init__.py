"""WordPress. :mod:`connectors.wordpress.platform` says which endpoints are asked and what their answers mean."""
