"""A small invented city whose accounts live on a local server that speaks the platforms' APIs."""
