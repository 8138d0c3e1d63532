"""Mastodon. :mod:`connectors.mastodon.platform` says which endpoints are asked and what their answers mean."""
