"""What a tenant needs once it is Ready: other analysts, other wishes, the nightly look."""
