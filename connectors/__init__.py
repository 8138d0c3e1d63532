"""One file per platform, and the small HTTP kit they share."""
