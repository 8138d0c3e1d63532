"""Where evidence, tables and the mart lie, and how they are asked."""
