"""Bluesky. :mod:`connectors.bluesky.platform` says which endpoints are asked and what their answers mean."""
