"""What all connectors share: talking HTTP, guarded, throttled and recorded; paging; reading answers."""
