"""What each area takes and gives on the wire."""
